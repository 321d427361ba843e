/**
 * `npx cake-edge doctor`: examines a deployment from outside, check by check, each with its advice. Sends no
 * conversion.
 */
import { type CakeClient, createCakeClient, dayRange, findClick, isCakeError } from "../entry/edge.inline.js";
import { type Answer, ask } from "./ask.js";
import { type BrowserOptions, examineInBrowser, type Finding } from "./browser.js";
import { SIGNED_COOKIES } from "./click-cookies.js";
import { type OptionValues, readArgs, UsageError } from "./usage.js";

export const DOCTOR_USAGE = `Usage: cake-edge doctor [options]
       cake-edge doctor --browser URL [options]

Examines a deployment: one line for each check, with advice where a check has not passed. It converts nothing. The API
key comes from the environment, CAKE_API_KEY, or with --key-stdin from standard input: arguments show in process lists.

  --base-url URL      your CAKE domain, such as https://yourdomain.cakemarketing.com
  --key-stdin         read the API key from standard input
  --offer ID          the offer that you convert for
  --click ID          a click id of one of your links, to ask CAKE about
  --forwarder URL     your forwarder, such as https://shop.example/cake
  --origin ORIGIN     the origin of pages that convert, such as https://shop.example
  --site URL          a landing page behind the edge capture
  --json              one JSON object instead of lines

With --browser an installed Chromium, Chrome or Edge visits the site as a visitor would. Conversions are answered here:

  --browser URL              a landing page, such as http://localhost:3000
  --thank-you URL            the page that converts; a path is one of the same site
  --consent-click SELECTOR   the consent banner's button for yes, as a CSS selector
  --consent-reject SELECTOR  the one for no
  --parameter NAME           another name of the click id's parameter; may be repeated
  --timeout SECONDS          how long a page may load (15)
  --chromium PATH            the browser's program (CHROME_PATH, else the usual places)

Documentation: node_modules/cake-edge/docs/doctor.md`;

/** One check. */
interface Check {
  readonly name: string;
  readonly status: "ok" | "failed" | "skipped";
  /** The finding. */
  readonly found: string;
  /** The advice, unless all is well. */
  readonly advice?: string;
}

interface Options {
  readonly baseUrl: string | undefined;
  readonly offerId: number | undefined;
  readonly clickId: string | undefined;
  readonly forwarder: URL | undefined;
  readonly origin: string | undefined;
  readonly site: URL | undefined;
}

const OPTION_TYPES = {
  "base-url": { type: "string" },
  "key-stdin": { type: "boolean" },
  offer: { type: "string" },
  click: { type: "string" },
  forwarder: { type: "string" },
  origin: { type: "string" },
  site: { type: "string" },
  json: { type: "boolean" },
  browser: { type: "string" },
  "thank-you": { type: "string" },
  "consent-click": { type: "string" },
  "consent-reject": { type: "string" },
  parameter: { type: "string", multiple: true },
  timeout: { type: "string" },
  chromium: { type: "string" },
} as const;

/** The options that need --browser. */
const BROWSER_OPTIONS = ["thank-you", "consent-click", "consent-reject", "parameter", "timeout", "chromium"];

const DAY_MS = 86_400_000;
/** The most redirects of a landing page to follow. */
const MAX_REDIRECTS = 5;
/** An origin that cannot exist: `.invalid` is reserved for that (RFC 2606). */
const FOREIGN_ORIGIN = "https://cake-edge-doctor.invalid";
const TEST_CLICK = "cake-edge-doctor";

/** Examines, prints, and returns the exit status: 0 if no check has failed. */
export async function doctor(args: string[]): Promise<number> {
  const { isJson, hasKeyOnStdin, browser, ...options } = readOptions(args);
  if (browser !== undefined) {
    const checks = await examineInBrowser(browser);
    const ok = checks.every(({ status }) => status !== "FAIL");
    console.log(isJson ? JSON.stringify({ ok, checks }) : table(checks, ["PASS", "FAIL", "UNKNOWN"]));
    return ok ? 0 : 1;
  }
  const apiKey = hasKeyOnStdin ? await readStdin() : (process.env["CAKE_API_KEY"] ?? "");
  const groups = await Promise.all([
    diagnoseAccount(options, apiKey),
    options.forwarder ? diagnoseForwarder(options.forwarder, options.origin) : [],
    options.site ? diagnoseSite(options.site) : [],
  ]);
  const checks = groups.flat();
  const ok = checks.every(({ status }) => status !== "failed");
  console.log(isJson ? JSON.stringify({ ok, checks }) : table(checks, ["ok", "failed", "skipped"]));
  return ok ? 0 : 1;
}

