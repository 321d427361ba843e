/**
 * The outbox: what becomes of a conversion that was not accepted at once, and of those that earlier pages left in
 * localStorage. A file of its own, loaded before or when it is first needed.
 */
import { CakeError, type CakeErrorCode } from "../error.js";
import { digest } from "./digest.js";
import type { Consent, ConvertResult, PageConversion, Reason, WaitingConversion } from "./options.js";
import { ANSWER_MS, type Answer, findAcceptance, parse, post } from "./send.js";
import { attempt, keysOf, OUTBOX, read, remove, store, UNIQUE } from "./store.js";

/** The most conversions that wait in localStorage. */
const MAX_WAITING = 100;

/** How long one waits, in milliseconds. */
const LIFE_MS = 7 * 86_400_000;

/** How long a made unique id is kept: a thank-you page is reloaded within that time or never. */
const UNIQUE_MS = 30 * 86_400_000;

const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** The longest that an endpoint's Retry-After is followed. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** How long a lock is waited for. */
const LOCK_MS = 1_000;

/** How long localStorage takes to show one tab what another one has written, at most. */
const SHARING_MS = 100;

/**
 * The forwarder's codes that are about the conversion itself. Any other answer is about something that somebody can
 * mend within the seven days: a setting, an origin, a route, a load.
 */
const FINAL =
  "invalid_field invalid_click_id invalid_unique_id invalid_id invalid_text invalid_money invalid_time placeholder_text conversion_conflict click_converted body_too_large".split(
    " ",
  );

/** What the outbox has of its tracker. */
export interface Sender {
  readonly url: string;
  /** The conversions of this page, by their keys. */
  readonly conversions: Map<string, WaitingConversion>;
  said(): Consent;
  note(reason: Reason | string): void;
  /** Tells an error to the site. */
  report(error: CakeError): void;
  /** Sends again all that is due: this page's by its own way, the rest by {@link Outbox.resend}. */
  resume(): void;
}

export interface Outbox {
  /**
   * Brings a conversion on as far as it goes: `answer` is the endpoint's, where there is one; `error` what the sending
   * failed with.
   */
  conclude(key: string, answer?: Answer, error?: unknown): Promise<ConvertResult>;
  /** Sends the conversions that earlier pages left. */
  resend(): void;
}

