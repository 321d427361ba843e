/**
 * `cake-edge doctor --browser`: takes an installed browser through a visitor's visit, and reports PASS, FAIL or UNKNOWN
 * for each step. Every conversion is answered here, and reaches no server.
 */
import { randomUUID } from "node:crypto";
import { type Chrome, findChrome, startChrome } from "./chrome.js";
import { type Kept, Tab, type TabOptions, type Visit } from "./tab.js";
import { whenAskedToStop } from "./usage.js";

/** A step of the visit. */
export interface Finding {
  readonly name: string;
  readonly status: "PASS" | "FAIL" | "UNKNOWN";
  /** The finding. */
  readonly found: string;
  /** The advice, unless the step has passed. */
  readonly advice?: string;
}

/** The options of a visit. */
export interface BrowserOptions {
  /** The landing page. */
  readonly url: URL;
  /** The page that reports the conversion. */
  readonly thankYou: URL | undefined;
  /** The banner's buttons, as CSS selectors. */
  readonly consentClick: string | undefined;
  readonly consentReject: string | undefined;
  /** More names of the click id's parameter. */
  readonly parameters: readonly string[];
  /** The path of the browser's program. */
  readonly chromium: string | undefined;
  /** The time limit for loading each page, in milliseconds. */
  readonly loadMs: number;
}

/** The default names of a click id's parameter: those of `src/click_id.rs`. */
const PARAMETERS = ["reqid", "ckm_request_id", "click_id", "clickid"];
/** Other names in use, but not by default. */
const MORE_PARAMETERS = ["transaction_id", "tranid"];
/** The time limit of a visit's steps, in milliseconds. */
const STEP_MS = 60_000;
const ALL_MS = 180_000;
/** The time limit for keeping a click, in milliseconds. */
const KEEP_MS = 5_000;
/** When the tracker of a bundle loads its outbox: 3 s after the page. */
const OUTBOX_MS = 3_300;
const CONVERT_MS = 4_000;
/** The tag's files, loaded on demand from its folder. */
const FILES = ["outbox.js", "fallback.js", "decorate.js", "link.js"];

const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };
const NO_STORAGE = `Object.defineProperty(window, "localStorage", { configurable: true, get() { throw new DOMException("refused", "SecurityError") } })`;
const PRIVACY: TabOptions = {
  script: `Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { configurable: true, get: () => true })`,
  headers: { "Sec-GPC": "1" },
};
const CONSENT_ADVICE =
  "Name the banner's buttons: --consent-click SELECTOR for yes, --consent-reject SELECTOR for no, as CSS selectors.";
const TAG = `<script async src="/js/cake-edge.js" data-endpoint="/cake"></script>`;

/** A conversion that a page has sent, and that was answered here. */
interface Conversion {
  readonly url: string;
  readonly fields: { readonly clickId?: unknown; readonly offerId?: unknown; readonly uniqueId?: unknown };
}

/** The page's tag, if it has one. */
interface Tag {
  /** The script's address. */
  readonly src: string;
  readonly isOpen: boolean;
  readonly base: string;
  readonly endpoint: string;
  readonly parameters: string;
  readonly isInline: boolean;
}

/** Visits the site, and always ends the browser. */
export async function examineInBrowser(options: BrowserOptions): Promise<Finding[]> {
  // At its end the process removes the browser and its profile.
  whenAskedToStop(() => process.exit(130));
  const program = findChrome(options.chromium);
  const browsers = await startBrowsers(program);
  try {
    return await visitSite(browsers, options);
  } finally {
    await browsers.close();
  }
}

/** A browser with default settings, and one that blocks cookies. */
export interface Browsers {
  readonly plain: Chrome;
  readonly blocked: Chrome;
  close(): Promise<void>;
}

/** Starts both; if one does not start, neither is left running. */
export async function startBrowsers(program: string): Promise<Browsers> {
  const [plain, blocked] = await Promise.allSettled([startChrome(program), startChrome(program, BLOCKED)]);
  const close = async () => {
    await Promise.all([plain, blocked].map((each) => each.status === "fulfilled" && each.value.close()));
  };
  if (plain.status === "fulfilled" && blocked.status === "fulfilled") {
    return { plain: plain.value, blocked: blocked.value, close };
  }
  await close();
  throw plain.status === "rejected" ? plain.reason : (blocked as PromiseRejectedResult).reason;
}

/** Makes the visit in running browsers, one visit at a time. */
export async function visitSite(browsers: Browsers, options: BrowserOptions): Promise<Finding[]> {
  const journey = new Journey(options);
  const { isOver, cancel } = limitOf(ALL_MS);
  try {
    await Promise.race([journey.make(browsers), isOver]);
    return journey.findings(browsers.plain.version);
  } finally {
    cancel();
    journey.end();
  }
}

