/**
 * The outbox: keeps conversions that were not accepted at once, and those that earlier pages left in localStorage. It
 * is a file of its own, loaded before or on first use.
 */
import { CakeError, type CakeErrorCode } from "../error.js";
import { type Answer, findAcceptance, livingSince, nextWait, parse, readAnswer, readRefusal } from "./answer.js";
import { isOwnId, textOf } from "./conversion.js";
import { digest } from "./digest.js";
import type { Consent, ConvertResult, PageConversion, Reason, WaitingConversion } from "./options.js";
import { ANSWER_MS, findOrderUniqueId, isReady, MAX_ID, orderOf, post } from "./send.js";
import {
  attempt,
  jar,
  KEY,
  keysOf,
  later,
  now,
  ORDER,
  OUTBOX,
  read,
  readCookies,
  remove,
  store,
  UNIQUE,
  urlOf,
} from "./store.js";

/** The most conversions that wait in localStorage. */
const MAX_WAITING = 100;

/** How long a made unique id and an order's first click are kept: as long as the forwarder remembers a conversion. */
const UNIQUE_MS = 30 * 86_400_000;

/** When another tab's conversions are checked again. */
const OTHER_TAB_MS = 5_000;

/** How long to wait for a lock. */
const LOCK_MS = 1_000;

/**
 * How long tabs wait for each other's unique ids. A cookie shows at once what another tab wrote; localStorage, where
 * cookies are blocked, has taken more than 100 ms on a busy machine.
 */
const SHARING_MS = 250;

/** Until then another tab may decide otherwise about a unique id. */
const SETTLING_MS = 1_000;

/** The part of its tracker that the outbox uses. */
export interface Sender {
  /** This tracker's outbox, after the first call that opens it. */
  outbox?: Outbox;
  readonly url: string;
  /** The conversions of this page, by their keys. */
  readonly conversions: [key: string, conversion: WaitingConversion][];
  /** Is the click id in the cookie of the site's own Worker, where no script sees it? */
  readonly isEdge?: boolean | undefined;
  /** Loads the core where it is missing. Is there one, or is none needed? */
  loadCore(): unknown;
  said(): Consent;
  /** Looks for a click in an address of the past; the time is in milliseconds since 1970. */
  look(address: string, at: number): void;
  /** The fields with the kept click id and the unique id. */
  complete(fields: PageConversion): PageConversion;
  /** When each id was first read. Those of orders that came as click ids become 0. */
  readonly firstRead: Record<string, number>;
  /** Keeps a text instead of the kept one. */
  rewrite(text: string): void;
  note(reason: Reason | string): void;
  /** Reports an error to the site. */
  report(error: CakeError): void;
}

export interface Outbox {
  /** Takes a conversion as far as possible. */
  conclude(key: string): Promise<ConvertResult>;
  /** Sends the conversions whose time has come: this page's, and those that earlier pages left. */
  resend(): void;
}

/** The outbox of a tracker. */
export function openOutbox(sender: Sender): Outbox {
  sender.outbox ??= createOutbox(sender);
  return sender.outbox;
}