/** Opens the outbox of a tracker. */
export function openOutbox({ url, conversions, said, note, report, resume }: Sender): Outbox {
  /** What other pages left, by their keys: when it may be sent again. */
  const left = new Map<string, WaitingConversion>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  const settle = (key: string) => {
    conversions.delete(key);
    left.delete(key);
    remove(key);
  };

  const refuse = (
    key: string,
    code: string,
    { rule, parameter }: { rule?: unknown; parameter?: unknown } = {},
  ): ConvertResult => {
    settle(key);
    note(code);
    report(
      new CakeError({
        code: code as CakeErrorCode,
        rule: typeof rule === "string" ? rule : `breaks the rule ${code}`,
        ...(typeof parameter === "string" ? { parameter } : {}),
      }),
    );
    return { state: "refused", code };
  };

  const wait = (conversion: WaitingConversion, code: string, answer?: Answer): ConvertResult => {
    note(code);
    conversion.retryMs = Math.min((conversion.retryMs ?? MIN_RETRY_MS / 2) * 2, MAX_RETRY_MS);
    const asked = Math.min(Math.max(conversion.retryMs, milliseconds(answer?.after)), MAX_RETRY_AFTER_MS);
    // Up to a fifth later, so that many pages do not come in one moment.
    const ms = Math.min(asked * (1 + Math.random() / 5), MAX_RETRY_AFTER_MS);
    if (answer === undefined) {
      // The network may be back at any moment: nothing but the timer keeps it.
      clearTimeout(timer);
      timer = setTimeout(resume, ms);
    } else {
      conversion.due = Date.now() + ms;
      // Timers may be a moment early.
      setTimeout(resume, ms + 50);
    }
    return { state: "queued", code };
  };

  const interpret = (key: string, conversion: WaitingConversion, answer: Answer): ConvertResult => {
    const acceptance = findAcceptance(answer);
    if (acceptance !== undefined) {
      settle(key);
      return acceptance;
    }
    const { status, json } = answer;
    const error = json?.error as
      | Partial<Record<"code" | "rule" | "parameter" | "retryable", unknown>>
      | null
      | undefined;
    const code = typeof error?.code === "string" ? error.code : undefined;
    // A firewall's JSON may have words of ours, but not all of them.
    const isOwn = typeof error?.rule === "string" && error.retryable === false;
    if (isOwn && code !== undefined && FINAL.includes(code) && status > 399 && status < 500) {
      return refuse(key, code, error);
    }
    const mayPass = status > 499 || status === 408 || status === 425 || status === 429;
    return wait(conversion, code ?? (mayPass ? "forwarder_busy" : "no_forwarder"), answer);
  };

  const conclude = async (
    key: string,
    conversion: WaitingConversion,
    answer?: Answer,
    error?: unknown,
  ): Promise<ConvertResult> => {
    const consent = said();
    if (consent === "denied") {
      settle(key);
      note("consent_denied");
      return { state: "refused", code: "consent_denied" };
    }
    // As in the core, a word that nobody knows is no consent.
    if (consent !== "granted") {
      note("consent_pending");
      return { state: "queued", code: "consent_pending" };
    }
    let body: string;
    try {
      JSON.stringify(conversion.fields);
      conversion.fields = { ...conversion.fields, uniqueId: await findUniqueId(conversion) };
      conversion.page = undefined;
      body = JSON.stringify(conversion.fields);
    } catch {
      // A bigint, or an object that holds itself.
      return refuse(key, "invalid_field");
    }
    const { at, fields } = conversion;
    // From now on it has its unique id, and nothing of the page's address.
    if (!store(key, JSON.stringify({ at, fields }))) {
      note("storage_blocked");
    } else if (keysOf(OUTBOX).length > MAX_WAITING) {
      remove(key);
      note("outbox_full");
    }
    if (answer) return interpret(key, conversion, answer);
    // Where no answer came in time, another way brings none either.
    if ((error as Error | undefined)?.name === "TimeoutError") return wait(conversion, "network");
    try {
      return interpret(key, conversion, await (error ? postOtherwise(url, body) : send(url, fields)));
    } catch {
      return wait(conversion, "network");
    }
  };

  /** One tab after the other sends what an earlier page left. */
  const bring = async (key: string) => {
    const mine = await exclusively(key, true, async () => {
      const conversion = left.get(key) ?? parseStored(read(key));
      if (conversion === undefined) {
        settle(key);
        note("outbox_expired");
        return;
      }
      left.set(key, conversion);
      await conclude(key, conversion);
    });
    if (mine) return;
    note("other_tab");
    setTimeout(resume, MIN_RETRY_MS);
  };
  const busy = new Set<string>();

  // Where a request dies with its page, the browser's beacon outlives it. It
  // has no answer: the conversion stays, and the next load finds it a duplicate.
  addEventListener("pagehide", () => {
    if (attempt(() => "keepalive" in Request.prototype) || said() !== "granted") return;
    for (const { fields } of conversions.values()) {
      if (fields.uniqueId) attempt(() => navigator.sendBeacon(url, JSON.stringify(fields)));
    }
  });

  return {
    conclude: (key, answer, error) => {
      const conversion = conversions.get(key);
      // Denied meanwhile.
      if (conversion === undefined) return Promise.resolve({ state: "refused", code: "consent_denied" });
      return conclude(key, conversion, answer, error);
    },
    resend() {
      if (said() !== "granted") return;
      for (const key of keysOf(OUTBOX)) {
        if (conversions.has(key) || busy.has(key) || (left.get(key)?.due ?? 0) > Date.now()) continue;
        busy.add(key);
        bring(key).finally(() => busy.delete(key));
      }
    },
  };
}

