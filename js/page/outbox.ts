/**
 * The outbox: what becomes of a conversion that was not accepted at once, and of those that earlier pages left in
 * localStorage. A file of its own, loaded before or when it is first needed.
 */
import { CakeError, type CakeErrorCode } from "../error.js";
import { type Answer, findAcceptance, LIFE_MS, nextWait, parse, readAnswer, readRefusal } from "./answer.js";
import { digest } from "./digest.js";
import type { Consent, ConvertResult, PageConversion, Reason, WaitingConversion } from "./options.js";
import { ANSWER_MS, post } from "./send.js";
import { attempt, keysOf, OUTBOX, read, remove, store, UNIQUE } from "./store.js";

/** The most conversions that wait in localStorage. */
const MAX_WAITING = 100;

/** How long a made unique id is kept: a thank-you page is reloaded within that time or never. */
const UNIQUE_MS = 30 * 86_400_000;

/** When another tab's conversions are looked at again. */
const OTHER_TAB_MS = 5_000;

/** How long a lock is waited for. */
const LOCK_MS = 1_000;

/** How long localStorage takes to show one tab what another one has written, at most. */
const SHARING_MS = 100;

/** What the outbox has of its tracker. */
export interface Sender {
  readonly url: string;
  /** The conversions of this page, by their keys. */
  readonly conversions: Map<string, WaitingConversion>;
  /** Is the click id in the cookie of the site's own Worker, where no script sees it? */
  readonly edge?: boolean | undefined;
  said(): Consent;
  note(reason: Reason | string): void;
  /** Tells an error to the site. */
  report(error: CakeError): void;
}

export interface Outbox {
  /** Brings a conversion on as far as it goes; `sent` is its request, where that has been made already. */
  conclude(key: string, sent?: Promise<Response>): Promise<ConvertResult>;
  /** Sends what waits, as far as its time has come: this page's, and what earlier ones left. */
  resend(): void;
}

/** Opens the outbox of a tracker. */
export function openOutbox({ url, conversions, edge, said, note, report }: Sender): Outbox {
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
    { rule, parameter }: { rule?: unknown; parameter?: unknown },
  ): ConvertResult => {
    settle(key);
    note(code);
    report(
      new CakeError({
        code: code as CakeErrorCode,
        rule: `${rule}`,
        ...(typeof parameter === "string" ? { parameter } : {}),
      }),
    );
    return { state: "refused", code };
  };

  const wait = (conversion: WaitingConversion, code: string, answer?: Answer): ConvertResult => {
    note(code);
    const ms = nextWait(conversion, answer);
    if (answer === undefined) {
      // The network may be back at any moment: nothing but the timer keeps it.
      clearTimeout(timer);
      timer = setTimeout(resend, ms);
    } else {
      // Timers may be a moment early.
      conversion.due = Date.now() + ms - 50;
      setTimeout(resend, ms);
    }
    return { state: "queued", code };
  };

  const interpret = (key: string, conversion: WaitingConversion, answer: Answer): ConvertResult => {
    const acceptance = findAcceptance(answer);
    if (acceptance !== undefined) {
      settle(key);
      return acceptance;
    }
    const refusal = readRefusal(answer);
    // With `edge` the click id is in the site's own cookie, and what is wrong with that can be mended.
    const isOfPage = refusal.code !== "invalid_click_id" || !edge || conversion.fields.clickId !== undefined;
    return refusal.isFinal && isOfPage ? refuse(key, refusal.code, refusal) : wait(conversion, refusal.code, answer);
  };

  const conclude = async (
    key: string,
    conversion: WaitingConversion,
    sent?: Promise<Response>,
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
    const { fields } = conversion;
    try {
      JSON.stringify(fields);
    } catch {
      return refuse(key, "invalid_field", { rule: "the conversion holds a bigint, or an object that holds itself" });
    }
    if (fields.uniqueId === undefined) {
      conversion.fields = { ...fields, uniqueId: await findUniqueId(conversion) };
      conversion.page = undefined;
    }
    // From now on it has its unique id, and nothing of the page's address.
    const { at } = conversion;
    if (!store(key, JSON.stringify({ at, fields: conversion.fields }))) {
      note("storage_blocked");
    } else if (keysOf(OUTBOX).length > MAX_WAITING) {
      remove(key);
      note("outbox_full");
    }
    try {
      return interpret(key, conversion, await send(url, conversion.fields, sent));
    } catch {
      return wait(conversion, "network");
    }
  };

  /** Those of this page that are on their way, and those of others that this page looks after. */
  const busy = new Set<string>();
  const own = async (key: string, conversion: WaitingConversion, sent?: Promise<Response>): Promise<ConvertResult> => {
    busy.add(key);
    const result = await conclude(key, conversion, sent);
    busy.delete(key);
    return result;
  };

  /** One tab after the other sends what an earlier page left. */
  const bring = async (key: string) => {
    busy.add(key);
    const isMine = await exclusively(key, true, async () => {
      const conversion = left.get(key) ?? parseStored(read(key));
      if (conversion === undefined) {
        settle(key);
        note("outbox_expired");
        return;
      }
      left.set(key, conversion);
      await conclude(key, conversion);
    });
    busy.delete(key);
    if (isMine) return;
    note("other_tab");
    setTimeout(resend, OTHER_TAB_MS);
  };

  function resend(): void {
    if (said() !== "granted") return;
    const isDue = (key: string, { due = 0 }: { due?: number } = {}) => !busy.has(key) && due <= Date.now();
    for (const [key, conversion] of conversions) if (isDue(key, conversion)) void own(key, conversion);
    for (const key of keysOf(OUTBOX)) if (!conversions.has(key) && isDue(key, left.get(key))) void bring(key);
  }

  // Where a request dies with its page, the browser's beacon outlives it. It
  // has no answer: the conversion stays, and the next load finds it a duplicate.
  addEventListener("pagehide", () => {
    if (attempt(() => "keepalive" in Request.prototype) || said() !== "granted") return;
    for (const { fields } of conversions.values()) {
      if (fields.uniqueId) attempt(() => navigator.sendBeacon(url, JSON.stringify(fields)));
    }
  });
  document.addEventListener("visibilitychange", resend);
  // After what it was opened for.
  setTimeout(resend);

  return {
    resend,
    conclude: (key, sent) => {
      const conversion = conversions.get(key);
      // Denied meanwhile.
      if (conversion === undefined) return Promise.resolve({ state: "refused", code: "consent_denied" });
      return own(key, conversion, sent);
    },
  };
}

const isTimeout = (error: unknown) => (error as Error | undefined)?.name === "TimeoutError";

/** Waits for the answer of a request, or makes one. Rejects where none comes in time. */
async function send(url: string, fields: PageConversion, sent?: Promise<Response>): Promise<Answer> {
  const answer = async () => readAnswer(await (sent ?? post(url, fields)));
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new DOMException("no answer", "TimeoutError")), ANSWER_MS);
  });
  try {
    return await Promise.race([answer(), late]);
  } catch (error) {
    // Where no answer came in time, another way brings none either.
    if (isTimeout(error)) throw error;
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
      resolve({ status, after: request.getResponseHeader("retry-after"), json: parse(responseText) as Answer["json"] });
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
