/**
 * The outbox: conversions that wait in localStorage until the forwarder has
 * answered for good. Loaded with the first of them.
 */
import type { ConvertResult } from "./options.js";
import { keysOf, OUTBOX, storage, UNIQUE } from "./store.js";
import type { StoredConversion } from "./tracker.js";

/** How long a conversion waits, in milliseconds. */
const LIFE_MS = 7 * 86_400_000;

/** How long a made unique id is kept: a thank-you page is reloaded within that time or never. */
const UNIQUE_MS = 30 * 86_400_000;

/** Browsers refuse keepalive requests beyond 64 KiB in flight; this leaves room for the site's own. */
const IN_FLIGHT_BYTES = 48_000;

const FIRST_RETRY_MS = 5_000;
const LAST_RETRY_MS = 300_000;

export interface Outbox {
  /** Sends one that is stored under the key, or could not be stored. */
  send(key: string, conversion: StoredConversion): Promise<ConvertResult>;
}

/** Opens the outbox, sends what waits in it, and again whenever that may help. */
export function openOutbox(
  endpoint: string,
  note: (reason: string, ...details: unknown[]) => void,
  isAllowed: () => boolean,
): Outbox {
  const url = `${endpoint}/conversions`;
  /** What this page has not got a final answer for. */
  const unanswered = new Map<string, StoredConversion>();
  const running = new Set<Promise<ConvertResult>>();
  let bytes = 0;
  let retryMs = FIRST_RETRY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = (key: string) => {
    unanswered.delete(key);
    storage()?.removeItem(key);
  };
  const later = (code: string, afterMs?: number): ConvertResult => {
    note(code);
    clearTimeout(timer);
    timer = setTimeout(resend, afterMs ?? retryMs);
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
    return { state: "queued", code };
  };

  const post = async (key: string, conversion: StoredConversion): Promise<ConvertResult> => {
    if (!isAllowed()) {
      unanswered.delete(key);
      return { state: "refused", code: "consent_denied" };
    }
    const body = JSON.stringify(conversion.fields);
    let response: Response;
    let answer: { id?: string; duplicate?: boolean; error?: { code?: string } };
    try {
      // A text needs no preflight, and so no second request on the way out of a page.
      response = await fetch(url, { method: "POST", body, keepalive: true });
      answer = await response.json().catch(() => ({}));
    } catch {
      return later("network");
    }
    const { ok, status } = response;
    const id = answer.id === undefined ? {} : { id: answer.id };
    if (ok) {
      settle(key);
      retryMs = FIRST_RETRY_MS;
      return { state: answer.duplicate ? "duplicate" : "accepted", ...id };
    }
    if (status < 400 || status > 499 || [408, 425, 429].includes(status)) {
      const seconds = Number(response.headers.get("retry-after"));
      return later(answer.error?.code ?? "forwarder_busy", seconds > 0 ? seconds * 1_000 : undefined);
    }
    settle(key);
    const code = answer.error?.code ?? `http_${status}`;
    note(code);
    return { state: "refused", code };
  };

  const send = async (key: string, stored: StoredConversion): Promise<ConvertResult> => {
    const conversion = { ...stored, fields: { ...stored.fields, uniqueId: uniqueIdOf(stored) } };
    unanswered.set(key, conversion);
    const size = JSON.stringify(conversion.fields).length * 3;
    while (bytes > 0 && bytes + size > IN_FLIGHT_BYTES) await Promise.race(running);
    bytes += size;
    // One sender across tabs; where there are no locks, the unique id makes the second one a duplicate.
    const sent = navigator.locks
      ? navigator.locks.request(key, { ifAvailable: true }, (lock) => {
          if (lock) return post(key, conversion);
          note("other_tab");
          return { state: "queued" as const, code: "other_tab" };
        })
      : post(key, conversion);
    running.add(sent);
    try {
      return await sent;
    } finally {
      running.delete(sent);
      bytes -= size;
    }
  };

  const resend = () => {
    for (const key of keysOf(OUTBOX)) {
      const stored = read(key);
      if (stored === undefined) {
        storage()?.removeItem(key);
        note("outbox_expired");
      } else if (!unanswered.has(key)) {
        unanswered.set(key, stored);
      }
    }
    for (const [key, conversion] of unanswered) void send(key, conversion);
  };

  // Where a request dies with its page, the browser's beacon outlives it. It
  // has no answer: the conversion stays, and the next load finds it a duplicate.
  if (!("keepalive" in Request.prototype)) {
    addEventListener("pagehide", () => {
      for (const { fields } of unanswered.values()) navigator.sendBeacon(url, JSON.stringify(fields));
    });
  }
  addEventListener("online", resend);
  addEventListener("pageshow", ({ persisted }) => persisted && resend());
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && resend());
  resend();
  return { send };
}

/** A stored conversion; nothing where it is too old or unreadable. */
function read(key: string): StoredConversion | undefined {
  try {
    const stored: StoredConversion = JSON.parse(storage()?.getItem(key) ?? "");
    return stored.at > Date.now() - LIFE_MS && stored.fields ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** The caller's unique id, or the one that was made for this offer, click and order. */
function uniqueIdOf({ fields, page }: StoredConversion): string {
  const { uniqueId, offerId, clickId = "", orderId } = fields;
  if (uniqueId !== undefined) return uniqueId;
  const key = `${UNIQUE}${offerId}:${clickId}:${orderId ?? page}`;
  const now = Date.now();
  for (const other of keysOf(UNIQUE)) {
    if (Number(storage()?.getItem(other)?.split(" ")[1]) < now - UNIQUE_MS) storage()?.removeItem(other);
  }
  const known = storage()?.getItem(key)?.split(" ")[0] ?? made.get(key);
  if (known !== undefined) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const fresh = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  made.set(key, fresh);
  try {
    storage()?.setItem(key, `${fresh} ${now}`);
  } catch {
    // Full: it lasts as long as the page does.
  }
  return fresh;
}

/** Unique ids that were made in this page. */
const made = new Map<string, string>();