function readOptions(
  args: string[],
): Options & { isJson: boolean; hasKeyOnStdin: boolean; browser: BrowserOptions | undefined } {
  const values = readArgs(args, OPTION_TYPES, "cake-edge doctor --help", true);
  const one = (name: string) => values[name] as string | undefined;
  const options: Options = {
    baseUrl: one("base-url"),
    offerId: id("offer", one("offer")),
    clickId: one("click"),
    forwarder: url("forwarder", one("forwarder")),
    origin: url("origin", one("origin"))?.origin,
    site: url("site", one("site")),
  };
  const browser = readBrowserOptions(values, one);
  if (!options.baseUrl && !options.forwarder && !options.site && !browser) {
    throw new UsageError("say what to examine: --base-url, --forwarder, --site or --browser");
  }
  if (options.origin && !options.forwarder) throw new UsageError("--origin goes with --forwarder");
  if ((options.offerId ?? options.clickId) !== undefined && !options.baseUrl) {
    throw new UsageError("--offer and --click go with --base-url");
  }
  return { ...options, browser, isJson: values["json"] === true, hasKeyOnStdin: values["key-stdin"] === true };
}

/** The visit is a separate mode: the other checks send their own requests. */
function readBrowserOptions(
  values: OptionValues,
  one: (name: string) => string | undefined,
): BrowserOptions | undefined {
  const site = url("browser", one("browser"));
  const stray = Object.keys(values).find((name) =>
    site === undefined ? BROWSER_OPTIONS.includes(name) : !["browser", "json", ...BROWSER_OPTIONS].includes(name),
  );
  if (stray !== undefined) {
    throw new UsageError(`--${stray} ${site === undefined ? "goes with --browser" : "is for a run without --browser"}`);
  }
  if (site === undefined) return undefined;
  const thankYou = one("thank-you");
  const seconds = one("timeout") ?? "15";
  if (!/^[1-9]\d?$/.test(seconds)) throw new UsageError("--timeout must be a whole number of seconds from 1 to 99");
  return {
    url: site,
    thankYou: thankYou?.startsWith("/") ? new URL(thankYou, site) : url("thank-you", thankYou),
    consentClick: one("consent-click"),
    consentReject: one("consent-reject"),
    parameters: (values["parameter"] ?? []) as string[],
    chromium: one("chromium"),
    loadMs: Number(seconds) * 1_000,
  };
}

function id(name: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,15}$/.test(given) && Number(given) > 0) return Number(given);
  throw new UsageError(`--${name} must be a whole number from 1`);
}

function url(name: string, given: string | undefined): URL | undefined {
  if (given === undefined) return undefined;
  const parsed = URL.canParse(given) ? new URL(given) : undefined;
  if (parsed && /^https?:$/.test(parsed.protocol)) return parsed;
  throw new UsageError(`--${name} must be a URL such as https://shop.example`);
}

/** More than any key has: what is piped in may have no end. */
const MAX_KEY = 1_024;

async function readStdin(): Promise<string> {
  let key = "";
  for await (const chunk of process.stdin) {
    key += chunk;
    if (key.length > MAX_KEY) {
      throw new UsageError(
        `--key-stdin: standard input has more than ${MAX_KEY} characters: pipe in the API key alone`,
      );
    }
  }
  return key.trim();
}

async function diagnoseAccount(options: Options, apiKey: string): Promise<Check[]> {
  const { baseUrl, offerId, clickId } = options;
  if (baseUrl === undefined) return [];
  let cake: CakeClient;
  try {
    cake = createCakeClient({ baseUrl, apiKey, readOnly: true });
  } catch (error) {
    const isKey = isCakeError(error) && error.code !== "invalid_base_url";
    const advice = isKey
      ? "Set CAKE_API_KEY, or pipe the key in with --key-stdin. It is in CAKE: Setup, System Access, API Keys."
      : "Give --base-url your CAKE domain, such as https://yourdomain.cakemarketing.com.";
    return [failed(isKey ? "key" : "reachable", sentence(error), advice)];
  }
  const report = await cake.check(clickId === undefined ? {} : { clickId });
  const checks: Check[] = [...report.checks];
  await reportFailure(checks, baseUrl);
  // What keeps the key from being taken, or from being examined, is said of the domains already.
  const unusable = checks.some(({ name, status }) => name === "key" && status !== "ok");
  const advice = unusable ? checks.find(({ name }) => name === "domains")?.advice : undefined;
  checks.push(await diagnoseOffer(cake, offerId, clickId, advice));
  checks.push({
    name: "whitelist",
    status: "skipped",
    found: "cannot be seen from outside without converting",
    advice:
      "In CAKE, see that the offer's Conversions From Whitelist Only is off, or lists what converts. Edge workers have no fixed address.",
  });
  return checks;
}

