/**
 * The tracker of sandboxed frames and workers, which have no origin, no store of their own, no locks and no
 * WebAssembly. The caller passes the storage. A token of the site's own page names the offer and click of the reported
 * conversion.
 */
import { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
import { type Answer, findAcceptance, livingSince, nextWait, parse, readAnswer, readRefusal } from "./answer.js";
import { consentOf } from "./consent.js";
import { checkNames } from "./names.js";
import type { Consent, ConvertResult } from "./options.js";
import { isPlaceholder } from "./placeholder.js";
import { ANSWER_MS, ENDPOINT } from "./send.js";
import { attempt, KEY, later, now, TOKEN, urlOf } from "./store.js";

/**
 * A store that the caller passes: `localStorage`, `sessionStorage`, or a bridge to a page's store, such as Shopify's
 * `browser.localStorage`. It may answer at once or by a promise. If it rejects or never answers, the tracker works
 * without it.
 */
export interface FrameStorage {
  getItem(key: string): unknown;
  setItem(key: string, text: string): unknown;
  removeItem(key: string): unknown;
}

/** The options of a frame's tracker. */
export interface FrameTrackerOptions {
  /** The address of the site's forwarder, with its origin: `https://shop.example/cake`. */
  readonly endpoint: string;
  /** Keeps waiting conversions for the next frame, and holds the token. @default nothing is kept */
  readonly storage?: FrameStorage | undefined;
  /**
   * The token, or a function that returns it each time it is needed.
   * @default the item `cake_click_token` of {@link storage}, where `tracker.attach({ to: "frame" })` puts it
   */
  readonly token?: string | (() => unknown) | undefined;
  /** The visitor's answer so far. @default "granted" */
  readonly consent?: Consent | boolean | undefined;
  /** Is called with every error, a `CakeError`. */
  readonly onError?: ((error: CakeError) => void) | undefined;
  /** Write to the console why something is not stored or not sent. @default false */
  readonly debug?: boolean | undefined;
}

/** A conversion as a frame reports it. Only signed callers, such as the shop's webhook, may report money. */
export interface FrameConversion {
  /** The transaction's id: the same one never counts twice. Use the same id as the shop's webhook. */
  readonly uniqueId: string | number;
  /** The offer. @default the token's offer; with another one, the conversion waits for a token of that offer */
  readonly offerId?: number | undefined;
  /**
   * The click that the order itself names.
   * @default the token's; with another one, the conversion waits for its token
   */
  readonly clickId?: string | undefined;
  /** Your order reference. A shop's webhook has none: if both report, leave it out. */
  readonly orderId?: string | number | undefined;
}

/** Reports conversions from a frame or worker. Nothing in it throws or rejects. */
export interface FrameTracker {
  /** Reports a conversion; resolves within 15 seconds. */
  convert(conversion: FrameConversion): Promise<ConvertResult>;
  /** Sets the visitor's answer. A yes stores and sends the held conversions; a no deletes everything. */
  setConsent(consent: Consent | boolean): void;
  /** Ends the retries of this frame; `convert` still makes one try. The next frame sends the stored conversions. */
  dispose(): void;
}

interface Fields {
  readonly uniqueId: string;
  readonly offerId?: number | undefined;
  readonly clickId?: string | undefined;
  readonly orderId?: string | undefined;
}

/** A conversion that waits; the store has it without `retryMs` and `result`. */
interface Waiting {
  readonly at: number;
  /** Has it lived its seven days once? */
  readonly again?: boolean;
  fields: Fields;
  retryMs?: number;
  /** The try under way. */
  result?: Promise<ConvertResult> | undefined;
}

const WAITING = `${KEY}_frame`;
const MAX_WAITING = 20;

/** How long to wait for the store: a bridge may never answer. */
const STORE_MS = 1_000;

/** The result if no answer came in time, or none at all. */
const NOTHING: unique symbol = Symbol();

/** The answer in time; {@link NOTHING} if the promise rejects or hangs. */
async function inTime<T>(ask: () => T | Promise<T>, ms = STORE_MS): Promise<T | typeof NOTHING> {
  const late = new Promise<typeof NOTHING>((resolve) => later(() => resolve(NOTHING), ms));
  return Promise.race([(async () => ask())(), late]).catch((): typeof NOTHING => NOTHING);
}

const textOf = (value: unknown) => `${value ?? ""}`.trim() || undefined;

/** The first field that is no text, a placeholder, or no id of its kind; none is sent, and none is left out. */
function findFlaw(given: Partial<FrameConversion>) {
  for (const parameter of ["uniqueId", "orderId", "clickId", "offerId"] as const) {
    const text = attempt(() => `${given[parameter] ?? ""}`.trim());
    if (text === undefined) return { code: "invalid_field", parameter, rule: "must be text" } as const;
    if (!text) continue;
    if (isPlaceholder(text))
      return { code: "placeholder_text", parameter, rule: "stands for a missing value" } as const;
    if (parameter === "clickId" && !/^[\w.:-]{1,128}$/.test(text)) {
      return { code: "invalid_click_id", parameter, rule: "must be 1 to 128 letters, digits and . _ : -" } as const;
    }
    if (parameter === "offerId" && !/^[1-9]\d{0,15}$/.test(text)) {
      return { code: "invalid_id", parameter, rule: "must be a whole number from 1" } as const;
    }
  }
  return undefined;
}

/** The offer and click that a token is bound to; see src/conversion_token.rs. */
function partsOf(token: string): { readonly offerId: number; readonly clickId: string | undefined } {
  const [offerId, clickId] = token.split("!");
  return { offerId: Number(offerId), clickId };
}

/** Opens the tracker of a frame or worker, and sends the conversions that earlier ones left. */
export function createFrameTracker(options: FrameTrackerOptions): FrameTracker;
export function createFrameTracker(options: FrameTrackerOptions, more?: unknown): FrameTracker {
  // A caller may have no types.
  const readable: Partial<FrameTrackerOptions> | undefined = attempt(() => ({ ...options }));
  const { endpoint = "", storage: store, token: asked, consent: said = "granted", debug } = readable ?? {};
  const onError = readable ? readable.onError : attempt(() => options.onError);
  let consent = "granted" as Consent;
  let isDisposed = false;
  let flaw: CakeErrorCode | undefined;
  /** By unique id. */
  const waiting = new Map<string, Waiting>();
  /** Final results, so that no store brings such a conversion back. */
  const settled = new Map<string, ConvertResult>();
  /** The unique id that each token was used for: a token serves no other one. */
  const shown = new Map<string, string>();

  const note = (...words: unknown[]) => {
    // biome-ignore lint/suspicious/noConsole: what `debug` asks for.
    if (debug) console.info("cake-edge:", ...words);
  };
  const report: (error: CakeError) => void = async (error) => {
    note(error.code, error);
    try {
      await onError?.(error);
    } catch (unheard) {
      note("on_error_threw", unheard);
    }
  };
  let url = "";
  try {
    const { href } = urlOf(endpoint) as URL;
    url = ENDPOINT.test(href) ? href.replace(/\/*$/, "/conversions") : "";
  } catch {
    // Named below.
  }
  if (!readable) {
    flaw = "invalid_setting";
    report(new CakeError({ code: flaw, parameter: "options", rule: "cannot be read: a getter threw" }));
  } else if (!url) {
    flaw = "invalid_setting";
    const rule = "must be a whole address such as https://shop.example/cake, without ? or #";
    report(new CakeError({ code: flaw, parameter: "endpoint", rule }));
  }
  try {
    checkNames(options, "endpoint storage token consent onError debug", more);
  } catch (thrown) {
    if (isCakeError(thrown)) report(thrown);
  }
  if (asked && !/string|function/.test(typeof asked)) {
    flaw = "invalid_setting";
    report(new CakeError({ code: flaw, parameter: "token", rule: "must be text, or a function that returns it" }));
  }
  // Without its store a conversion is still told.
  const isStore = attempt(() =>
    (["getItem", "setItem", "removeItem"] as const).every((name) => typeof store?.[name] === "function"),
  );
  const storage = isStore ? store : undefined;
  if (store && !isStore) {
    const rule = "must be a store such as localStorage itself: nothing is kept";
    report(new CakeError({ code: "invalid_setting", parameter: "storage", rule }));
  }
  const say = (word: unknown) => {
    const known = consentOf(word);
    // An unknown word is no consent.
    consent = known ?? "pending";
    if (!known)
      report(
        new CakeError({
          code: "invalid_setting",
          parameter: "consent",
          rule: `does not take "${attempt(() => String(word))}"`,
        }),
      );
  };
  say(said);

  /** The store's work, one task after the other: a list that is read is written before the next read. */
  let work: Promise<unknown> = Promise.resolve();
  const inTurn = (run: () => Promise<unknown>) => {
    work = work.then(run, run);
    return work;
  };

  /** The conversions that earlier frames left. */
  const readLeft = async (): Promise<Waiting[]> => {
    if (!storage) return [];
    const text = await inTime(() => storage.getItem(WAITING));
    if (text === NOTHING) note("storage_blocked");
    const list = parse(`${typeof text === "string" ? text : "[]"}`);
    return (Array.isArray(list) ? list : []).flatMap((each: Partial<Waiting> | null) => {
      const { at, again, fields } = each ?? {};
      const life = livingSince(at, again);
      return life && typeof fields?.uniqueId === "string" && fields.clickId ? { ...life, fields } : [];
    });
  };

  /**
   * Writes the waiting conversions, together with those of other frames. A sale without a known click is not written:
   * the next frame's token may belong to another click.
   */
  const keep = () =>
    inTurn(async () => {
      if (!storage || consent !== "granted") return;
      const others = (await readLeft()).filter(
        ({ fields }) => !waiting.has(fields.uniqueId) && !settled.has(fields.uniqueId),
      );
      const own = [...waiting.values()].filter(({ fields }) => fields.clickId);
      const all = [...others, ...own].map(({ at, again, fields }) => ({ at, again, fields }));
      if (all.length > MAX_WAITING) note("outbox_full");
      const kept = all.slice(-MAX_WAITING);
      // Consent was denied meanwhile.
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

  /** The token; `undefined` if there is none, `null` if that is not known. */
  const findToken = async (): Promise<string | undefined | null> => {
    if (typeof asked === "string") return textOf(asked);
    const ask = typeof asked === "function" ? asked : storage && (() => storage.getItem(TOKEN));
    const token = ask ? await inTime(ask, ask === asked ? ANSWER_MS / 3 : STORE_MS) : undefined;
    if (ask === asked && ask && !/string|undefined/.test(typeof (token ?? undefined))) {
      const rule = token === NOTHING ? "threw, or did not answer in 5 s" : "must return text";
      report(new CakeError({ code: "invalid_setting", parameter: "token", rule }));
      return null;
    }
    return token === NOTHING ? null : typeof token === "string" ? textOf(token) : undefined;
  };

  /** Removes a used or refused token from the store, so that the page gets another one. */
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
    later(() => isDisposed || void bring(entry), nextWait(entry, answer));
    return { state: "queued", code };
  };

  const send = async (token: string, fields: Fields): Promise<Answer | typeof NOTHING> =>
    inTime(async () => {
      // A text body needs no preflight.
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
    if (token === null) return wait(entry, asked ? "no_token" : "storage_blocked");
    // Neither the order nor the page names a click.
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
    // The conversion now belongs to this click, whatever token comes later.
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
    // The conversion was settled or deleted meanwhile.
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

  /** Sends the conversions that wait here, and those that earlier frames left. */
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
    async convert(conversion) {
      let given: Partial<FrameConversion> = {};
      try {
        checkNames(conversion, "uniqueId offerId clickId orderId");
        given = { ...conversion };
      } catch (thrown) {
        const rule = "cannot be read: a getter threw";
        report(isCakeError(thrown) ? thrown : new CakeError({ code: "invalid_field", parameter: "conversion", rule }));
        return { state: "refused", code: "invalid_field" };
      }
      if (flaw) return { state: "refused", code: flaw };
      if (consent === "denied") return { state: "refused", code: "consent_denied" };
      const flawed = findFlaw(given);
      if (flawed) {
        report(new CakeError(flawed));
        return { state: "refused", code: flawed.code };
      }
      const uniqueId = textOf(given.uniqueId);
      const isLossy = Object.values(given).some((id) => typeof id === "number" && Math.abs(id) > 9e15);
      if (uniqueId === undefined || isLossy) {
        const rule = isLossy ? "has lost digits: give ids as text" : "is missing";
        report(new CakeError({ code: "invalid_unique_id", parameter: "uniqueId", rule }));
        return { state: "refused", code: "invalid_unique_id" };
      }
      // The same sale is reported twice: by two events, or by two frames.
      const known = settled.get(uniqueId);
      if (known) return known.state === "accepted" ? { ...known, state: "duplicate" } : known;
      const entry = waiting.get(uniqueId) ?? {
        at: now(),
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
