/** The tracker: captures and keeps the click id as consent allows. It loads its rarely used parts on demand. */
import { CakeError } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import type { Attached } from "./attach.js";
import { consentOf } from "./consent.js";
import { isOwnId, textOf } from "./conversion.js";
import { decideVisit, type Engine, isRunning, runningEngine, type Visit } from "./engine.js";
import { type Files, load, setBase } from "./load.js";
import { isMissing } from "./missing.js";
import { clickNames, isPlain } from "./names.js";
import { onAddressChange } from "./navigation.js";
import type {
  AttachOptions,
  Consent,
  ConvertResult,
  DecorateOptions,
  PageConversion,
  Reason,
  TrackerOptions,
  WaitingConversion,
} from "./options.js";
import type { Sender } from "./outbox.js";
import { addresses, FRAGMENT, firstRead, pairsOf, withoutMarks } from "./query.js";
import { ANSWER_MS, findOrderUniqueId, isReady, post } from "./send.js";
import { readSettings, SETTING_NAMES, settingsIn } from "./settings.js";
import {
  attempt,
  deleteKept,
  KEY,
  keysOf,
  later,
  now,
  ORDER,
  OUTBOX,
  read,
  readCookies,
  readStores,
  resolve,
  store,
  writeCookie,
} from "./store.js";

/** Keeps the click id and reports conversions. Nothing in it throws into the page. */
export interface Tracker {
  /** The click id that counts, if a click led here. Always absent with `edge: true`: the page cannot see it. */
  readonly clickId: string | undefined;
  /** `js` if WebAssembly is missing or refused. */
  readonly engine: Engine;
  /** Resolves when the click id is known: at once with WebAssembly, otherwise when its fallback is loaded. */
  readonly ready: Promise<void>;
  /**
   * Sets the visitor's answer: `granted`, `denied` or `pending` in any case, `true` or `false`. A yes stores the held
   * click, a no deletes everything. Any other word counts as `pending`, and `onError` is called.
   */
  setConsent(consent: Consent | boolean): void;
  /**
   * Builds a tracking link. If a part breaks a rule, the result is `undefined` and `onError` is called. The first link
   * loads the code; `cake-edge/link` builds links at once.
   */
  link(parts: TrackingLinkParts & TrackingLinkRules): Promise<string | undefined>;
  /** Adds the click id to links and forms that lead to the listed hosts, when they are clicked or submitted. */
  decorate(options: DecorateOptions): void;
  /**
   * Puts the click id into the shop's order, from now on and as consent allows. That is a cart's attribute, a form's
   * field, Stripe's reference or a sandboxed frame's token. Call it once for each.
   */
  attach(options: AttachOptions): void;
  /** Reports a conversion of the kept click to the site's forwarder. Never rejects. */
  convert(conversion: PageConversion): Promise<ConvertResult>;
  /**
   * Stops following the page's addresses, and ends what {@link attach} does. Call it before you make a new tracker, such
   * as in a component that is mounted again. The next tracker sends the conversions that wait, and `convert` still works.
   */
  dispose(): void;
}

/** How long after a landing the outbox is loaded ahead of its use: the page's own files have come by then. */
const AHEAD_MS = 3_000;

/** How long the tracker waits before it loads a missing file again. */
const RELOAD_MS = 20_000;

/**
 * The conversions that the forwarder has not answered for good, with their keys. The page's trackers share them: what a
 * disposed one held for a yes is sent by the next. Nowhere is a `Map` or a `Set` used: pages have scripts of these names.
 */
const conversions: [key: string, conversion: WaitingConversion][] = [];

/** The tracker without a page, such as in server rendering: it knows no click, and does nothing. */
const INERT: Tracker = {
  engine: "js",
  ready: /* @__PURE__ */ Promise.resolve(),
  setConsent() {},
  link: async () => undefined,
  decorate() {},
  attach() {},
  convert: async () => ({ state: "refused", code: "no_page" }),
  dispose() {},
} as Omit<Tracker, "clickId"> as Tracker;

/** Captures the click id of this page's address and keeps it. */
export function createTracker(options?: TrackerOptions): Tracker;
export function createTracker(options?: TrackerOptions, more?: unknown): Tracker {
  if (typeof document === "undefined" || typeof location === "undefined") return INERT;
  return openTracker(readSettings(settingsIn(options)), options, more);
}