function createOutbox(sender: Sender): Outbox {
  const { url, conversions, isEdge, firstRead, rewrite, said, look, loadCore, complete, note, report } = sender;
  let timer: ReturnType<typeof later> | undefined;

  const find = (key: string) => conversions.find(([own]) => own === key);

  const settle = (key: string) => {
    const own = find(key);
    if (own) conversions.splice(conversions.indexOf(own), 1);
    delete known[key];
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
    // The site's forwarder may have another address now: then the tracker's own one is tried.
    if (code === "no_forwarder") conversion.endpoint = undefined;
    if (answer === undefined) {
      // The network may be back at any moment: only this timer delays the next try.
      clearTimeout(timer);
      timer = later(resend, ms);
    } else {
      // Timers may fire slightly early.
      conversion.due = now() + ms - 50;
      later(resend, ms);
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
    // With `edge` the click id is in the site's own cookie, and a wrong one there can be fixed.
    const isOfPage = refusal.code !== "invalid_click_id" || !isEdge || conversion.fields.clickId !== undefined;
    return refusal.isFinal && isOfPage ? refuse(key, refusal.code, refusal) : wait(conversion, refusal.code, answer);
  };

  /** The kept touches, the newest first, after the head of their text. */
  const touches = () => `${read(KEY) || readCookies().split("\x03")[0]}`.split("*");

  /**
   * Reads a cookie whose marks the site's server has encoded, as PHP does when it sets the cookie again. It is the only
   * copy once Safari has removed the others. The fields' own escapes stay.
   */
  const readAgain = () => {
    const cookies = isEdge ? "" : readCookies();
    if (/(^|\W)1%21/.test(cookies) && !complete({} as PageConversion).clickId) {
      rewrite(cookies.replace(/%(21|2a|3a)/gi, unescape));
    }
  };

  /** Removes a kept click that is in truth an id of this order: the former click counts again. */
  const forgetOwn = ({ orderId, uniqueId }: PageConversion) => {
    const all = touches();
    const rest = all.filter((touch) => {
      const id = idOf(touch) ?? "";
      // biome-ignore lint/suspicious/noAssignInExpressions: a block would be shipped.
      return !id || !isOwnId(id, [orderId, uniqueId]) || (firstRead[id] = 0);
    });
    if (rest.length < all.length) rewrite(rest.join("*"));
  };

  /**
   * The fields with the click that counts, unless it came after the conversion: then with the one before. The fields of
   * a conversion that was held have no click yet: which one counts, the stores say.
   */
  const completed = ({ at, skew: was, fields, clickId: held }: WaitingConversion): PageConversion => {
    const present = complete(fields);
    if (present.clickId === fields.clickId) return present;
    // A time ahead of the clock is of a clock that was wrong: no click comes after the present. A click that was kept
    // by a clock a little ahead, less than the conversion has been held, cannot be told from a later one, and a later
    // one must not be paid.
    const isLater = (touch: string, at: number) => {
      const seconds = Number.parseInt(touch, 36);
      return seconds > at / 1_000 && seconds <= now() / 1_000;
    };
    const [, ...all] = touches();
    const before = (at: number) => all.find((touch) => !isLater(touch, at));
    // The time of the report by the present clock, which may have been set since then.
    const real = at + skew() - (was as number);
    if (!all.some((touch) => idOf(touch) === present.clickId && isLater(touch, at))) return present;
    // A time that seems later than the clock said may be that of a device that slept, which stops the other clock. So it
    // counts only where no click is left.
    const clickId = idOf(before(at) ?? before(real) ?? "") ?? (held || undefined);
    return clickId
      ? complete({ ...fields, clickId })
      : ({ ...present, clickId, uniqueId: textOf(fields.uniqueId) } as PageConversion);
  };

  const conclude = async (key: string, conversion: WaitingConversion): Promise<ConvertResult> => {
    const { sent } = conversion;
    conversion.sent = undefined;
    conversion.skew ??= skew();
    known[key] = conversion;
    conversion.endpoint ??= url;
    const consent = said();
    if (consent === "denied") {
      settle(key);
      note("consent_denied");
      return { state: "refused", code: "consent_denied" };
    }
    // As in the core, an unknown word is no consent.
    if (consent !== "granted") {
      note("consent_pending");
      return { state: "queued", code: "consent_pending" };
    }
    // Without the core nobody knows which click counts.
    if (!conversion.fields.clickId && !(await loadCore())) return wait(conversion, "missing_file");
    attempt(readAgain);
    // Its page may have had no core: then the click of that page's address is in no store.
    if (conversion.page && conversion.clickId === undefined) look(conversion.page, conversion.at);
    attempt(() => forgetOwn(conversion.fields));
    // Consent or the core may have come since the report: the stores are read now.
    if (!sent && (find(key) || !conversion.fields.clickId))
      conversion.fields = attempt(() => completed(conversion)) ?? conversion.fields;
    const { fields } = conversion;
    const unreadable = Object.entries(fields).find(([, value]) => attempt(() => `${value}`) === undefined)?.[0];
    if (unreadable) return refuse(key, "invalid_field", { parameter: unreadable, rule: "must be text" });
    if (!/^[1-9]\d*$/.test(`${attempt(() => String(fields.offerId))}`)) {
      return refuse(key, "invalid_id", { parameter: "offerId", rule: "must be a whole number from 1, in digits" });
    }
    const lossy = (["orderId", "uniqueId", "clickId"] as const).find(
      (name) => Number(fields[name]) > 9e15 && typeof fields[name] === "number",
    );
    if (lossy) {
      const rule = "is a number that has lost digits: give it as text";
      return refuse(key, lossy === "clickId" ? "invalid_click_id" : "invalid_unique_id", { parameter: lossy, rule });
    }
    const { offerId, orderId, clickId } = fields;
    const order = ORDER + digest(JSON.stringify([offerId, orderId && orderOf(orderId)]));
    if (clickId && orderId) {
      const first = `${read(order)}`.split(" ")[0];
      if (!first) {
        // Before the answer, which may be lost.
        forgetOld();
        store(order, `${clickId} ${now()}`);
      } else if (!sent) {
        // An order that is reported again counts once: it goes with the click that it first went with.
        const isMade = fields.uniqueId === findOrderUniqueId(clickId, orderId);
        conversion.fields = {
          ...fields,
          clickId: first,
          ...(isMade && { uniqueId: findOrderUniqueId(first, orderId) as string }),
        };
      }
    }
    if (!isReady(conversion.fields)) {
      const { uniqueId = await findUniqueId(conversion, said) } = conversion.fields;
      // A no may have come meanwhile.
      if (said() !== "granted") return conclude(key, conversion);
      conversion.fields = { ...conversion.fields, uniqueId: short(uniqueId), orderId: orderId && short(orderId) };
      conversion.page = undefined;
    }
    // The conversion now has its unique id, and no longer the page's address.
    const { at, again, endpoint } = conversion;
    if (!attempt(() => store(key, JSON.stringify({ at, again, endpoint, fields: conversion.fields })))) {
      note("storage_blocked");
    } else if (keysOf(OUTBOX).length > MAX_WAITING) {
      remove(key);
      note("outbox_full");
    }
    try {
      const result = interpret(key, conversion, await send(endpoint as string, conversion.fields, sent));
      // What was refused did not count: it may go with a later click. An id in conflict has counted.
      if (result.state === "refused" && result.code !== "conversion_conflict") remove(order);
      return result;
    } catch {
      return wait(conversion, "network");
    }
  };

  /** Each is sent once at a time, whoever asks. */
  const concludeOnce = (key: string, conversion: WaitingConversion): Promise<ConvertResult> => {
    busy[key] ??= conclude(key, conversion).finally(() => delete busy[key]);
    return busy[key] as Promise<ConvertResult>;
  };

  /** Only one tab at a time sends a conversion that an earlier page left. */
  const bring = async (key: string) => {
    busy[key] = true;
    const isMine = await exclusively(key, true, async () => {
      const conversion = known[key] ?? parseStored(read(key));
      if (conversion) return void (await conclude(key, conversion));
      settle(key);
      note("outbox_expired");
    });
    delete busy[key];
    if (isMine) return;
    note("other_tab");
    later(resend, OTHER_TAB_MS);
  };

  function resend(): void {
    if (said() !== "granted") return;
    const isDue = (key: string, { due = 0 }: { due?: number } = {}) => !busy[key] && due <= now();
    for (const [key, conversion] of [...conversions]) if (isDue(key, conversion)) void concludeOnce(key, conversion);
    // Firefox gives a page that lies in its back/forward cache the lock, and nobody takes it back.
    if (document.hidden) return;
    for (const key of keysOf(OUTBOX)) if (!find(key) && isDue(key, known[key])) void bring(key);
  }

  // If a request dies with its page, the browser's beacon outlives it. A beacon has no answer: the conversion stays,
  // and the next load finds a duplicate.
  const sendBeacons = () => {
    if (attempt(() => "keepalive" in Request.prototype) || said() !== "granted") return;
    for (const [, { fields }] of conversions) {
      if (fields.uniqueId) attempt(() => navigator.sendBeacon(url, JSON.stringify(fields)));
    }
  };
  attempt(() => addEventListener("pagehide", sendBeacons));
  attempt(() => document.addEventListener("visibilitychange", resend));
  // After the call for which the outbox was opened.
  later(resend);

  return {
    resend,
    conclude: (key) => {
      const conversion = find(key)?.[1];
      // Consent was denied meanwhile.
      if (conversion === undefined) return Promise.resolve({ state: "refused", code: "consent_denied" });
      return concludeOnce(key, conversion);
    },
  };
}

/** The conversions that this page's trackers handle, by their keys: one heeds an answer that another one got. */
const known: Record<string, WaitingConversion> = {};

/** The conversions that are being sent, by any tracker, and those of other pages that this page handles. */
const busy: Record<string, Promise<ConvertResult> | true> = {};

/** How far the clock is from one that nobody sets: a change says that it was set. */
const skew = () => attempt(() => now() - performance.now()) || 0;

/** The click id of a kept touch. */
const idOf = (touch: string) => touch.split("!")[2];

/** An id that is too long for the forwarder travels as its digest: the sale counts more than its id. */
const short = (id: string) => (id[MAX_ID] ? digest(id) : id);

/**
 * Has `fetch` not answered, or was what it sent not understood? Then retries go the other way: a `fetch` of the site's may
 * never settle, or send something else.
 */
let isSilent = false;

/** Waits for the answer of a request, or makes one. Rejects if none comes in time. */
async function send(url: string, fields: PageConversion, sent?: Promise<Response>): Promise<Answer> {
  const answer = async () => readAnswer(await (sent ?? post(url, fields)));
  try {
    if (sent || !isSilent) {
      const late = new Promise<never>((_, reject) => {
        later(() => reject(new DOMException("no answer", "TimeoutError")), ANSWER_MS);
      });
      const found = await Promise.race([answer(), late]);
      isSilent = found.status === 400;
      return found;
    }
  } catch (error) {
    isSilent = (error as Error | undefined)?.name === "TimeoutError";
    // No time is left for the other way.
    if (isSilent) throw error;
  }
  return postOtherwise(url, JSON.stringify(fields));
}

/**
 * Posts when `fetch` does not: it is missing, replaced by something that fails, or over its limit. The limit is 64 KiB
 * for all `keepalive` requests of a page together.
 */
function postOtherwise(url: string, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    let request: XMLHttpRequest;
    try {
      request = new XMLHttpRequest();
    } catch (error) {
      // A beacon has no answer: the conversion stays, and the next load finds a duplicate.
      navigator.sendBeacon(url, body);
      throw error;
    }
    request.open("POST", url);
    request.timeout = ANSWER_MS;
    request.onload = () => {
      const { status, responseText } = request;
      const isRedirected = request.responseURL !== urlOf(url, location.href)?.href;
      resolve({
        status,
        after: request.getResponseHeader("retry-after"),
        json: parse(responseText) as Answer["json"],
        isRedirected,
      });
    };
    request.onerror = request.ontimeout = request.onabort = reject;
    // As text, like fetch.
    request.send(body);
  });
}