/** The API client knows only that no answer came, so the reason is asked for here. */
async function reportFailure(checks: Check[], baseUrl: string): Promise<void> {
  const index = checks.findIndex(({ name, status }) => name === "reachable" && status === "failed");
  if (index < 0 || !/^https:/i.test(baseUrl)) return;
  const { failure } = await ask(new URL(baseUrl), "HEAD");
  if (failure?.advice) checks[index] = failed("reachable", failure.found, failure.advice);
}

/** No action of CAKE's API describes an offer, but the offer's clicks do. */
async function diagnoseOffer(
  cake: CakeClient,
  offerId: number | undefined,
  clickId: string | undefined,
  unusable: string | undefined,
): Promise<Check> {
  if (offerId === undefined) return skipped("offer", "no offer was given", "Give --offer the id that you convert for.");
  if (unusable !== undefined) return skipped("offer", "not known", unusable);
  try {
    const click = clickId === undefined ? undefined : await cake.getClick(clickId);
    if (click !== undefined) {
      return click.offerId === offerId
        ? passed("offer", `the click is of offer ${offerId}`)
        : failed("offer", `the click is of offer ${click.offerId}`, "Convert with the offer id of the click.");
    }
    for await (const _ of cake.listClicks({ ...dayRange("last30Days", { timeZone: "UTC" }), offerId, rowLimit: 1 }))
      return passed("offer", `offer ${offerId} has clicks`);
    return skipped(
      "offer",
      `offer ${offerId} has no click of the last 30 days`,
      "Check the id in CAKE, or follow one of its tracking links and check again with --click.",
    );
  } catch (error) {
    return failed("offer", sentence(error), "Mend what failed above, then check again.");
  }
}

async function diagnoseForwarder(at: URL, origin: string | undefined): Promise<Check[]> {
  const route = (name: string) => new URL(`${at.origin}${at.pathname.replace(/\/$/, "")}/${name}`);
  const health = await ask(route("health"), "GET", {}, "body");
  if (health.status !== 200 || health.body.trim() !== "ok") {
    const found = health.failure?.found ?? `what answers there is no forwarder (status ${health.status})`;
    const advice =
      health.failure?.advice ??
      "Check --forwarder, and the Worker's route: it must cover the whole path, such as shop.example/cake/*.";
    return [failed("forwarder", found, advice)];
  }
  const checks = [passed("forwarder", "it answers")];
  const read = await ask(route("conversions"), "GET", {}, "body");
  const code = findCode(read.body);
  checks.push(
    read.status === 405
      ? passed("only_post", "GET converts nothing")
      : failed(
          "only_post",
          `GET is answered ${read.status || "nothing"}${code ? `, ${code}` : ""}`,
          read.status === 500
            ? "The forwarder is not set up: see its log and its secrets."
            : "Something before the forwarder answers for it: see the Worker's route.",
        ),
  );
  const allows = async (from: string) => {
    const answer = await ask(route("conversions"), "OPTIONS", {
      origin: from,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    });
    return answer.headers["access-control-allow-origin"];
  };
  if (origin === undefined) {
    checks.push(skipped("cors", "no origin was given", "Give --origin the origin of the pages that convert."));
  } else {
    const allowed = await allows(origin);
    checks.push(
      allowed === origin
        ? passed("cors", `${origin} may convert`)
        : failed("cors", `${origin} may not convert`, "Add the origin to the forwarder's origins, spelt exactly so."),
    );
  }
  const foreign = await allows(FOREIGN_ORIGIN);
  checks.push(
    foreign !== FOREIGN_ORIGIN && foreign !== "*"
      ? passed("cors_foreign", "pages of other sites may not convert")
      : failed(
          "cors_foreign",
          "pages of any site may convert",
          "Something before the forwarder adds Access-Control-Allow-Origin: take that away.",
        ),
  );
  return checks;
}

