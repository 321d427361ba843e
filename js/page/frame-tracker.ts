/**
 * The tracker of sandboxed frames and workers: no origin, no store of their own, no locks, no WebAssembly. Storage is
 * handed in, and a token of the site's own page says for which offer and click it reports.
 */
import { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
import { type Answer, findAcceptance, LIFE_MS, nextWait, parse, readAnswer, readRefusal } from "./answer.js";
import { consentOf } from "./consent.js";
import { checkNames } from "./names.js";
import type { Consent, ConvertResult } from "./options.js";
import { ANSWER_MS } from "./send.js";
import { KEY, TOKEN } from "./store.js";

/**
 * A store that is handed in: `localStorage`, `sessionStorage`, or a bridge to a page's, such as Shopify's
 * `browser.localStorage`. It may answer at once or by a promise; where it rejects or never answers, the tracker goes
 * without.
 */
export interface FrameStorage {
  getItem(key: string): unknown;
  setItem(key: string, text: string): unknown;
  removeItem(key: string): unknown;
}

/** How a frame's tracker is set up. */
export interface FrameTrackerOptions {
  /** Where the site's forwarder answers, with its origin: `https://shop.example/cake`. */
  readonly endpoint: string;
  /** Keeps what waits for the next frame, and has the token. @default nothing is kept */
  readonly storage?: FrameStorage | undefined;
  /**
   * The token, or what brings it each time that it is needed.
   * @default the item `cake_click_token` of {@link storage}, where `tracker.attach({ to: "frame" })` puts it
   */
  readonly token?: string | (() => unknown) | undefined;
  /** What the visitor has said so far. @default "granted" */
  readonly consent?: Consent | boolean | undefined;
  /** Hears of every error, a `CakeError`. */
  readonly onError?: ((error: CakeError) => void) | undefined;
  /** Says in the console why something is not stored or not sent. @default false */
  readonly debug?: boolean | undefined;
}

/** A conversion as a frame reports it. Money is taken from signed callers alone, such as the shop's webhook. */
export interface FrameConversion {
  /** The transaction's id: the same one never counts twice. Give the one that the shop's webhook has. */
  readonly uniqueId: string | number;
  /** The offer. @default the token's; another one waits for its token */
  readonly offerId?: number | undefined;
  /** The click that the order itself names. @default the token's; another one waits for its token */
  readonly clickId?: string | undefined;
  /** Your order reference. A shop's webhook has none: where both report, leave it out. */
  readonly orderId?: string | number | undefined;
}

/** Reports conversions out of a frame or worker. Nothing that it does throws or rejects. */
export interface FrameTracker {
  /** Reports a conversion; resolves within 15 seconds. */
  convert(conversion: FrameConversion): Promise<ConvertResult>;
  /** Says what the visitor has said. What was held is stored and sent, or all is deleted. */
  setConsent(consent: Consent | boolean): void;
  /** Ends the tries of this frame; `convert` still makes one. What is stored is sent by the next frame. */
  dispose(): void;
}

interface Fields {
  readonly uniqueId: string;
  readonly offerId?: number | undefined;
  readonly clickId?: string | undefined;
  readonly orderId?: string | undefined;
}

/** A conversion as it waits; in the store without `retryMs` and `result`. */
interface Waiting {
  readonly at: number;
  fields: Fields;
  retryMs?: number;
  /** The try under way. */
  result?: Promise<ConvertResult> | undefined;
}

const WAITING = `${KEY}_frame`;
const MAX_WAITING = 20;

/** How long the store is waited for: a bridge may never answer. */
const STORE_MS = 1_000;

/** Is brought where there was no answer in time, or none at all. */
const NOTHING: unique symbol = Symbol();

/** What comes in time; a promise that rejects or hangs brings {@link NOTHING}. */
async function inTime<T>(ask: () => T | Promise<T>, ms = STORE_MS): Promise<T | typeof NOTHING> {
  const late = new Promise<typeof NOTHING>((resolve) => setTimeout(() => resolve(NOTHING), ms));
  return Promise.race([(async () => ask())(), late]).catch((): typeof NOTHING => NOTHING);
}

const textOf = (value: unknown) => `${value ?? ""}`.trim() || undefined;

/** What a token is bound to; see src/conversion_token.rs. */
function partsOf(token: string): { readonly offerId: number; readonly clickId: string | undefined } {
  const [offerId, clickId] = token.split("!");
  return { offerId: Number(offerId), clickId };
}

/** Opens the tracker of a frame or worker, and sends what earlier ones have left. */
export function createFrameTracker(options: FrameTrackerOptions): FrameTracker {
  // Somebody may call without types.
  const { endpoint, storage, token: asked, consent: said = "granted", onError, debug } = options ?? {};
  let consent = "granted" as Consent;
  let isDisposed = false;
  let flaw: CakeErrorCode | undefined;
  /** By unique id. */
  const waiting = new Map<string, Waiting>();
  /** What was answered for good, so that no store brings it back. */
  const settled = new Map<string, ConvertResult>();
  /** Which unique id a token was shown for: it serves no other one. */
  const shown = new Map<string, string>();

  const note = (...words: unknown[]) => {
    // biome-ignore lint/suspicious/noConsole: what `debug` asks for.
    if (debug) console.info("cake-edge:", ...words);
  };
  const report = (error: CakeError) => {
    note(error.code, error);
    try {
      onError?.(error);
    } catch (unheard) {
      note("on_error_threw", unheard);
    }
  };
  let url = "";
  try {
    url = new URL(endpoint).href.replace(/\/*$/, "/conversions");
  } catch {
    // Named below.
  }
  if (!/^https?:/.test(url)) {
    flaw = "invalid_setting";
    const rule = "must be a whole address such as https://shop.example/cake";
    report(new CakeError({ code: flaw, parameter: "endpoint", rule }));
  }
  try {
    checkNames(options, "endpoint storage token consent onError debug");
  } catch (thrown) {
    if (isCakeError(thrown)) report(thrown);
  }
  const say = (word: unknown) => {
    const known = consentOf(word);
    // A word that nobody knows is no consent.
    consent = known ?? "pending";
    if (!known)
      report(new CakeError({ code: "invalid_setting", parameter: "consent", rule: `does not take "${word}"` }));
  };
  say(said);

  /** The store's work, one after the other: a list that is read is written before it is read again. */
  let work: Promise<unknown> = Promise.resolve();
  const inTurn = (run: () => Promise<unknown>) => {
    work = work.then(run, run);
    return work;
  };

  /** What earlier frames have left. */
  const readLeft = async (): Promise<Waiting[]> => {
    if (!storage) return [];
    const text = await inTime(() => storage.getItem(WAITING));
    if (text === NOTHING) note("storage_blocked");
    const list = parse(`${typeof text === "string" ? text : "[]"}`);
    const now = Date.now();
    return (Array.isArray(list) ? list : []).flatMap((each: Partial<Waiting> | null) => {
      const { at, fields } = each ?? {};
      const isGood =
        typeof at === "number" && at > now - LIFE_MS && typeof fields?.uniqueId === "string" && fields.clickId;
      // A clock that was wrong once makes nothing immortal.
      return isGood ? { at: Math.min(at, now), fields } : [];
    });
  };

  /**
   * Writes what waits, with what other frames have written meanwhile. A sale whose click is not known yet is not written:
   * the next frame's token may be another click's.
   */
  const keep = () =>
    inTurn(async () => {
      if (!storage || consent !== "granted") return;
      const others = (await readLeft()).filter(
        ({ fields }) => !waiting.has(fields.uniqueId) && !settled.has(fields.uniqueId),
      );
      const own = [...waiting.values()].filter(({ fields }) => fields.clickId);
      const all = [...others, ...own].map(({ at, fields }) => ({ at, fields }));
      if (all.length > MAX_WAITING) note("outbox_full");
      const kept = all.slice(-MAX_WAITING);
      // Denied meanwhile.
      if (consent !== "granted") return;
      const written = await inTime(() =>
        kept[0] ? storage.setItem(WAITING, JSON.stringify(kept)) : storage.removeItem(WAITING),
      );
      if (written === NOTHING) note("storage_blocked");
    });

  const forget = () =>
    inTurn(async () => {
      if (storage) for (const key of [WAITING, TOKEN]) await inTime(() => storage.removeItem(key));
    });

  /** The token; `undefined` where there is none, `null` where that is not known. */
  const findToken = async (): Promise<string | undefined | null> => {
    if (typeof asked === "string") return textOf(asked);
    const ask = typeof asked === "function" ? asked : storage && (() => storage.getItem(TOKEN));
    const token = ask ? await inTime(ask, ask === asked ? ANSWER_MS / 3 : STORE_MS) : undefined;
    return token === NOTHING ? null : typeof token === "string" ? textOf(token) : undefined;
  };

  /** A token that was used or refused is taken out of the store, so that the page gets another one. */
  const spend = (token: string) =>
    inTurn(async () => {
      if (!storage || asked !== undefined) return;
      if ((await inTime(() => storage.getItem(TOKEN))) === token) await inTime(() => storage.removeItem(TOKEN));
    });

  const settle = (uniqueId: string, result: ConvertResult): ConvertResult => {
    waiting.delete(uniqueId);
    settled.set(uniqueId, result);
    void keep();
    return result;
  };

  const refuseFor = (uniqueId: string, code: string, rule: unknown, parameter?: unknown): ConvertResult => {
    report(
      new CakeError({
        code: code as CakeErrorCode,
        rule: typeof rule === "string" ? rule : `breaks the rule ${code}`,
        ...(typeof parameter === "string" ? { parameter } : {}),
      }),
    );
    return settle(uniqueId, { state: "refused", code });
  };

  const wait = (entry: Waiting, code: string, answer?: Answer): ConvertResult => {
    note(code);
    setTimeout(() => isDisposed || void bring(entry), nextWait(entry, answer));
    return { state: "queued", code };
  };

  const send = async (token: string, fields: Fields): Promise<Answer | typeof NOTHING> =>
    inTime(async () => {
      // A text needs no preflight.
      const body = JSON.stringify({ token, conversion: fields });
      const answered = await fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" });
      return readAnswer(answered);
    }, ANSWER_MS);

  const conclude = async (entry: Waiting): Promise<ConvertResult> => {
    const { fields } = entry;
    const { uniqueId } = fields;
    if (consent === "pending") return { state: "queued", code: "consent_pending" };
    const token = await findToken();
    if (consent === "denied" || waiting.get(uniqueId) !== entry) return { state: "refused", code: "consent_denied" };
    if (token === null) return wait(entry, "storage_blocked");
    // Neither the order nor the page knows of a click.
    if (token === undefined && !fields.clickId) {
      note("no_click_id");
      return settle(uniqueId, { state: "refused", code: "no_click_id" });
    }
    const { offerId, clickId } = partsOf(token ?? "");
    const isOther =
      (fields.clickId ?? clickId) !== clickId ||
      (fields.offerId ?? offerId) !== offerId ||
      (token !== undefined && (shown.get(token) ?? uniqueId) !== uniqueId);
    if (token === undefined || isOther) return wait(entry, "no_token");
    shown.set(token, uniqueId);
    // From now on it is of this click, whatever token comes later.
    entry.fields = { ...fields, offerId, clickId };
    void keep();
    const answer = await send(token, entry.fields);
    if (answer === NOTHING) return wait(entry, "network");
    const acceptance = findAcceptance(answer);
    if (acceptance) {
      void spend(token);
      return settle(uniqueId, acceptance);
    }
    const { code, isFinal, rule, parameter } = readRefusal(answer);
    if (isFinal || code.startsWith("token_")) void spend(token);
    return isFinal ? refuseFor(uniqueId, code, rule, parameter) : wait(entry, code, answer);
  };

  function bring(entry: Waiting): Promise<ConvertResult> {
    // Settled or forgotten meanwhile.
    const { uniqueId } = entry.fields;
    if (waiting.get(uniqueId) !== entry) {
      return Promise.resolve(settled.get(uniqueId) ?? { state: "refused", code: "consent_denied" });
    }
    entry.result ??= conclude(entry)
      .catch(() => wait(entry, "network"))
      .finally(() => {
        entry.result = undefined;
      });
    return entry.result;
  }

  /** Sends what waits here, and what earlier frames have left. */
  const resume = async () => {
    if (flaw || isDisposed || consent !== "granted") return;
    for (const entry of waiting.values()) void bring(entry);
    for (const left of await readLeft()) {
      const { uniqueId } = left.fields;
      if (waiting.has(uniqueId) || settled.has(uniqueId) || consent !== "granted") continue;
      waiting.set(uniqueId, left);
      void bring(left);
    }
    if (waiting.size > 0) void keep();
  };

  if (consent === "denied") void forget();
  else void resume().catch(() => undefined);

  return {
    async convert(given) {
      try {
        checkNames(given, "uniqueId offerId clickId orderId");
      } catch (thrown) {
        if (isCakeError(thrown)) report(thrown);
        return { state: "refused", code: "invalid_field" };
      }
      if (flaw) return { state: "refused", code: flaw };
      if (consent === "denied") return { state: "refused", code: "consent_denied" };
      const uniqueId = textOf(given?.uniqueId);
      const isLossy = Object.values(given ?? {}).some((id) => typeof id === "number" && Math.abs(id) > 9e15);
      if (uniqueId === undefined || isLossy) {
        const rule = isLossy ? "has lost digits: give ids as text" : "is missing";
        report(new CakeError({ code: "invalid_unique_id", parameter: "uniqueId", rule }));
        return { state: "refused", code: "invalid_unique_id" };
      }
      // The same sale is told twice: by two events, by two frames.
      const known = settled.get(uniqueId);
      if (known) return known.state === "accepted" ? { ...known, state: "duplicate" } : known;
      const entry = waiting.get(uniqueId) ?? {
        at: Date.now(),
        fields: {
          uniqueId,
          offerId: Number(given.offerId) || undefined,
          clickId: textOf(given.clickId),
          orderId: textOf(given.orderId),
        },
      };
      waiting.set(uniqueId, entry);
      const result = bring(entry);
      void keep();
      const answered = await inTime(() => result, ANSWER_MS + 2 * STORE_MS);
      return answered === NOTHING ? { state: "queued", code: "network" } : answered;
    },
    setConsent(word) {
      say(word);
      if (consent === "denied") {
        waiting.clear();
        void forget();
      } else void resume().catch(() => undefined);
    },
    dispose() {
      isDisposed = true;
    },
  };
}