/** A time limit that passes unless it is cancelled. */
function limitOf(ms: number): { isOver: Promise<undefined>; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isOver = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  return { isOver, cancel: () => clearTimeout(timer) };
}

/** The steps, in the order of the report. */
const STEPS = [
  "page",
  "redirect",
  "tracker",
  "files",
  "policy",
  "landing",
  "parameters",
  "consent_later",
  "consent_no",
  "consent_yes",
  "reload",
  "second_landing",
  "thank_you",
  "thank_you_reload",
  "endpoint",
  "blocked_cookies",
  "blocked_storage",
  "privacy_control",
  "cookie_cache",
] as const;
type Step = (typeof STEPS)[number];
/** Steps that are reported only if there is a finding. */
const SILENT: readonly Step[] = ["redirect", "thank_you_reload"];

class Journey {
  readonly #options: BrowserOptions;
  readonly #findings = new Map<Step, Finding>();
  readonly #conversions: Conversion[] = [];
  readonly #stops: (() => void)[] = [];
  /** CAKE's own pixels, held back. */
  #pixels = 0;
  #tag: Tag | undefined;
  #hasTracker = false;
  #hasBanner = false;
  #hasNo = false;
  #isKept = false;
  #endpoint: URL | undefined;
  /** Errors that the page throws even without a click. */
  #usualErrors: readonly string[] = [];

  constructor(options: BrowserOptions) {
    this.#options = options;
  }