async function diagnoseSite(site: URL): Promise<Check[]> {
  let landing = site;
  // A made-up click id: it is kept in a cookie that nobody sends.
  if (findClick(landing) === undefined) landing.searchParams.set("reqid", TEST_CLICK);
  const navigation = {
    accept: "text/html,application/xhtml+xml",
    "sec-fetch-mode": "navigate",
    "sec-fetch-dest": "document",
  };
  const checks: Check[] = [];
  let visit = await ask(landing, "GET", navigation);
  // A landing page may redirect its visitors, to https or to www. A browser follows, and so does its cookie.
  for (let hops = 0; clickCookie(visit) === undefined && isRedirect(visit); hops += 1) {
    const target = targetOf(visit, landing);
    if (target === undefined) {
      const advice = "Let the server send a whole address of http or https in Location.";
      return [...checks, failed("redirect", "it redirects to no address that can be read", advice)];
    }
    const where = `${target.origin}${target.pathname}`;
    if (findClick(target) === undefined) {
      const advice = "Let the redirect keep the query, or capture before it: without the click id nothing can be kept.";
      return [...checks, failed("redirect", `it redirects to ${where} and drops the click id`, advice)];
    }
    if (target.href === landing.href || hops === MAX_REDIRECTS) {
      const advice = "Open the page in a browser: it says ERR_TOO_MANY_REDIRECTS, or the like.";
      return [...checks, failed("redirect", `it redirects to ${where} again and again`, advice)];
    }
    checks.push(passed("redirect", `it redirects to ${where}: examined there`));
    landing = target;
    visit = await ask(landing, "GET", navigation);
  }
  if (visit.failure) return [...checks, failed("cookie", visit.failure.found, visit.failure.advice ?? "Check --site.")];
  const cookie = clickCookie(visit);
  if (cookie === undefined) {
    const advice =
      "See that the Worker with withClickCapture is on this route, that its secrets are set, that it does not answer from a cache, and that consent is granted to a first visit.";
    checks.push(failed("cookie", `the landing page (status ${visit.status}) sets no click cookie`, advice));
  } else {
    const lacks = missing(cookie, landing.protocol === "https:");
    checks.push(
      lacks.length === 0
        ? passed("cookie", "the landing page's click is kept, signed")
        : failed(
            "cookie",
            `the click cookie lacks ${lacks.join(", ")}`,
            "See that nothing rewrites Set-Cookie on its way.",
          ),
    );
    checks.push(
      /\bno-store\b/i.test(visit.headers["cache-control"] ?? "")
        ? passed("cookie_cache", "no cache keeps the answer")
        : failed(
            "cookie_cache",
            "a cache may keep the answer, and hand one visitor's click to others",
            "See that nothing sets Cache-Control after the capture.",
          ),
    );
  }
  const head = await ask(landing, "HEAD", navigation);
  checks.push(
    head.status !== 0 && clickCookie(head) === undefined
      ? passed("cookie_scanner", "a link scanner's HEAD leaves nothing")
      : failed(
          "cookie_scanner",
          head.failure ? `to HEAD, ${head.failure.found}` : "HEAD sets a click cookie",
          "Capture with withClickCapture alone: it passes HEAD over.",
        ),
  );
  return checks;
}

const isRedirect = ({ status, headers }: Answer) => status >= 300 && status <= 399 && headers.location !== undefined;

/** The target of a redirect. */
function targetOf({ headers: { location } }: Answer, from: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, from)) return undefined;
  const target = new URL(location, from);
  return /^https?:$/.test(target.protocol) ? target : undefined;
}

/** The properties that the edge capture's cookie must have, and this one lacks. */
function missing(cookie: string, isSecure: boolean): string[] {
  const [pair = "", ...attributes] = cookie.split(/;\s*/);
  const has = (attribute: string) => attributes.some((each) => each.toLowerCase() === attribute);
  const seconds = Number(/;\s*max-age=(\d+)/i.exec(cookie)?.[1] ?? 0);
  const wanted: [boolean, string][] = [
    [/\.[0-9a-z]+\.[\w-]{43}$/.test(pair), "the signature"],
    [has("httponly"), "HttpOnly"],
    [has("secure") || !isSecure, "Secure"],
    [has("samesite=lax"), "SameSite=Lax"],
    [seconds >= DAY_MS / 1_000, "a Max-Age of a day or more"],
  ];
  return wanted.filter(([holds]) => !holds).map(([, name]) => name);
}

function clickCookie({ headers }: Answer): string | undefined {
  return headers["set-cookie"]?.find((cookie) => {
    const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(cookie) ?? [];
    return SIGNED_COOKIES.includes(name) && value !== "";
  });
}

function findCode(body: string | undefined): string | undefined {
  return /"code":"([a-z_]{1,40})"/.exec(body ?? "")?.[1];
}

/** The message of a CakeError, which never holds a key; other errors are not repeated. */
function sentence(error: unknown): string {
  return isCakeError(error) ? error.message : "an unknown error";
}

function passed(name: string, found: string): Check {
  return { name, status: "ok", found };
}

function failed(name: string, found: string, advice: string): Check {
  return { name, status: "failed", found, advice };
}

function skipped(name: string, found: string, advice: string): Check {
  return { name, status: "skipped", found, advice };
}

/** Lines for people, and a count by status: `statuses` are those of the run. */
function table(checks: readonly (Check | Finding)[], statuses: readonly string[]): string {
  const width = Math.max(...checks.map(({ name }) => name.length));
  const lines = checks.map(({ name, status, found, advice }, index) => {
    const line = `${status.padEnd(7)}  ${name.padEnd(width)}  ${found}`;
    // Repeated advice is printed once.
    return advice === undefined || advice === checks[index - 1]?.advice
      ? line
      : `${line}\n${" ".repeat(width + 11)}${advice}`;
  });
  const counts = statuses.map((wanted) => `${checks.filter(({ status }) => status === wanted).length} ${wanted}`);
  return [...lines, counts.join(", ")].join("\n");
}
