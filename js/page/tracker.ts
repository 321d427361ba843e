/** The tracker: captures and keeps the click id as consent allows. What is done only now and then is loaded then. */
import { toCakeError } from "../error.js";
import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { decide, type Engine, runningEngine } from "./engine.js";
import { watch } from "./life.js";
import { buildLink } from "./link.js";
import type { Consent, ConvertResult, DecorateOptions, PageConversion, Reason, TrackerOptions } from "./options.js";
import { deleteKept, keysOf, OUTBOX, readKept, writeKept } from "./store.js";

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

/** A conversion as it waits in localStorage. */
export interface StoredConversion {
  /** When it was reported: milliseconds since 1970. */
  readonly at: number;
  /** Where it was reported, for the unique id of a conversion without order id. */
  readonly page: string;
  readonly fields: PageConversion;
}

/** The most conversions that wait. */
const MOST = 100;

/** The names under which click ids arrive, as the core's `DEFAULT_PARAMETERS`. */
const DEFAULT_PARAMETERS = ["reqid", "ckm_request_id", "click_id", "clickid", "transaction_id", "tranid", "r"];

/** Captures the click id of this page's address and keeps it. */
export function createTracker(options: TrackerOptions = {}): Tracker {
  let consent = options.consent ?? "granted";
  let clickId: string | undefined;
  /** The text as kept in memory: alone while consent is pending, and where both stores are blocked. */
  let memory = "";
  /** What came in while consent was pending. */
  let visits: [address: string, seconds: string][] = [];
  let conversions: StoredConversion[] = [];

  const note = (reason: Reason | string, ...details: unknown[]) => {
    if (options.debug) console.debug("cake-edge:", reason, ...details);
  };

  const fail = (thrown: unknown) => {
    const error = toCakeError(thrown);
    note(error.code, error.message);
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
      fail(thrown);
      return undefined;
    }
  };

  /** What the visitor has said; the browser may have said it for him. */
  const said = (): Consent =>
    !options.ignoreGlobalPrivacyControl && (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl
      ? "denied"
      : consent;

  /** Asks the core what a visit leaves behind: the cookie's age, 0 where nothing is to be written, and the text. */
  const keep = (address: string, seconds: string, stored: readonly string[]) => {
    const { searchParams, hash } = new URL(address);
    const values = [searchParams];
    // A router's fragment may look like a URL of its own: #/path?reqid=1
    if (options.fragment) values.push(new URLSearchParams(hash.replace(/^#([^?]*\?)?/, "")));
    const find = (name: string) => {
      const found = values.map((parameters) => parameters.get(name)).find((value) => value !== null);
      // What is longer is no click id and no sub id.
      return found?.slice(0, 200) ?? "";
    };
    const [age = "", counting = "", text = ""] = decide(
      "k",
      options.policy === "first_touch" ? "1" : "0",
      ...[options.windowDays ?? 30, options.journey ?? 5, options.cookieDays ?? options.windowDays ?? 30].map((number) =>
        number.toString(36),
      ),
      seconds,
      ...stored,
      ...["s1", "s2", "s3", "s4", "s5"].map(find),
      ...(options.parameters ?? DEFAULT_PARAMETERS).flatMap((name) => [name, find(name)]),
    ).split("\n");
    clickId = counting || undefined;
    memory = text;
    return age;
  };

  const look = (address: string, seconds = Math.floor(Date.now() / 1_000).toString(36)) =>
    quietly(() => {
      const answer = said();
      if (answer === "denied") {
        clickId = undefined;
        memory = "";
        visits = [];
        conversions = [];
        deleteKept(options.cookieDomain);
        note("consent_denied");
      } else if (options.edge) {
        note("kept_by_edge");
      } else if (answer === "pending") {
        note("consent_pending");
        if (keep(address, seconds, [memory, memory]) !== "0") visits.push([address, seconds]);
      } else {
        const age = keep(
          address,
          seconds,
          readKept().map((text) => text || memory),
        );
        if (age === "0") note(clickId ? "known_click" : "no_click_id");
        else for (const reason of writeKept(memory, age, options.cookieDomain)) note(reason);
      }
    });

  /** The rest of the conversions' code, loaded when there is one to send. */
  const openOutbox = () =>
    import("./outbox.js").then(({ openOutbox }) =>
      openOutbox(options.endpoint ?? "/cake", note, () => said() === "granted"),
    );
  const resume = () => {
    if (said() === "granted" && keysOf(OUTBOX).length > 0) openOutbox().catch(() => note("network"));
  };

  /** Stores a conversion before anything else can fail, then sends it. */
  const report = async (conversion: StoredConversion): Promise<ConvertResult> => {
    const key = `${OUTBOX}${conversion.at}${Math.random()}`;
    try {
      if (keysOf(OUTBOX).length < MOST) localStorage.setItem(key, JSON.stringify(conversion));
      else note("outbox_full");
    } catch {
      note("storage_blocked");
    }
    try {
      return await (await openOutbox()).send(key, conversion);
    } catch (thrown) {
      // The code itself could not be loaded. What is stored is sent on the next load.
      note("network", thrown);
      return { state: "queued", code: "network" };
    }
  };

  watch((address) => {
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
        const [held, waiting] = [visits, conversions];
        [visits, conversions, memory] = [[], [], ""];
        for (const [address, seconds] of held) look(address, seconds);
        for (const conversion of waiting) void convert(conversion);
      }
      look(location.href);
      resume();
    },
    link: (parts) => quietly(() => buildLink(parts)),
    decorate(how) {
      import("./decorate.js").then(({ decorate }) => decorate(how, () => clickId, note)).catch(fail);
    },
    convert: async (fields) =>
      convert({ at: Date.now(), page: location.href.split("#", 1)[0] ?? "", fields: { clickId, ...fields } }),
  };

  async function convert(conversion: StoredConversion): Promise<ConvertResult> {
    const answer = said();
    if (answer === "granted") return report(conversion);
    const code = `consent_${answer}`;
    note(code);
    if (answer === "denied") return { state: "refused", code };
    conversions.push(conversion);
    return { state: "queued", code };
  }
}