/**
 * Runs while no other tab runs under this name. With `ifFree` it gives up if another tab has the lock, and returns
 * `false`. Without locks, or if they refuse or never answer, it runs anyway.
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
  await Promise.race([locked, new Promise((resolve) => later(resolve, LOCK_MS))]);
  if (isTaken) return false;
  await start();
  return true;
}

/** A stored conversion; absent if it is too old or unreadable. */
function parseStored(text: string): WaitingConversion | undefined {
  const stored = parse(text) as Partial<WaitingConversion> | null | undefined;
  const { at, again, page, endpoint, fields, clickId } = stored ?? {};
  const life = livingSince(at, again);
  return life && typeof fields === "object" && fields !== null
    ? { ...life, page, endpoint, fields, clickId }
    : undefined;
}

/**
 * The caller's unique id, or one for this offer, click and order. With a click id it is a digest: every tab and every
 * reload has the same one, without a store or a lock. Without one, such as with `edge`, it is a random id that this
 * browser keeps.
 */
async function findUniqueId({ fields, page }: WaitingConversion, said: Sender["said"]): Promise<string> {
  const { uniqueId, offerId, clickId, orderId } = fields;
  if (uniqueId !== undefined) return uniqueId;
  const [own, place] = orderId ? [orderOf(orderId), ""] : ["", page?.split("#")[0]];
  const order = digest(JSON.stringify([offerId, clickId ?? "", place, own]));
  if (clickId !== undefined) return order;
  const key = UNIQUE + order;
  const name = `${KEY}_${order}=`;
  // The cookie's text comes first: it is the newer one.
  const find = () => {
    const cookies = attempt(() => Reflect.get(jar(), "cookie", document));
    return new RegExp(`${name}([0-9a-f]{32}).(\\d+)`).exec(`${cookies} ${name}${read(key) || made[key]}`) ?? [];
  };
  const share = (text: string, seconds: number) => {
    const cookie = `${name}${text.replace(" ", ".")}; Path=/; Max-Age=${seconds}; SameSite=Lax`;
    attempt(() => Reflect.set(jar(), "cookie", cookie, document));
    made[key] = text;
    store(key, text);
  };
  await exclusively(key, false, async () => {
    forgetOld();
    const random = `${attempt(Math.random)} ${attempt(() => crypto.getRandomValues(new Uint32Array(4)))}`;
    const own = `${digest(`${random} ${now()}`)} ${now()}`;
    // A no may have come meanwhile. It is asked first: nothing slow may stand between a look and its writing.
    if (said() === "granted" && !find()[1]) share(own, 3);
    // Without locks, as on http, the last of several tabs decides for all. A tab that has found an id may have found
    // the one of a tab before.
    const [, id, at] = find();
    if (now() - Number(at) < SETTLING_MS) {
      made[key] = `${id} ${at}`;
      await new Promise((resolve) => later(resolve, SHARING_MS));
      if (said() === "granted") share(`${find()[1]} ${at}`, 0);
    }
  });
  return find()[1] as string;
}

/** Removes old unique ids and orders' clicks, also those from a clock that was ahead. */
function forgetOld(): void {
  for (const key of [...keysOf(UNIQUE), ...keysOf(ORDER)]) {
    if (!(Math.abs(now() - Number(`${read(key)}`.split(" ")[1])) < UNIQUE_MS)) remove(key);
  }
}

/** Unique ids made in this page, with their times, in case they cannot be stored. */
const made: Record<string, string> = {};
