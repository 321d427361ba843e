/** The tracker: captures and keeps the click id as consent allows. What is done only now and then is loaded then. */
import { CakeError, isCakeError } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { decide, type Engine, runningEngine } from "./engine.js";
import { buildLink } from "./link.js";
import { onAddressChange } from "./navigation.js";
import type {
  Consent,
  ConvertResult,
  DecorateOptions,
  PageConversion,
  Reason,
  StoredConversion,
  TrackerOptions,
} from "./options.js";
import { deleteKept, keysOf, OUTBOX, readKept, store, writeKept } from "./store.js";

/** Keeps the click id and reports conversions. Nothing that it does throws into the page. */
export interface Tracker {
  /** The click id that counts, where a click led here; never with `edge: true`, where the page cannot see it. */
  readonly clickId: string | undefined;
  /** `js` where WebAssembly is missing or refused. */
  readonly engine: Engine;
  /** Says what the visitor has said. What was held is stored, or all is deleted. */
  setConsent(consent: Consent): void;
  /** Builds a tracking link; `undefined`, and a call of `onError`, where a part breaks a rule. */
  link(parts: TrackingLinkParts & TrackingLinkRules): string | undefined;
  /** Adds the click id to links and forms that lead to the listed hosts, when they are clicked or submitted. */
  decorate(options: DecorateOptions): void;
  /** Reports a conversion of the kept click to the site's forwarder. Never rejects. */
  convert(conversion: PageConversion): Promise<ConvertResult>;
}

/** The names under which click ids arrive, as the core's `DEFAULT_PARAMETERS`. */
const DEFAULT_PARAMETERS = "reqid ckm_request_id click_id clickid transaction_id tranid r".split(" ");

/** Captures the click id of this page's address and keeps it. */
export function createTracker(options: TrackerOptions = {}): Tracker {
  const { endpoint = "/cake", windowDays = 30, cookieDomain } = options;
  let { consent = "granted" } = options;
  let clickId: string | undefined;
  /** The text that is kept, once more in memory: alone while consent is pending, or both stores are blocked. */
  let memory = "";
  /** The visits while consent was pending. */
  let visits: [address: string, seconds: string][] = [];
  /** The conversions that the forwarder has not answered for good, by their keys. */
  const conversions = new Map<string, StoredConversion>();

  const note = (reason: Reason | string, ...details: unknown[]) => {
    // biome-ignore lint/suspicious/noConsole: what `debug` asks for.
    if (options.debug) console.debug("cake-edge:", reason, ...details);
  };

  const quietly = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (thrown) {
      const error = isCakeError(thrown)
        ? thrown
        : new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause: thrown });
      note(error.code, error);
      try {
        options.onError?.(error);
      } catch (unheard) {
        note("on_error_threw", unheard);
      }
      return undefined;
    }
  };

  /** What the visitor has said; the browser may have said it for him. */
  const said = (): Consent =>
    !options.ignoreGlobalPrivacyControl && (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl
      ? "denied"
      : consent;

  /** Asks the core what a visit leaves behind: the cookie's age, 0 where nothing is to be written. */
  const keep = (address: string, seconds: string, stored: readonly string[]) => {
    const { searchParams, hash } = new URL(address);
    // A router's fragment may look like a URL of its own: #/path?reqid=1
    const fragment = new URLSearchParams(options.fragment ? hash.replace(/^#([^?]*\?)?/, "") : "");
    // What is longer is no click id and no sub id.
    const find = (name: string) => (searchParams.get(name) ?? fragment.get(name) ?? "").slice(0, 200);
    const [age = "", counting = "", text = ""] = decide(
      "k",
      options.touch === "first" ? "1" : "0",
      ...[windowDays, options.journey ?? 5, options.cookieDays ?? windowDays].map((number) => number.toString(36)),
      seconds,
      ...stored,
      ...["s1", "s2", "s3", "s4", "s5"].map(find),
      ...(options.parameters ?? DEFAULT_PARAMETERS).flatMap((name) => [name, find(name)]),
    ).split("\n");
    clickId = counting || undefined;
    memory = text;
    return age || "0";
  };

  const look = (address: string, seconds = Math.floor(Date.now() / 1_000).toString(36)) =>
    quietly(() => {
      const answer = said();
      if (answer === "denied") {
        clickId = undefined;
        memory = "";
        visits = [];
        conversions.clear();
        deleteKept(cookieDomain);
        note("consent_denied");
      } else if (options.edge) {
        note("kept_by_edge");
      } else if (answer !== "granted") {
        // As in the core, a word that nobody knows is no consent.
        note("consent_pending");
        if (keep(address, seconds, [memory, memory]) !== "0") visits.push([address, seconds]);
      } else {
        const stored = readKept().map((text) => text || memory);
        const age = keep(address, seconds, stored);
        if (age !== "0") writeKept(memory, age, cookieDomain).forEach((reason) => void note(reason));
        else note(clickId ? "known_click" : "no_click_id");
      }
    });

  /** The conversions' code is loaded when there is one to send. */
  const openOutbox = () =>
    import("./outbox.js").then(({ openOutbox }) => openOutbox(`${endpoint}/conversions`, conversions, said, note));
  /** The network is back with the next page, or the next time that this one is looked at. */
  const offline = (): ConvertResult => {
    note("network");
    return { state: "queued", code: "network" };
  };
  const resume = () => {
    if (conversions.size || keysOf(OUTBOX).length) openOutbox().then((outbox) => outbox.resend(), offline);
  };

  onAddressChange((address) => {
    look(address);
    resume();
  });

  return {
    engine: runningEngine(),
    get clickId() {
      return clickId;
    },
    setConsent(now) {
      consent = now;
      if (said() === "granted") {
        memory = "";
        for (const [address, seconds] of visits.splice(0)) look(address, seconds);
      }
      look(location.href);
      resume();
    },
    link: (parts) => quietly(() => buildLink(parts)),
    decorate(how) {
      import("./decorate.js").then(({ decorate }) => decorate(how, () => clickId, note), offline);
    },
    convert(fields) {
      const conversion = { at: Date.now(), page: location.href, fields: { clickId, ...fields } };
      const key = `${OUTBOX}${conversion.at}${Math.random()}`;
      conversions.set(key, conversion);
      // Before anything else can fail.
      if (said() === "granted" && !quietly(() => store(key, JSON.stringify(conversion)))) note("storage_blocked");
      return openOutbox().then((outbox) => outbox.send(key), offline);
    },
  };
}
