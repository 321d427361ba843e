/**
 * The outbox: conversions that wait, in memory and in localStorage, until the
 * forwarder has answered for good. Loaded with the first of them.
 */
import type { Consent, ConvertResult, Reason, StoredConversion } from "./options.js";
import { keysOf, OUTBOX, storage, store, UNIQUE } from "./store.js";

/** The most conversions that wait in localStorage. */
const MAX_WAITING = 100;

/** How long one waits, in milliseconds. */
const LIFE_MS = 7 * 86_400_000;

/** How long a made unique id is kept: a thank-you page is reloaded within that time or never. */
const UNIQUE_MS = 30 * 86_400_000;

/** Browsers refuse keepalive requests beyond 64 KiB in flight; this leaves room for the site's own. */
const MAX_IN_FLIGHT_BYTES = 48_000;

const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;

/** What a tracker does with its conversions. */
export interface Outbox {
  /** Sends the conversion of this key. */
  send(key: string): Promise<ConvertResult>;
  /** Sends all that wait. */
  resend(): void;
}

const outboxes = new WeakMap<Map<string, StoredConversion>, Outbox>();

/** The outbox of a tracker's conversions, opened with the first call: it then resends whenever that may help. */
export function openOutbox(
  url: string,
  conversions: Map<string, StoredConversion>,
  said: () => Consent,
  note: (reason: Reason | string) => void,
): Outbox {
  const known = outboxes.get(conversions);
  if (known !== undefined) return known;
  const running = new Map<string, Promise<ConvertResult>>();
  /** For a caller who asks after a resend was faster. */
  const answered = new Map<string, ConvertResult>();
  let bytes = 0;
  let retryMs = MIN_RETRY_MS;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = (key: string) => {
    conversions.delete(key);
    storage?.removeItem(key);
    retryMs = MIN_RETRY_MS;
  };
  const wait = (code: string, afterMs = retryMs): ConvertResult => {
    note(code);
    clearTimeout(timer);
    timer = setTimeout(resend, afterMs);
    retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
    return { state: "queued", code };
  };

  const post = async (key: string, body: string): Promise<ConvertResult> => {
    let response: Response;
    let answer: { id?: string; duplicate?: boolean; error?: { code?: string } };
    try {
      // A text needs no preflight, and so no second request on the way out of a page.
      response = await fetch(url, { method: "POST", body, keepalive: true });
    } catch {
      return wait("network");
    }
    try {
      answer = await response.json();
    } catch {
      answer = {};
    }
    const { ok, status } = response;
    const { id, duplicate, error } = answer;
    const code = error?.code;
    if (ok && id !== undefined) {
      settle(key);
      return { state: duplicate ? "duplicate" : "accepted", id };
    }
    const mayPass = status > 499 || status === 408 || status === 425 || status === 429;
    if (!ok && !mayPass && code !== undefined) {
      settle(key);
      return refuse(code);
    }
    // A page of the site's, whatever its status, has neither taken nor refused it.
    const seconds = Number(response.headers.get("retry-after"));
    return wait(code ?? (mayPass ? "forwarder_busy" : "no_forwarder"), seconds > 0 ? seconds * 1_000 : undefined);
  };
  const refuse = (code: string): ConvertResult => {
    note(code);
    return { state: "refused", code };
  };

  const attempt = async (key: string): Promise<ConvertResult> => {
    const conversion = conversions.get(key);
    const answer = said();
    if (conversion === undefined || answer === "denied") {
      settle(key);
      return answered.get(key) ?? refuse("consent_denied");
    }
    // As in the core, a word that nobody knows is no consent.
    if (answer !== "granted") {
      note("consent_pending");
      return { state: "queued", code: "consent_pending" };
    }
    const fields = { ...conversion.fields, uniqueId: uniqueIdOf(conversion) };
    let body: string;
    try {
      body = JSON.stringify(fields);
    } catch {
      // A bigint, or an object that holds itself.
      settle(key);
      return refuse("invalid_field");
    }
    // With the unique id, so that whoever sends it again sends the same.
    if (!store(key, JSON.stringify({ ...conversion, fields }))) {
      note("storage_blocked");
    } else if (keysOf(OUTBOX).length > MAX_WAITING) {
      storage?.removeItem(key);
      note("outbox_full");
    }
    // In UTF-8 a unit has three bytes at most.
    const size = body.length * 3;
    while (bytes > 0 && bytes + size > MAX_IN_FLIGHT_BYTES) await Promise.race(running.values());
    bytes += size;
    try {
      // One sender across tabs. Without locks the unique id makes the second one a duplicate.
      if (navigator.locks === undefined) return await post(key, body);
      return await navigator.locks.request(
        key,
        { ifAvailable: true },
        (lock): ConvertResult | Promise<ConvertResult> => (lock ? post(key, body) : wait("other_tab")),
      );
    } finally {
      bytes -= size;
    }
  };
  const send = (key: string): Promise<ConvertResult> => {
    const known = running.get(key);
    if (known !== undefined) return known;
    const sent = attempt(key).then((result) => {
      running.delete(key);
      if (result.state !== "queued") answered.set(key, result);
      return result;
    });
    running.set(key, sent);
    return sent;
  };

  function resend(): void {
    if (said() !== "granted") return;
    for (const key of keysOf(OUTBOX)) {
      const stored = read(key);
      if (stored !== undefined) {
        conversions.set(key, stored);
      } else {
        settle(key);
        note("outbox_expired");
      }
    }
    for (const key of conversions.keys()) void send(key);
  }

  // Where a request dies with its page, the browser's beacon outlives it. It
  // has no answer: the conversion stays, and the next load finds it a duplicate.
  if (!("keepalive" in Request.prototype)) {
    addEventListener("pagehide", () => {
      for (const { fields } of conversions.values()) navigator.sendBeacon(url, JSON.stringify(fields));
    });
  }
  addEventListener("online", resend);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && resend());
  const outbox = { send, resend };
  outboxes.set(conversions, outbox);
  resend();
  return outbox;
}

/** A stored conversion; nothing where it is too old or unreadable. */
function read(key: string): StoredConversion | undefined {
  try {
    const stored: StoredConversion = JSON.parse(storage?.getItem(key) ?? "");
    return stored.at > Date.now() - LIFE_MS && stored.fields ? stored : undefined;
  } catch {
    return undefined;
  }
}

/** Unique ids that were made in this page, for where they cannot be stored. */
const made = new Map<string, string>();

/** The caller's unique id, or the one that was made for this offer, click and order. */
function uniqueIdOf({ fields, page }: StoredConversion): string {
  const { uniqueId, offerId, clickId = "", orderId } = fields;
  if (uniqueId !== undefined) return uniqueId;
  const now = Date.now();
  for (const key of keysOf(UNIQUE)) {
    if (Number(storage?.getItem(key)?.split(" ")[1]) < now - UNIQUE_MS) storage?.removeItem(key);
  }
  const key = `${UNIQUE}${offerId}:${clickId}:${orderId ?? page.split("#", 1)[0]}`;
  const known = storage?.getItem(key)?.split(" ", 1)[0] ?? made.get(key);
  if (known !== undefined) return known;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const fresh = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  made.set(key, fresh);
  store(key, `${fresh} ${now}`);
  return fresh;
}