  /** The findings; a step that was not reached is unknown. */
  findings(version: string): Finding[] {
    const steps = STEPS.filter((name) => this.#findings.has(name) || !SILENT.includes(name));
    const unknown = (name: Step): Finding => ({
      name,
      status: "UNKNOWN",
      found: "the visit did not come this far",
      advice: "Mend what failed above, then examine again.",
    });
    const browser: Finding = {
      name: "browser",
      status: "PASS",
      found: `${version.replace("/", " ")}; conversions are answered here, and nothing real is sent`,
    };
    return [browser, ...steps.map((name) => this.#findings.get(name) ?? unknown(name))];
  }

  /** Ignores everything from now on. */
  end(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async make({ plain: chrome, blocked }: Browsers): Promise<void> {
    await Promise.all([this.#holdBack(chrome), this.#holdBack(blocked)]);
    const isThere = await this.#withTab(chrome, {}, "page", (tab) => this.#visit(tab));
    if (isThere !== true) return;
    await Promise.all([
      this.#withTab(chrome, {}, "consent_no", (tab) => this.#refuse(tab)),
      this.#withTab(chrome, PRIVACY, "privacy_control", (tab) => this.#signal(tab)),
      this.#withTab(chrome, { script: NO_STORAGE }, "blocked_storage", (tab) => this.#visitWithoutStorage(tab)),
      this.#withTab(blocked, {}, "blocked_cookies", (tab) => this.#visitBlocked(tab)),
    ]);
  }

  #pass(name: Step, found: string): void {
    this.#findings.set(name, { name, status: "PASS", found });
  }
  #fail(name: Step, found: string, advice: string): void {
    this.#findings.set(name, { name, status: "FAIL", found, advice });
  }
  #unknown(name: Step, found: string, advice: string): void {
    this.#findings.set(name, { name, status: "UNKNOWN", found, advice });
  }

  /** Runs steps in a tab of their own; if the browser fails, they stay unknown. */
  async #withTab<T>(
    chrome: Chrome,
    options: TabOptions,
    step: Step,
    run: (tab: Tab) => Promise<T>,
  ): Promise<T | undefined> {
    let tab: Tab | undefined;
    const { isOver, cancel } = limitOf(step === "page" ? ALL_MS : STEP_MS);
    try {
      tab = await Tab.open(chrome, options, this.#options.loadMs);
      return await Promise.race([run(tab), isOver]);
    } catch (error) {
      if (!this.#findings.has(step)) {
        this.#unknown(step, `the browser went astray: ${(error as Error).message}`, "Examine again.");
      }
      return undefined;
    } finally {
      cancel();
      await tab?.close();
    }
  }

  /** Answers conversions and CAKE's pixels in place of the network, from any sender: pages, frames, workers. */
  async #holdBack(chrome: Chrome): Promise<void> {
    const stop = chrome.listen(({ method, params }) => {
      if (method !== "Fetch.requestPaused") return;
      const { requestId, request } = params;
      const { pathname } = new URL(request.url);
      const isPixel = /\/p\.ashx$/i.test(pathname);
      const isConversion = /\/conversions\/?$/.test(pathname) && /^(POST|OPTIONS)$/.test(request.method);
      if (isPixel) this.#pixels += 1;
      if (isConversion && request.method === "POST") this.#take(request.url, postedBy(request));
      const origin = Object.entries(request.headers).find(([name]) => name.toLowerCase() === "origin")?.[1] ?? "*";
      const answer = isConversion
        ? {
            responseCode: request.method === "POST" ? 202 : 204,
            responseHeaders: [
              { name: "content-type", value: "application/json" },
              { name: "access-control-allow-origin", value: String(origin) },
              { name: "access-control-allow-headers", value: "content-type" },
            ],
            body: Buffer.from(`{"id":"cake-edge-doctor","duplicate":false,"state":"pending"}`).toString("base64"),
          }
        : { responseCode: 204 };
      const isOurs = isPixel || isConversion;
      chrome
        .send(isOurs ? "Fetch.fulfillRequest" : "Fetch.continueRequest", { requestId, ...(isOurs && answer) })
        .catch(() => undefined);
    });
    this.#stops.push(stop);
    await chrome.send("Fetch.enable", {
      patterns: [{ urlPattern: "*/conversions*" }, { urlPattern: "*/p.ashx*" }, { urlPattern: "*/P.ASHX*" }],
    });
  }

  #take(url: string, body: string): void {
    try {
      const fields = JSON.parse(body) as unknown;
      if (typeof fields === "object" && fields !== null && "offerId" in fields) this.#conversions.push({ url, fields });
    } catch {
      // Another site's request with that name.
    }
  }

  /** A landing page's address with a made-up click id under each name, and the ids by their names. */
  #landing(names: readonly string[]): { url: string; ids: Map<string, string> } {
    const url = new URL(this.#options.url);
    for (const name of [...url.searchParams.keys()]) {
      if (this.#candidates().some((each) => each.toLowerCase() === name.toLowerCase())) url.searchParams.delete(name);
    }
    const ids = new Map(names.map((name) => [name, `cake-edge-doctor-${randomUUID().slice(0, 18)}`]));
    for (const [name, id] of ids) url.searchParams.set(name, id);
    return { url: url.href, ids };
  }

  #candidates(): string[] {
    const own = this.#tag?.parameters.match(/[^\s,]+/g) ?? [];
    return [...new Set([...this.#options.parameters, ...own, ...PARAMETERS, ...MORE_PARAMETERS])];
  }

  /** The main visit. `true` if there is a page with cake-edge on it. */
  async #visit(tab: Tab): Promise<boolean> {
    const landing = this.#landing(this.#candidates());
    let visit = await tab.goto(landing.url);
    if (!this.#tellPage(visit)) return false;
    if ((await tab.evaluate<number>("1")) !== 1) {
      const found = `${where(visit.url)} does not answer: a script of its own keeps the browser busy`;
      this.#fail(
        "page",
        found,
        "Find the script that does not end in the browser's developer tools, under Performance.",
      );
      return false;
    }
    this.#tag = await findTag(tab);
    let ids = landing.ids;
    const own = (this.#tag?.parameters.match(/[^\s,]+/g) ?? []).filter((name) => !ids.has(name));
    if (own.length > 0) {
      // The tag has parameter names of its own: land again, with these.
      const again = this.#landing(this.#candidates());
      ids = again.ids;
      visit = await tab.goto(again.url);
    }
    const early = await keptOf(tab, ids, this.#tag ? 500 : 1_000);
    const [hasYes, hasNo] = [
      await tab.answer("yes", this.#options.consentClick, false),
      await tab.answer("no", this.#options.consentReject, false),
    ];
    this.#hasBanner = hasYes || hasNo;
    this.#hasNo = hasNo;
    await this.#tellLater(tab, ids, early);
    const isClicked = hasYes && (await tab.answer("yes", this.#options.consentClick, true));
    const kept = await keptOf(tab, ids, isClicked ? KEEP_MS : 0);
    this.#isKept = kept !== undefined;
    this.#hasTracker =
      this.#isKept || this.#tag?.isOpen === true || tab.trackerUrl !== undefined || (await tab.kept()).length > 0;
    this.#usualErrors = tab.errors.map(({ text }) => text);
    this.#tellTracker(tab);
    await this.#tellLanding(tab, visit, kept, isClicked, ids);
    await this.#knock(tab);
    if (kept !== undefined) await this.#keepOn(tab, kept.id);
    await this.#tellEndpoint(tab);
    await this.#tellFiles(tab);
    this.#tellPolicy(tab);
    this.#tellCache(tab);
    if (kept !== undefined) await this.#tellParameters(tab, kept.name);
    return this.#hasTracker;
  }

  #tellPage({ url, status, from, failure }: Visit): boolean {
    if (failure !== undefined) {
      const advice = /CERT|SSL/.test(failure)
        ? "Install the whole chain of certificates, for this very host."
        : "Check the address, and that the site answers from this machine.";
      this.#fail("page", `${where(this.#options.url.href)} does not open: ${failure}`, advice);
      return false;
    }
    if (status >= 400) {
      this.#fail("page", `${where(url)} answers with status ${status}`, "Give --browser a landing page that opens.");
      return false;
    }
    this.#pass("page", `${where(url)} opens`);
    if (from.length === 0) return true;
    if (/cake-edge-doctor-/.test(url)) this.#pass("redirect", `it leads on to ${where(url)} with the click id`);
    else {
      // An answer on the way may have set the cookie: then nothing is lost.
      const advice = "Let the redirect keep the query, or capture before it: without the click id nothing can be kept.";
      this.#fail("redirect", `it leads on to ${where(url)} and drops the click id`, advice);
    }
    return true;
  }

  /** The visitor has not answered yet. */
  async #tellLater(tab: Tab, ids: ReadonlyMap<string, string>, early: KeptClick | undefined): Promise<void> {
    if (!this.#hasBanner) {
      const found = early ? "the site asks nothing, and keeps the click at once" : "no consent banner was found";
      this.#unknown("consent_later", found, `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`);
      return;
    }
    const later = early ?? (await tab.reload().then(() => keptOf(tab, ids, 500)));
    if (later === undefined) {
      this.#pass("consent_later", "nothing is kept while the banner waits, also after a reload");
      return;
    }
    const advice = later.isOfServer
      ? "Give the capture consent as a function of the request: `pending` until the banner's cookie says yes."
      : `Start the tracker with consent "pending", and call tracker.setConsent("granted") from the banner's callback.`;
    this.#fail("consent_later", `the click is kept before the visitor has answered, in ${later.where}`, advice);
  }

  #tellTracker(tab: Tab): void {
    const tag = this.#tag;
    if (tag?.isOpen) this.#pass("tracker", `the tag runs, from ${where(tag.src)}`);
    else if (tab.trackerUrl !== undefined)
      this.#pass("tracker", `a script has the tracker in it: ${where(tab.trackerUrl)}`);
    else if (tab.setCookies.length > 0 || this.#isKept)
      this.#pass("tracker", "the site's server keeps clicks, in a signed cookie");
    else if (tag !== undefined) {
      const failed = tab.failedScripts.find(({ url }) => url === tag.src);
      const isRefused = tab.violations.some(({ url }) => url === tag.src);
      const why = isRefused ? "the page's policy refuses it" : (failed?.why ?? "it throws, or something holds it back");
      this.#fail(
        "tracker",
        `the tag is in the page and does not run: ${where(tag.src)}: ${why}`,
        "Copy node_modules/cake-edge/dist/page/*.js to where the tag's src leads, and let the page's policy allow it.",
      );
    } else {
      this.#fail(
        "tracker",
        "no cake-edge was found: no tag, no script with a tracker in it, no click cookie",
        `Copy node_modules/cake-edge/dist/page/*.js to the site's /js/, and paste this into the page: ${TAG}`,
      );
    }
  }

  async #tellLanding(
    tab: Tab,
    visit: Visit,
    kept: KeptClick | undefined,
    isClicked: boolean,
    ids: ReadonlyMap<string, string>,
  ): Promise<void> {
    const isKeptOnTheWay = kept !== undefined && this.#findings.get("redirect")?.status === "FAIL";
    if (isKeptOnTheWay)
      this.#pass("redirect", `it leads on to ${where(visit.url)}, and the click was kept before that`);
    if (kept !== undefined) {
      this.#pass("landing", `the click is kept under ${kept.name}, in ${kept.where}`);
      if (isClicked) this.#pass("consent_yes", "after yes the click of the landing is kept");
      else if (this.#hasBanner) this.#unknown("consent_yes", "no button for yes was found", CONSENT_ADVICE);
      else
        this.#unknown(
          "consent_yes",
          "no consent banner was found",
          `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`,
        );
      return;
    }
    const others = (await tab.kept()).find(({ text }) => ![...ids.values()].some((id) => text.includes(id)));
    if (others !== undefined) {
      const found = `${others.where} keeps the click of somebody else`;
      this.#fail("landing", found, "See that no cache hands out an answer that sets the cookie: private, no-store.");
    } else if (isClicked) {
      const advice = `Call tracker.setConsent("granted") from the banner's callback.`;
      this.#fail("consent_yes", "after yes no click is kept", advice);
      this.#fail("landing", "the click is not kept, though the visitor has agreed", advice);
    } else if (this.#findings.get("redirect")?.status === "FAIL") {
      this.#fail("landing", "no click id arrives at the page", "Mend the redirect first.");
    } else if (this.#hasTracker) {
      this.#unknown("landing", "the click is not kept: the tracker may wait for an answer to a banner", CONSENT_ADVICE);
      this.#unknown("consent_yes", "no consent banner was found that could be clicked", CONSENT_ADVICE);
    } else {
      this.#fail("landing", "nobody keeps the click", "Mend what failed above.");
    }
  }

  /** The steps after a kept click: a reload, a landing without a click id, the page that converts. */
  async #keepOn(tab: Tab, id: string): Promise<void> {
    const still = async () => (await tab.kept()).some(({ text }) => text.includes(id));
    const lost = "See that nothing else deletes cookies and localStorage, and that the banner's answer is remembered.";
    await tab.reload();
    if (await still()) this.#pass("reload", "the click is still kept");
    else this.#fail("reload", "the click is lost by a reload", lost);
    const begin = Date.now();
    await tab.goto(this.#landing([]).url);
    if (await still()) this.#pass("second_landing", "a landing without a click id leaves the click as it is");
    else this.#fail("second_landing", "the click is lost by a landing without a click id", lost);
    if (this.#options.thankYou === undefined) {
      // A missing file of a bundle shows only when the tracker loads it.
      if (!this.#tag && tab.trackerUrl) await pause(OUTBOX_MS - (Date.now() - begin));
      this.#unknown("thank_you", "no page that converts was given", "Give --thank-you URL; nothing real is sent.");
      return;
    }
    await this.#convert(tab, this.#options.thankYou, id);
  }

  async #convert(tab: Tab, thankYou: URL, id: string): Promise<void> {
    const isPage = `location.pathname === ${JSON.stringify(thankYou.pathname)}`;
    const visit = await tab.goto(thankYou.href);
    const conversion = await this.#nextConversion(0);
    const advice =
      "Call tracker.convert({ offerId, orderId }) on this page, after consent; debug: true says in the console why nothing is sent.";
    if (visit.failure !== undefined || visit.status >= 400) {
      const why = visit.failure ?? `status ${visit.status}`;
      this.#fail("thank_you", `${where(thankYou.href)} does not open: ${why}`, "Give --thank-you a page that opens.");
      return;
    }
    if (conversion === undefined) {
      if ((await tab.evaluate<boolean>(isPage)) === false) {
        const found = `${where(thankYou.href)} leads on to ${where(visit.url)}, and nothing converts`;
        this.#unknown("thank_you", found, "Give --thank-you the page of an order that exists.");
      } else if (this.#pixels > 0) {
        const found = "CAKE's own pixel fires (it was held back), and no conversion of cake-edge's";
        this.#unknown("thank_you", found, advice);
      } else this.#fail("thank_you", "the page sends no conversion", advice);
      return;
    }
    const { url, fields } = conversion;
    this.#endpoint = new URL(url.replace(/\/conversions\/?(\?.*)?$/, "/"));
    const hasServerCookie = (await tab.kept()).some(({ text, isOfServer }) => isOfServer && text.includes(id));
    if (fields.clickId !== id && !hasServerCookie) {
      const found = fields.clickId === undefined ? "no click id" : "another click id than the kept one";
      this.#fail(
        "thank_you",
        `the conversion has ${found}`,
        "Leave clickId out of convert: the tracker knows the kept one.",
      );
      return;
    }
    const sent = `a conversion of offer ${String(fields.offerId)} with the kept click id goes to ${where(url)}`;
    this.#pass("thank_you", `${sent}; it was answered here`);
    const before = this.#conversions.length;
    await tab.reload();
    const again = await this.#nextConversion(before, 1_500);
    if (again === undefined) this.#pass("thank_you_reload", "a reload converts nothing");
    else if (again.fields.uniqueId === fields.uniqueId) {
      this.#pass("thank_you_reload", "a reload has the same unique id, and counts once");
    } else {
      const advice = "Give convert the order's own id as orderId, the same on each load.";
      this.#fail("thank_you_reload", "a reload converts a second time, under another unique id", advice);
    }
  }

  async #nextConversion(after: number, limitMs = CONVERT_MS): Promise<Conversion | undefined> {
    return until(limitMs, async () => this.#conversions[after]);
  }

  /** Is there a forwarder, and does the page's policy allow requests to it? */
  async #tellEndpoint(tab: Tab): Promise<void> {
    await this.#knock(tab);
    if (this.#endpoint === undefined) {
      const advice = "Give --thank-you URL: its conversion shows the address. Or examine it with doctor --forwarder.";
      this.#unknown("endpoint", "where conversions go was not seen", advice);
      return;
    }
    const health = new URL("health", this.#endpoint).href;
    const { status, body } = await tab.ask(health);
    const place = where(this.#endpoint.href);
    if (status === 200 && body.trim() === "ok") this.#pass("endpoint", `a forwarder answers at ${place}`);
    else {
      const found = `no forwarder answers at ${place} (${status === 0 ? "nobody is there" : `status ${status}`})`;
      const advice =
        status >= 500
          ? "See the log of the server there: a secret is missing, or the configuration is wrong."
          : "Check the endpoint and the Worker's route: it covers the whole path, such as /cake/*.";
      this.#fail("endpoint", found, advice);
    }
  }

  /** A policy's refusal shows only when the page itself asks: on the landing page, and on the page that converts. */
  async #knock(tab: Tab): Promise<void> {
    if (this.#tag?.isOpen) this.#endpoint ??= new URL(`${this.#tag.endpoint.replace(/\/$/, "")}/`, this.#options.url);
    if (this.#endpoint === undefined) return;
    const health = new URL("health", this.#endpoint).href;
    await tab.evaluate(`fetch(${JSON.stringify(health)}, { mode: "no-cors" }).then(() => true, () => false)`);
    await tab.settle();
  }

  async #tellFiles(tab: Tab): Promise<void> {
    const tag = this.#tag;
    const lacking: string[] = tab.failedScripts.flatMap(({ url, why, isOurs }) =>
      isOurs || /\/(outbox|decorate|fallback)\b[^/]*\.m?js/.test(url) ? `${where(url)}: ${why}` : [],
    );
    if (tag?.isOpen) {
      const answers = await Promise.all(
        FILES.map(async (file) => {
          const url = new URL(`${tag.base.replace(/\/?$/, "/")}${file}`, this.#options.url).href;
          const { status, type } = await tab.ask(url);
          if (status === 200 && !/html/i.test(type)) return [];
          return `${where(url)}: ${status === 200 ? "what comes is an HTML page" : `status ${status}`}`;
        }),
      );
      lacking.push(...answers.flat());
    }
    const missing = [...new Set(lacking.map((each) => each.replace(/: net::\S+$/, ": status 0")))];
    if (missing.length > 0) {
      const advice = tag?.isOpen
        ? "Copy all of node_modules/cake-edge/dist/page/*.js beside cake-edge.js, or say with data-base where they are."
        : "Deploy every file of the bundle, and keep those of earlier versions for pages that are open.";
      this.#fail("files", `missing: ${missing.join("; ")}`, advice);
    } else if (tag?.isOpen) this.#pass("files", `${FILES.join(", ")} are beside the tag`);
    else if (tab.trackerUrl !== undefined) this.#pass("files", "every script that the tracker asked for has come");
    else
      this.#unknown("files", "no tracker runs in the page", "Where the site's server alone keeps clicks, all is well.");
  }

  #tellPolicy(tab: Tab): void {
    const isTracker = (url: string) =>
      url !== "" &&
      (url === this.#tag?.src || url === tab.trackerUrl || /cake-edge|\/(outbox|fallback|decorate)\b/.test(url));
    const endpoint = this.#endpoint?.href;
    const script = tab.violations.find(({ directive, url }) => directive.startsWith("script-src") && isTracker(url));
    const connect = tab.violations.find(({ directive, url }) => {
      return directive.startsWith("connect-src") && endpoint?.startsWith(url.replace(/\/health$/, "/"));
    });
    const isInline = tab.violations.some(({ kind }) => kind === "kInlineViolation") && this.#tag?.isInline === true;
    const isWasm = tab.violations.some(({ kind }) => /wasm/i.test(kind));
    if (script) {
      this.#fail(
        "policy",
        `script-src refuses ${where(script.url)}`,
        "Add its origin to script-src: 'self' for the site's own.",
      );
    } else if (connect) {
      const advice = "Add the endpoint's origin to connect-src: 'self' for a path of the site's own.";
      this.#fail("policy", `connect-src refuses ${where(connect.url)}: no conversion can leave the page`, advice);
    } else if (isInline) {
      const advice = "Move the inline script that calls cakeEdge into a file, or give it the policy's nonce.";
      this.#fail("policy", "script-src refuses inline scripts, and the page calls cakeEdge in one", advice);
    } else if (isWasm) {
      this.#pass("policy", "it refuses WebAssembly: the tracker runs the same core as plain JavaScript");
    } else this.#pass("policy", "no content security policy is in the tracker's way");
  }

  #tellCache(tab: Tab): void {
    const shared = tab.setCookies.find(({ headers }) => {
      const rules = headers["cache-control"] ?? "";
      const isHit =
        /\bhit\b/i.test([headers["cf-cache-status"], headers["x-cache"]].join(" ")) || Number(headers["age"]) > 0;
      return isHit || !/\b(no-store|private)\b/i.test(rules);
    });
    if (shared) {
      const rules = shared.headers["cache-control"] ?? "no Cache-Control";
      this.#fail(
        "cookie_cache",
        `${where(shared.url)} sets a click cookie, and a cache may keep the answer (${rules})`,
        "Send Cache-Control: private, no-store beside the cookie, and see that nothing sets it after the capture.",
      );
    } else if (tab.setCookies.length > 0) this.#pass("cookie_cache", "no cache keeps the answer that sets the cookie");
    else this.#pass("cookie_cache", "no answer sets a click cookie: there is nothing to keep out of caches");
  }

  /** Each name by itself: a landing with only that name, after the visitor has agreed. */
  async #tellParameters(tab: Tab, preferred: string): Promise<void> {
    const taken = [preferred];
    for (const name of this.#candidates()) {
      if (name === preferred) continue;
      await tab.forgetClick();
      const { url, ids } = this.#landing([name]);
      await tab.goto(url, { hasToSettle: false });
      if (await keptOf(tab, ids, 700)) taken.push(name);
    }
    const wanted = this.#options.parameters.filter((name) => !taken.includes(name));
    if (wanted.length > 0) {
      const advice = "Name it in the option parameters, of the tracker and of the capture.";
      this.#fail("parameters", `${wanted.join(", ")} is not taken for a click id`, advice);
    } else this.#pass("parameters", `taken for a click id: ${taken.join(", ")}`);
  }

  async #refuse(tab: Tab): Promise<void> {
    if (!this.#hasBanner) {
      const advice = `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`;
      this.#unknown("consent_no", "no consent banner was found", advice);
      return;
    }
    const { url, ids } = this.#landing(this.#candidates());
    await tab.goto(url);
    await until(this.#hasNo ? KEEP_MS : 0, () => tab.answer("no", this.#options.consentReject, false));
    if (!(await tab.answer("no", this.#options.consentReject, true))) {
      this.#unknown("consent_no", "no button for no was found", CONSENT_ADVICE);
      return;
    }
    await tab.settle();
    const isKept = (await keptOf(tab, ids, 0)) ?? (await tab.reload().then(() => keptOf(tab, ids, 500)));
    if (isKept === undefined) this.#pass("consent_no", "after no nothing is kept, also after a reload");
    else {
      const advice = `Call tracker.setConsent("denied") from the banner's callback: it deletes what is kept.`;
      this.#fail("consent_no", `after no the click is kept, in ${isKept.where}`, advice);
    }
  }

  async #signal(tab: Tab): Promise<void> {
    if (!this.#isKept) {
      this.#unknown("privacy_control", "no visit keeps a click", "Mend what failed above, then examine again.");
      return;
    }
    const ids = await this.#land(tab);
    const kept = await keptOf(tab, ids, 1_000);
    if (kept === undefined) this.#pass("privacy_control", "with Global Privacy Control nothing is kept");
    else {
      const advice = "Leave ignoreGlobalPrivacyControl out, unless law and counsel allow it.";
      this.#fail("privacy_control", `with Global Privacy Control the click is kept, in ${kept.where}`, advice);
    }
  }

  async #visitWithoutStorage(tab: Tab): Promise<void> {
    if (!this.#isKept) {
      this.#unknown("blocked_storage", "no visit keeps a click", "Mend what failed above, then examine again.");
      return;
    }
    const ids = await this.#land(tab);
    const kept = await keptOf(tab, ids, 2_000);
    if (kept !== undefined)
      this.#pass("blocked_storage", `where localStorage throws, the click is kept in ${kept.where}`);
    else {
      const advice = "Let the site's own scripts catch what localStorage throws: one of them stops the page.";
      this.#fail("blocked_storage", `where localStorage throws, the click is not kept${this.#newError(tab)}`, advice);
    }
  }

  async #visitBlocked(tab: Tab): Promise<void> {
    const ids = await this.#land(tab);
    const isBlocked = await tab.evaluate<boolean>(`(() => { try { return !localStorage } catch { return true } })()`);
    if (isBlocked !== true || (await tab.kept()).length > 0) {
      this.#unknown(
        "blocked_cookies",
        "this browser could not be made to block cookies",
        "Try another with --chromium PATH.",
      );
      return;
    }
    const advice = "Let the site's own scripts catch what cookies and localStorage throw: one of them stops the page.";
    if (this.#tag?.isOpen) {
      const clickId = await tab.evaluate<string>(
        `new Promise((resolve) => window.cakeEdge(({ clickId }) => resolve(clickId ?? "")))`,
      );
      // While a banner waits, the tracker may still report the click it holds.
      if (clickId !== undefined && [...ids.values()].includes(clickId)) {
        this.#pass("blocked_cookies", "where the browser blocks cookies, the click lives as long as the page");
      } else
        this.#fail(
          "blocked_cookies",
          `where the browser blocks cookies, the tracker has no click${this.#newError(tab)}`,
          advice,
        );
      return;
    }
    const error = this.#newError(tab);
    const isOfTracker = tab.errors.some(({ url }) => url !== "" && url === tab.trackerUrl);
    if (error === "")
      this.#pass("blocked_cookies", "where the browser blocks cookies, the page works without an error");
    else if (isOfTracker || tab.trackerUrl === undefined) {
      this.#fail("blocked_cookies", `where the browser blocks cookies, the page throws${error}`, advice);
    } else {
      // A bundle's tracker cannot be asked from outside.
      const found = `where the browser blocks cookies, a script beside the tracker's throws${error}`;
      this.#unknown("blocked_cookies", found, advice);
    }
  }

  /** Lands as a visitor who agrees. */
  async #land(tab: Tab): Promise<ReadonlyMap<string, string>> {
    const { url, ids } = this.#landing(this.#candidates());
    await tab.goto(url);
    if (this.#hasBanner && (await tab.answer("yes", this.#options.consentClick, true))) await tab.settle();
    return ids;
  }

  /** An uncaught error that a plain visit does not have; empty if there is none. */
  #newError(tab: Tab): string {
    const error = tab.errors.find(({ text }) => !this.#usualErrors.includes(text));
    return error === undefined ? "" : `: ${error.text.slice(0, 120)}`;
  }
}