/** The wait that a Retry-After asks for, in milliseconds; 0 where it cannot be read. */
function milliseconds(after: string | null | undefined): number {
  if (!after?.trim()) return 0;
  const seconds = Number(after);
  return (Number.isNaN(seconds) ? Date.parse(after) - Date.now() : seconds * 1_000) || 0;
}

async function send(url: string, fields: PageConversion): Promise<Answer> {
  try {
    return await post(url, fields);
  } catch (error) {
    if ((error as Error).name === "TimeoutError") throw error;
    return postOtherwise(url, JSON.stringify(fields));
  }
}

/**
 * Posts where `fetch` does not: missing, replaced by something that fails, or above the 64 KiB that browsers let all
 * `keepalive` requests of a page have together.
 */
function postOtherwise(url: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let request: XMLHttpRequest;
    try {
      request = new XMLHttpRequest();
    } catch (error) {
      // A beacon has no answer: the conversion stays, and the next load finds it a duplicate.
      navigator.sendBeacon(url, body);
      throw error;
    }
    request.open("POST", url);
    request.timeout = ANSWER_MS;
    request.onload = () => {
      const { status, responseText } = request;
      resolve({ status, after: request.getResponseHeader("retry-after"), json: parse(responseText) });
    };
    request.onerror = request.ontimeout = request.onabort = reject;
    // A text, as fetch sends it.
    request.send(body);
  });
}

/**
 * Runs while no other tab does under this name; `ifFree` gives up where another one has it, and says so by `false`.
 * Without locks, and where they refuse or never answer, it runs all the same.
 */
async function exclusively(name: string, ifFree: boolean, run: () => Promise<void>): Promise<boolean> {
  let running: Promise<void> | undefined;
  let isTaken = false;
  const start = (): Promise<void> => {
    running ??= run();
    return running;
  };
  const locked = (async () =>
    navigator.locks.request(name, { ifAvailable: ifFree }, async (lock) => {
      isTaken = lock === null;
      if (lock !== null) await start();
    }))().catch(() => undefined);
  await Promise.race([locked, new Promise((resolve) => setTimeout(resolve, LOCK_MS))]);
  if (isTaken) return false;
  await start();
  return true;
}

/** A stored conversion; nothing where it is too old or unreadable. */
function parseStored(text: string): WaitingConversion | undefined {
  const stored = parse(text) as Partial<WaitingConversion> | null | undefined;
  const { at, page, fields } = stored ?? {};
  const now = Date.now();
  if (typeof at !== "number" || at < now - LIFE_MS || typeof fields !== "object" || fields === null) return undefined;
  // A clock that was wrong once makes nothing immortal.
  return { at: Math.min(at, now), page, fields };
}

/**
 * The caller's unique id, or one for this offer, click and order. With a click id it is a digest: every tab and every
 * reload has the same one, with no store and no lock. Without, as where the edge keeps it, it is a random one that this
 * browser keeps.
 */
async function findUniqueId({ fields, page }: WaitingConversion): Promise<string> {
  const { uniqueId, offerId, clickId, orderId } = fields;
  if (uniqueId !== undefined) return uniqueId;
  const order = digest(JSON.stringify([offerId, clickId ?? "", orderId === undefined ? page : "", orderId ?? ""]));
  if (clickId !== undefined) return order;
  const key = UNIQUE + order;
  const find = () => /^[0-9a-f]{32}(?= )/.exec(read(key))?.[0] ?? made.get(key);
  await exclusively(key, false, async () => {
    const now = Date.now();
    for (const old of keysOf(UNIQUE)) {
      // Also those of a clock that was ahead.
      if (!(Math.abs(now - Number(read(old).split(" ")[1])) < UNIQUE_MS)) remove(old);
    }
    if (find() !== undefined) return;
    const fresh = digest(`${Math.random()} ${Math.random()} ${now}`);
    made.set(key, fresh);
    // Where there are no locks, the last of several tabs wins for all.
    if (store(key, `${fresh} ${now}`)) await new Promise((resolve) => setTimeout(resolve, SHARING_MS));
  });
  return find() as string;
}

/** Unique ids that were made in this page, for where they cannot be stored. */
const made = new Map<string, string>();