/** The same with settings that are read. The names of `source`'s are the site's own, and must be known. */
export function openTracker(options: ReturnType<typeof readSettings>, source?: object | null, more?: unknown): Tracker {
  setBase(options);
  const names = options.parameters ?? clickNames();
  let consent = (options.consent ?? "granted") as Consent; // Read as a word.
  /** The click id that counts; none as long as no core has looked. */
  let clickId: string | undefined;
  /** The kept text in memory. It is the only copy while consent is pending, or while both stores are blocked. */
  let memory = "";
  /** The age of a cookie with that text, in seconds. */
  let age: number;
  /** What the stores held at the last look: where they are empty since then, the visitor has said no elsewhere. */
  let stored = "";
  const note = (reason: Reason | string, ...details: unknown[]) => {
    // A wrong setting or name is always logged: it is the site's mistake, and nobody would notice it otherwise.
    // biome-ignore lint/suspicious/noConsole: what `debug` asks for. A site may have replaced it.
    if (options.debug || /invalid_[sf]/.test(reason)) attempt(() => console.info("cake-edge:", reason, ...details));
  };

  const report = (error: CakeError) => {
    note(error.code, error);
    try {
      options.onError?.(error);
    } catch (unheard) {
      note("on_error_threw", unheard);
    }
  };

  // biome-ignore lint/suspicious/noConfusingVoidType: a `return undefined` would be shipped.
  const quietly = <T>(run: () => T): T | void => {
    try {
      return run();
    } catch (thrown) {
      report(
        // Also of another file, which has a class of its own.
        (thrown as Error | null)?.name === "CakeError"
          ? (thrown as CakeError)
          : new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause: thrown }),
      );
    }
  };

  const refuse = (parameter: string, word: unknown) => void withFile("rare", ({ refuse }) => refuse(parameter, word));

  /** Where conversions go: relative to the page's first address, not to a base element or a router's address. */
  const url = `${resolve(options.endpoint || "/cake") ?? "/cake"}`.replace(/\/*$/, "/conversions");

  /**
   * The visitor's answer. The browser may have answered for the visitor (Global Privacy Control), or another page: no
   * event tells one that was in the back/forward cache, or in another tab, but the stores are empty then. To a page that
   * is only prerendered nobody has said anything: nobody may ever see it.
   */
  const said = (): Consent => {
    if (
      // biome-ignore lint/suspicious/noAssignInExpressions: a block would be shipped.
      (stored && !(stored = readStores())) ||
      (!options.ignoreGlobalPrivacyControl &&
        attempt(() => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl))
    )
      consent = "denied";
    if (consent === "denied") {
      // biome-ignore lint/suspicious/noAssignInExpressions: a statement would be shipped.
      clickId = void (memory = "");
      conversions.length = 0;
    }
    // An element of that name is no answer.
    return (document as { prerendering?: unknown }).prerendering === true ? "pending" : consent;
  };

  let { windowDays = 30, journey = 5, cookieDays = windowDays, cookieDomain } = options;
  /** Asks the core what a visit leaves behind: the text in memory is that then. */
  const keep = (visit: Visit, cookies: string, storage: string) => {
    [age, memory, clickId] = decideVisit(
      [names.join("\x01"), visit[0], cookies, storage],
      [+(options.touch === "first"), windowDays, journey, cookieDays],
      visit[1] / 1_000,
    );
  };

  const put = () => {
    const at = writeCookie(memory, age, cookieDomain);
    // Another site's, or one such as `co.uk`: the browser knows.
    if (at > 0 && cookieDomain) cookieDomain = refuse("cookieDomain", cookieDomain) as undefined;
    return at;
  };

  const write = () => {
    stored = memory;
    if (put() < 0) note("cookie_blocked");
    if (!store(KEY, memory)) note("storage_blocked");
  };

  const lookNow = (visit: Visit) => {
    const answer = said();
    const before = memory;
    if (answer !== "granted") {
      keep(visit, before, before);
      note(`consent_${answer}`);
      return void said();
    }
    const lacks = (store: string) => !store.includes(memory);
    // The cookie is written before localStorage is touched: the first touch of a page may wait for the disk.
    const cookies = readCookies() || before;
    keep(visit, cookies, before);
    if (lacks(cookies)) put();
    // An earlier kept click is not lost: the core decides again with both stores.
    const storage = `${read(KEY) || before}`;
    keep(visit, cookies, storage);
    const isNews = [cookies, storage].some(lacks);
    if (isNews) write();
    stored = readStores();
    if (visit[0] && options.debug) {
      void withFile("rare", ({ noteDecision }) =>
        noteDecision(isNews, clickId as string, visit[0], options.fragment, note),
      );
    }
  };

  /** Functions to call when the click id or consent may have changed. */
  const watchers: (() => void)[] = [];
  const tell = () => {
    // biome-ignore lint/suspicious/useIterableCallbackReturn: a block would be shipped.
    watchers.forEach((watcher) => watcher());
  };

  /**
   * A conversion's fields: ids as text, whatever their type, the kept click, and the unique id that every tab makes of
   * click and order. A given click id counts as in an address: marks around it are left out, and a word for a missing one,
   * such as `undefined`, replaces no kept one. The forwarder refuses by name what is no click id.
   */
  const complete = (fields: PageConversion): PageConversion => {
    findClick();
    const [offer, orderId, given, click] = [fields.offerId, fields.orderId, fields.uniqueId, fields.clickId].map(
      textOf,
    );
    const id = withoutMarks(click as string);
    // Where a kept click is in truth this conversion's own id, the outbox removes it: then the former click counts.
    const kept = [!isMissing(unescape(id)) && id, clickId, id].find((id) => id && !isOwnId(id, [orderId, given]));
    return {
      // An offer that is not written in digits stays as it is, to be refused by name.
      offerId: (/^\d+$/.test(offer as string) ? +(offer as string) : offer) as number,
      uniqueId: given ?? (kept && orderId && findOrderUniqueId(kept, orderId)),
      orderId,
      clickId: kept,
    } as PageConversion;
  };

  /** The click id that counts now: another tab may have kept one since this page looked. */
  const findClick = (): string | undefined => {
    if (isRunning() && !options.edge) quietly(() => lookNow(["", 0]));
    return clickId || undefined;
  };

  /** The last load of the fallback of WebAssembly; it resolves also where that fails. */
  let loading: Promise<unknown> | undefined;

  const look = (address: string, at = now()): void => {
    quietly(() => {
      if (said() === "denied") deleteKept();
      if (options.edge) return note("kept_by_edge");
      // A router's fragment may look like a URL of its own, #/path?reqid=1. A later mark is in a value or behind one.
      const read = address.replace(options.fragment ? /#([^&=?]*\?)?/ : /#.*/, FRAGMENT);
      const visit = pairsOf(read, names, at);
      if (isRunning()) lookNow(visit);
      else void loadCore();
    });
    tell();
  };

  /** Looks at all addresses of the page that had an id, each with its own time. */
  const lookAgain = () => {
    for (const address of Object.keys(addresses)) look(address);
  };

  /**
   * Loads the fallback of WebAssembly where it is needed, and looks at the addresses that wait for it. Nothing where that
   * fails: the next call tries again.
   */
  const loadCore = () =>
    options.edge ||
    isRunning() ||
    // biome-ignore lint/suspicious/noAssignInExpressions: a block would be shipped.
    (loading = withFile("fallback", (fallback) => {
      isRunning(fallback);
      lookAgain();
      return true;
    }));

  /** Calls `use` with a file that is loaded on first use. */
  const withFile = <Name extends keyof Files, T>(name: Name, use: (file: Files[Name]) => T) =>
    load(name).then(
      (file) => quietly(() => use(file)),
      (cause) => {
        report(new CakeError({ code: "network", rule: `${name}.js did not load` }, { cause }));
      },
    );

  /** Are these fields of a plain object, and all known? If not, the error that names the field follows. */
  const areKnown = (given: object, words: string, more: unknown) => {
    return (
      attempt(
        () =>
          isPlain(given) && !isPlain(more) && Object.entries(given).every(([name]) => words.split(" ").includes(name)),
      ) || void withFile("rare", ({ checkNames }) => checkNames(given, words, more))
    );
  };

  /** Keeps this text instead of the kept one. */
  const rewrite = (text: string) => {
    keep(["", 0], text, "");
    // Empty stores would tell other tabs that the visitor has said no. The core reads no click in this text, and no
    // click's text has it.
    age ||= 1e8;
    memory ||= "**";
    write();
    // The addresses of this page may have another.
    lookAgain();
  };

  /** What the files of rare parts use of this tracker. */
  const shared: Attached & Sender = {
    url,
    conversions,
    complete,
    isEdge: options.edge,
    loadCore,
    findClick,
    look,
    rewrite,
    firstRead,
    said,
    note,
    report,
    isMissing,
    withFile,
  };

  const openOutbox = () => load("outbox").then(({ openOutbox }) => openOutbox(shared));

  let timer: ReturnType<typeof later>;
  /** The conversion waits for the network, for the missing file, or for the next page. */
  const offline = ({ missing = "" } = {}): ConvertResult => {
    const code = missing ? "missing_file" : "network";
    note(code + missing);
    clearTimeout(timer);
    timer = later(resume, RELOAD_MS);
    return { state: "queued", code };
  };

  /** Sends what waits. */
  const resume = () => {
    if (said() === "granted" && (conversions[0] || keysOf(OUTBOX)[0])) {
      openOutbox().then((outbox) => outbox.resend(), offline);
    }
  };

  /** What was held goes with what the stores have by now. */
  const lookAnew = () => {
    memory = "";
    lookAgain();
    resume();
  };

  areKnown(source ?? {}, SETTING_NAMES, more);
  for (const pair of options.refused) refuse(...pair);
  quietly(() =>
    onAddressChange(
      (address) => shared.isDisposed || look(address),
      () => {
        resume();
        attempt(() => {
          addEventListener("online", resume);
          addEventListener("prerenderingchange", lookAnew, true);
        });
        // Loaded before it is needed: at the moment of a conversion there may be no network.
        later(() => clickId && openOutbox().catch(offline), AHEAD_MS);
      },
    ),
  );

  return {
    get engine() {
      return runningEngine();
    },
    get ready() {
      return Promise.resolve(loading) as Promise<void>;
    },
    get clickId() {
      return findClick();
    },
    setConsent(word) {
      // A yes brings nothing back that was deleted by a no before.
      said();
      const known = consentOf(word);
      // An unknown word is no consent.
      consent = known ?? "pending";
      if (!known) refuse("consent", word);
      lookAnew();
    },
    link: (parts, more?: unknown) =>
      withFile("link", ({ findLink }) =>
        findLink(parts, more, quietly as <T>(run: () => T) => T | undefined),
      ) as Promise<string | undefined>,
    decorate(how, more?: unknown) {
      void withFile("decorate", ({ decorate }) => decorate(how, shared, more));
    },
    attach(how, more?: unknown) {
      void withFile("attach", ({ attach }) => watchers.push(attach(how, shared, more)));
    },
    dispose() {
      shared.isDisposed = true;
    },
    convert(given, more?: unknown) {
      const convert = async (): Promise<ConvertResult> => {
        if (!areKnown(given, "offerId uniqueId orderId clickId", more)) {
          return { state: "refused", code: "invalid_field" };
        }
        const at = now();
        const key = `${OUTBOX}${at} ${attempt(Math.random)} ${conversions.length}`;
        const isGranted = said() === "granted";
        // Before the visitor's yes nobody knows which click counts: the stores are not read. And a failure in here refuses
        // nothing: then the conversion goes to the outbox as it was given.
        const fields = (isGranted && attempt(() => complete(given))) || { ...given };
        const conversion: WaitingConversion = {
          at,
          fields,
          clickId,
          page: location.href,
        };
        conversions.push([key, conversion]);
        if (isGranted) {
          // First, before anything else can fail.
          if (!attempt(() => store(key, JSON.stringify(conversion)))) note("storage_blocked");
          // Here and not in the outbox: nothing may come between the report and the request. But an order that was
          // reported before goes with the click that it went with then, and that the outbox finds.
          if (isReady(fields) && (fields.clickId || options.edge) && !keysOf(ORDER)[0]) {
            // The outbox handles a failure; here it would only be an unhandled rejection.
            // biome-ignore lint/suspicious/noAssignInExpressions: a block would be shipped.
            attempt(() => (conversion.sent = post(url, fields)).catch(() => undefined));
          }
        }
        return openOutbox().then((outbox) => outbox.conclude(key));
      };
      // Within its 15 seconds.
      return new Promise<ConvertResult>((resolve, reject) => {
        convert().then(resolve, reject);
        later(reject, ANSWER_MS);
      }).catch(offline);
    },
  };
}
