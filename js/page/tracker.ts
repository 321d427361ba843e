/** The tracker: captures and keeps the click id as consent allows. What is done only now and then is loaded then. */
import { CakeError, isCakeError } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { decide, type Engine, runningEngine } from "./engine.js";
import { buildLink } from "./link.js";
import { load } from "./load.js";
import { onAddressChange } from "./navigation.js";
import type {
  Consent,
  ConvertResult,
  DecorateOptions,
  PageConversion,
  Reason,
  TrackerOptions,
  WaitingConversion,
} from "./options.js";
import type { Outbox } from "./outbox.js";
import { ANSWER_MS, type Answer, findAcceptance, post, uniqueIdOf } from "./send.js";
import { attempt, deleteKept, keysOf, OUTBOX, readKept, remove, store, writeKept } from "./store.js";

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

/** How long after a landing the outbox is loaded, before it is needed: when the page's own files have come. */
const AHEAD_MS = 3_000;

/** How long a file that could not be loaded is left alone. */
const RELOAD_MS = 20_000;

/** Captures the click id of this page's address and keeps it. `errors` are those of the tag. */
export function createTracker(given?: TrackerOptions, errors: readonly CakeError[] = []): Tracker {
  let options: TrackerOptions = given ?? {};
  const { cookieDomain } = options;
  let { consent = "granted" } = options;
  let clickId: string | undefined;
  /** The text that is kept, once more in memory: alone while consent is pending, or both stores are blocked. */
  let memory = "";
  /** The visits while consent was pending. */
  let visits: [address: string, seconds: string][] = [];
  /** The conversions that the forwarder has not answered for good, by their keys. */
  const conversions = new Map<string, WaitingConversion>();

  const note = (reason: Reason | string, ...details: unknown[]) => {
    // A wrong setting is said in any case: it is the site's, and nobody would hear of it.
    // biome-ignore lint/suspicious/noConsole: what `debug` asks for. A site may have emptied it.
    if (options.debug || reason === "invalid_setting") console.info?.("cake-edge:", reason, ...details);
  };

  const report = (error: CakeError) => {
    note(error.code, error);
    try {
      options.onError?.(error);
    } catch (unheard) {
      note("on_error_threw", unheard);
    }
  };

  const quietly = <T>(run: () => T): T | undefined => {
    try {
      return run();
    } catch (thrown) {
      report(
        isCakeError(thrown)
          ? thrown
          : new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause: thrown }),
      );
      return undefined;
    }
  };

  /** Where conversions go: relative to the page's first address, not to a base element or what a router makes of it. */
  const url =
    attempt(() => new URL(options.endpoint || "/cake", location.href).href.replace(/\/*$/, "/conversions")) ??
    (report(new CakeError({ code: "invalid_setting", parameter: "endpoint", rule: "is no path and no URL" })),
    "/cake/conversions");

  /** What the visitor has said; the browser may have said it for him. */
  const said = (): Consent =>
    !options.ignoreGlobalPrivacyControl &&
    attempt(() => (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl)
      ? "denied"
      : consent;

  /** Asks the core what a visit leaves behind: the cookie's age, 0 where nothing is to be written. */
  const keep = (address: string, seconds: string, stored: readonly string[]) => {
    const { searchParams, hash } = new URL(address);
    // A router's fragment may look like a URL of its own: #/path?reqid=1
    const fragment = new URLSearchParams(options.fragment ? hash.replace(/^#([^?]*\?)?/, "") : "");
    // What is longer is no click id and no sub id.
    const find = (name: string) => (searchParams.get(name) ?? fragment.get(name) ?? "").slice(0, 200);
    const { windowDays = 30 } = options;
    const [age = "", counting = "", text = ""] = decide(
      "k",
      options.touch === "first" ? "1" : "0",
      ...[windowDays, options.journey ?? 5, options.cookieDays ?? windowDays].map((number) =>
        Number(number).toString(36),
      ),
      seconds,
      ...stored,
      ...["s1", "s2", "s3", "s4", "s5"].map(find),
      ...(options.parameters ?? DEFAULT_PARAMETERS).flatMap((name) => [name, find(name)]),
    ).split("\n");
    clickId = counting || undefined;
    memory = text;
    return age || "0";
  };

  /** The same by the settings that are fit for use: none is worth a click. */
  const keepBy: typeof keep = (...visit) => {
    try {
      return keep(...visit);
    } catch (error) {
      const { code, parameter } = error as CakeError;
      if (code !== "invalid_setting" || options[parameter as "journey"] === undefined) throw error;
      report(error as CakeError);
      options = { ...options, [parameter as string]: undefined };
      return keepBy(...visit);
    }
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
        if (keepBy(address, seconds, [memory, memory]) !== "0") visits.push([address, seconds]);
      } else {
        const stored = readKept().map((text) => text || memory);
        const age = keepBy(address, seconds, stored);
        if (age !== "0") writeKept(memory, age, cookieDomain).forEach((reason) => void note(reason));
        else note(clickId ? "known_click" : "no_click_id");
      }
    });

  /** Loaded once; and anew where that failed. */
  let opened: Promise<Outbox> | undefined;
  const openOutbox = () => {
    opened ??= load("outbox").then(({ openOutbox }) => {
      // What has waited for this file need not wait for its time.
      setTimeout(resume);
      return openOutbox({ url, conversions, said, note, report, resume });
    });
    opened.catch(() => {
      opened = undefined;
    });
    return opened;
  };

  let timer: ReturnType<typeof setTimeout>;
  /** It waits until there is a network or the missing file, or for the next page. */
  const offline = ({ missing }: { missing?: string } = {}): ConvertResult => {
    const code = missing ? "missing_file" : "network";
    note(code, ...(missing ? [missing, "see data-base"] : []));
    clearTimeout(timer);
    timer = setTimeout(resume, RELOAD_MS);
    return { state: "queued", code };
  };

  const send = async (key: string): Promise<ConvertResult> => {
    const conversion = conversions.get(key);
    let answer: Answer | undefined;
    let failure: unknown;
    if (conversion && said() === "granted") {
      // Before anything else can fail.
      if (!attempt(() => store(key, JSON.stringify(conversion)))) note("storage_blocked");
      // Here and not in the outbox: nothing may come between the report and the request.
      if (conversion.fields.uniqueId) {
        try {
          answer = await post(url, conversion.fields);
        } catch (thrown) {
          failure = thrown ?? "no answer";
        }
        const acceptance = answer && findAcceptance(answer);
        if (acceptance) {
          conversions.delete(key);
          remove(key);
          return acceptance;
        }
      }
    }
    return (await openOutbox()).conclude(key, answer, failure);
  };

  /** What is on its way out at this moment. */
  const sending = new Set<string>();
  const deliver = (key: string): Promise<ConvertResult> => {
    sending.add(key);
    return Promise.race([
      send(key).catch(offline),
      new Promise<void>((resolve) => setTimeout(resolve, ANSWER_MS)),
    ]).then((result) => {
      sending.delete(key);
      return result ?? offline();
    });
  };

  /** Sends what waits, as far as its time has come; and has the outbox at hand before it is needed. */
  const resume = () => {
    if (said() !== "granted") return;
    for (const [key, { due = 0 }] of conversions) {
      if (!sending.has(key) && due <= Date.now()) void deliver(key);
    }
    if (keysOf(OUTBOX).some((key) => !conversions.has(key))) openOutbox().then((outbox) => outbox.resend(), offline);
    if (clickId) setTimeout(() => openOutbox().catch(() => undefined), AHEAD_MS);
  };

  errors.forEach(report);
  onAddressChange(
    (address) => look(address),
    () => {
      resume();
      addEventListener("online", resume);
      document.addEventListener("visibilitychange", resume);
    },
  );

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
      load("decorate").then(({ decorate }) => decorate(how, () => clickId, note), offline);
    },
    convert(given) {
      const converted = quietly(() => {
        const at = Date.now();
        const key = `${OUTBOX}${at} ${Math.random()} ${conversions.size}`;
        const fields = { clickId, ...given };
        const { uniqueId = fields.clickId && fields.orderId && uniqueIdOf(fields.clickId, `${fields.orderId}`) } =
          fields;
        const page = uniqueId ? undefined : location.href.split("#", 1)[0];
        conversions.set(key, { at, page, fields: uniqueId ? { ...fields, uniqueId } : fields });
        return deliver(key);
      });
      return converted ?? Promise.resolve({ state: "refused", code: "invalid_field" });
    },
  };
}