/** A kept click, and the name of the parameter that brought it. */
interface KeptClick extends Kept {
  readonly id: string;
  readonly name: string;
}

/** Waits until one of the ids is kept. */
function keptOf(tab: Tab, ids: ReadonlyMap<string, string>, limitMs: number): Promise<KeptClick | undefined> {
  return until(limitMs, async () => {
    const all = await tab.kept();
    for (const [name, id] of ids) {
      const kept = all.filter(({ text }) => text.includes(id));
      const [first] = kept;
      if (first) return { ...first, where: list(kept.map(({ where }) => where)), name, id };
    }
    return undefined;
  });
}

/** The first result that is neither `undefined` nor `false`, within a time limit. */
async function until<T>(limitMs: number, find: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= end) return undefined;
    await pause(100);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** The page's tag, whether it runs or not. Its settings are read in the tag's order of sources. */
function findTag(tab: Tab): Promise<Tag | undefined> {
  return tab.evaluate<Tag>(`(() => {
    const isOpen = window.cakeEdge?.isOpen === true;
    const script = document.querySelector("script[src*=cake-edge]") ?? (isOpen ? document.querySelector("script[data-endpoint]") : null);
    if (!script && !isOpen) return undefined;
    const src = script?.src ?? "";
    const query = src ? Object.fromEntries(new URL(src).searchParams) : {};
    const plain = (name) => name.replace(/^data-|[-_]/g, "").toLowerCase();
    const setting = (name) => [window.cakeEdge?.options, { ...script?.dataset }, query]
      .flatMap((source) => Object.entries(source ?? {})).find(([given]) => plain(given) === name)?.[1];
    const inline = [...document.scripts].some(({ src, textContent }) => !src && /cakeEdge\\s*\\(/.test(textContent));
    return {
      src: src || location.href,
      isOpen,
      base: new URL(setting("base") ?? src.replace(/\\/[^/?]*(\\?.*)?$/, ""), document.baseURI).href,
      endpoint: String(setting("endpoint") ?? "/cake"),
      parameters: String(setting("parameters") ?? ""),
      isInline: inline,
    };
  })()`);
}

function postedBy({
  postData,
  postDataEntries,
}: {
  postData?: string;
  postDataEntries?: { bytes?: string }[];
}): string {
  return postData ?? Buffer.from(postDataEntries?.map(({ bytes = "" }) => bytes).join("") ?? "", "base64").toString();
}

/** An address without its query, which may be private. */
function where(url: string): string {
  if (!URL.canParse(url)) return "the page";
  const { origin, pathname } = new URL(url);
  return origin === "null" ? "the page" : origin + pathname;
}

function list(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
