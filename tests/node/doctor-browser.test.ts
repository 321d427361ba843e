/** `cake-edge doctor --browser`: an installed Chromium visits small sites, each with problems of its own. */
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Browsers, startBrowsers, visitSite } from "../../dist/bin/browser.js";
import { findChrome } from "../../dist/bin/chrome.js";
import { withClickCapture } from "../../dist/entry/edge.inline.js";

const PROGRAM = findChrome(process.env["CHROMIUM"]);

/** An answer: a page's text, and what differs from a plain page. */
interface Answer {
  readonly status?: number | undefined;
  readonly headers?: { readonly [name: string]: string | undefined } | undefined;
  readonly body?: string | undefined;
}
type Site = (request: Request, path: string) => Answer | Promise<Answer>;

const QUEUE = `<script>window.cakeEdge = window.cakeEdge || function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) }</script>`;
const CONVERT = `<script>cakeEdge((tracker) => tracker.convert({ offerId: 12345, orderId: "ORD-1" }))</script>`;
/** As a page of the site's own would post it. */
const REFUSED = `<script>fetch("/foreign/cake/conversions", { method: "POST", body: JSON.stringify({
  offerId: 12345, uniqueId: "undefined", clickId: document.cookie.match(/cake-edge-doctor-[\\w-]+/)[0] }) })</script>`;
const tag = (site: string, more = "") =>
  `${QUEUE}<script async src="/${site}/js/cake-edge.js" data-endpoint="/${site}/cake" ${more}></script>`;
/** A banner whose answer is remembered, and told to the tracker. */
const banner = (yes: string, no: string) =>
  `<div id="banner"><p>We and 12 partners use cookies</p><button id="yes">${yes}</button><button id="no">${no}</button></div>
   <script>
     const remembered = document.cookie.match(/answer=(\\w+)/)?.[1];
     const tell = (answer) => { banner.remove(); cakeEdge((tracker) => tracker.setConsent(answer)); };
     if (remembered) tell(remembered);
     for (const [id, answer] of [["yes", "granted"], ["no", "denied"]]) document.getElementById(id)?.addEventListener("click", () => {
       document.cookie = "answer=" + answer; tell(answer);
     });
   </script>`;

const captured = withClickCapture(() => new Response("<p>Welcome</p>", { headers: { "content-type": "text/html" } }), {
  secrets: ["a cookie's secret of 32 characters or more"],
});

/** The two blocks of the page for plain HTML. */
const [PASTED = "", ORDER = ""] = [...readFileSync("docs/html.md", "utf8").matchAll(/^```html\n([\s\S]*?)^```$/gm)].map(
  ([, block = ""]) => block.replaceAll('"/', '"/pasted/'),
);

const SITES: Record<string, Site> = {
  pasted: (_, path) => ({ body: PASTED + (path === "thanks" ? ORDER : "<p>Welcome</p>") }),
  good: (_, path) => ({
    body:
      tag("good", `data-consent="pending"`) +
      banner("Alle akzeptieren", "Nur notwendige") +
      (path === "thanks" ? CONVERT : ""),
  }),
  // A banner in words that nobody knows.
  odd: (_, path) => ({
    body: tag("odd", `data-consent="pending"`) + banner("Fine by me", "") + (path === "thanks" ? "<p>Thanks</p>" : ""),
  }),
  // A tracker in a frame does not see the page's click.
  none: (_, path) => ({ body: path === "frame" ? tag("none") : `<h1>Welcome</h1><iframe src="/none/frame"></iframe>` }),
  refused: () => ({
    headers: { "content-security-policy": "script-src 'none'" },
    body: `<script src="/refused/js/cake-edge.js"></script>`,
  }),
  strict: () => ({
    headers: { "content-security-policy": "script-src 'self'; connect-src 'self'" },
    body: `<script async src="/strict/js/cake-edge.js?parameters=cid" data-endpoint="/strict/cake"></script>`,
  }),
  // Everything else that a site can do wrong.
  wrong: (_, path) => {
    if (path === "js/outbox.js") return { status: 404 };
    // A router of the site's answers every address with its page.
    if (path === "js/decorate.js") return { body: "<p>Not here</p>" };
    if (path === "cake/health") return { status: 404 };
    return {
      headers: path === "thanks" ? {} : { "content-security-policy": "connect-src 'none'" },
      body: `${tag("wrong", "data-ignore-global-privacy-control")}
        <div class="cookie-consent">Hello <button>Accept</button><button>Reject all</button></div>
        ${path === "thanks" ? `<script>cakeEdge((tracker) => tracker.convert({ offerId: 1, uniqueId: String(Math.random()) }))</script>` : ""}`,
    };
  },
  // A cookie of the server's that a cache may keep, behind a redirect.
  cached: (request, path) =>
    path === ""
      ? { status: 302, headers: { location: `/cached/landing${new URL(request.url).search}` } }
      : {
          headers: {
            "cache-control": "public, max-age=600",
            "set-cookie": `cake_click=1!tgvuy0*tgvuy0!reqid!${new URL(request.url).searchParams.get("reqid") ?? ""}; Path=/`,
          },
          body: "<p>Welcome</p>",
        },
  edge: async (request, path) => {
    const answer = await captured(request, undefined);
    const convert = `<script>fetch("/edge/cake/conversions", { method: "POST", body: '{"offerId":12345,"uniqueId":"ORD-1"}' })</script>`;
    return {
      headers: Object.fromEntries(answer.headers),
      body: (await answer.text()) + (path === "thanks" ? convert : ""),
    };
  },
  // Its own script stops where there is no storage, and with it what follows.
  fragile: () => ({ body: `<script src="/fragile/start.js"></script>` }),
  drops: (_, path) => (path === "" ? { status: 301, headers: { location: "/drops/en/" } } : { body: tag("drops") }),
  bundle: (_, path) => ({
    body: `<script type="module" src="/bundle/${path === "thanks" ? "thanks" : "landing"}.js"></script>`,
  }),
  // A conversion that every forwarder refuses.
  foreign: (_, path) => ({ body: tag("foreign") + (path === "thanks" ? REFUSED : "") }),
  // All is there, and the policy lets no request leave.
  shut: () => ({ headers: { "content-security-policy": "connect-src 'none'" }, body: tag("shut") }),
  denied: () => ({ body: tag("denied", `data-consent="denied"`) }),
  slow: () => new Promise<Answer>(() => undefined),
  endless: () => ({ body: `<p>Wait</p><script>for (;;);</script>` }),
  leads: (_, path) => (path === "thanks" ? { status: 302, headers: { location: "/leads/" } } : { body: tag("leads") }),
};

let server: Server;
let base: string;
let browsers: Browsers;
const temporary = mkdtempSync(join(tmpdir(), "cake-edge-doctor-"));
let posted: string[] = [];
const bundled = new Map<string, string>();

beforeAll(async () => {
  server = createServer(async (incoming, response) => {
    const request = toRequest(incoming);
    const { pathname } = new URL(request.url);
    const [, name = "", ...rest] = pathname.split("/");
    const path = rest.join("/");
    if (request.method !== "GET") posted.push(pathname);
    const { status = 200, headers = {}, body = "" } = (await answerOf(name, path, request)) ?? { status: 404 };
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  browsers = await startBrowsers(PROGRAM);
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createTracker } from "./dist/page/page.js";
        const tracker = createTracker({ endpoint: "/bundle/cake", parameters: ["own_click", "tranid"] });
        if (location.pathname.endsWith("thanks")) tracker.convert({ offerId: 12345, orderId: "ORD-1" });`,
      resolveDir: process.cwd(),
    },
    bundle: true,
    minify: true,
    format: "esm",
    splitting: true,
    outdir: "/bundle",
    write: false,
  });
  for (const { path, text } of outputFiles) bundled.set(path.replace(/.*\/(?:stdin)?/, ""), text);
});
afterAll(async () => {
  await browsers?.close();
  server.closeAllConnections();
  server.close();
  rmSync(temporary, { recursive: true, force: true });
});
beforeEach(() => {
  posted = [];
});

function toRequest({ method = "GET", url = "/", headers }: IncomingMessage): Request {
  return new Request(`${base}${url}`, { method, headers: headers as Record<string, string> });
}

async function answerOf(name: string, path: string, request: Request): Promise<Answer | undefined> {
  const site = Object.hasOwn(SITES, name) ? SITES[name] : undefined;
  if (site === undefined) return undefined;
  const script = { headers: { "content-type": "text/javascript" } };
  if (name === "bundle" && path.endsWith(".js")) {
    const text = bundled.get(/^(landing|thanks)\.js$/.test(path) ? ".js" : path);
    return text === undefined ? undefined : { ...script, body: text };
  }
  if (name === "fragile" && path === "start.js") {
    const tracker = readFileSync("dist/page/cake-edge.js", "utf8");
    return { ...script, body: `localStorage.setItem("visits", "1");\n${tracker}` };
  }
  if (name !== "wrong" || path === "js/cake-edge.js") {
    if (path === "cake/health") return { body: "ok" };
    if (path.startsWith("js/")) return { ...script, body: readFileSync(`dist/page/${path.slice(3)}`, "utf8") };
  }
  return site(request, path);
}

interface More {
  readonly thankYou?: string;
  readonly consentClick?: string;
  readonly parameters?: readonly string[];
  readonly path?: string;
  readonly loadMs?: number;
}

/** A site's findings by name: the status, and the words. */
async function visit(site: string, { path = "", thankYou, consentClick, parameters = [], loadMs = 15_000 }: More = {}) {
  const findings = await visitSite(browsers, {
    url: new URL(`${base}/${site}/${path}`),
    thankYou: thankYou === undefined ? undefined : new URL(thankYou, base),
    consentClick,
    consentReject: undefined,
    parameters,
    chromium: undefined,
    loadMs,
  });
  for (const { status, found, advice } of findings) {
    expect(advice === undefined, found).toBe(status === "PASS");
    // No whole address: there is a click id in the query.
    expect(`${found} ${advice}`).not.toContain("doctor-");
  }
  // Nothing real is sent, whatever the site does.
  expect(posted).toEqual([]);
  return {
    statuses: Object.fromEntries(findings.map(({ name, status }) => [name, status])),
    words: Object.fromEntries(findings.map(({ name, found, advice = "" }) => [name, `${found}. ${advice}`])),
  };
}

/** Runs the command itself. */
function run(args: readonly string[]) {
  const child = spawn(process.execPath, ["dist/bin/cake-edge.js", "doctor", ...args], {
    env: { ...process.env, CHROME_PATH: PROGRAM, TMPDIR: temporary },
  });
  const printed = { out: "", err: "" };
  child.stdout.on("data", (chunk) => {
    printed.out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    printed.err += chunk;
  });
  const ended = new Promise<{ code: number | null; out: string; err: string }>((resolve) =>
    child.on("close", (code) => resolve({ code, ...printed })),
  );
  return { child, ended };
}

/** What the command has in its own folder for temporary files. */
const profiles = () => readdirSync(temporary).filter((name) => name.startsWith("cake-edge-browser-"));

test("a site that is well passes every step, and no conversion leaves the browser", async () => {
  const { code, out, err } = await run(["--browser", `${base}/good/?lang=de`, "--thank-you", "/good/thanks"]).ended;
  expect(err).toBe("");
  const lines = out.trim().split("\n");
  expect(lines.map((line) => line.split(/\s+/, 2).join(" "))).toEqual([
    ...[
      ...["browser", "page", "tracker", "files", "policy", "landing", "parameters"],
      ...["consent_later", "consent_no", "consent_yes", "reload", "second_landing", "thank_you", "thank_you_reload"],
      ...["endpoint", "blocked_cookies", "blocked_storage", "privacy_control", "cookie_cache"],
    ].map((name) => `PASS ${name}`),
    "19 PASS,",
  ]);
  expect(out).toContain("nothing real is sent");
  expect(out).toContain("taken for a click id: reqid, ckm_request_id, click_id, clickid");
  expect(code).toBe(0);
  expect(posted).toEqual([]);
  expect(profiles()).toEqual([]);
});

test("the blocks of docs/html.md, pasted as they stand, pass", async () => {
  const { statuses } = await visit("pasted", { thankYou: "/pasted/thanks" });
  expect(statuses).toMatchObject({
    tracker: "PASS",
    files: "PASS",
    landing: "PASS",
    thank_you: "PASS",
    endpoint: "PASS",
  });
  expect(Object.values(statuses)).not.toContain("FAIL");
});

test("a page without cake-edge is told what to paste", async () => {
  const { statuses, words } = await visit("none");
  expect(statuses).toMatchObject({ page: "PASS", tracker: "FAIL", landing: "FAIL", reload: "UNKNOWN" });
  expect(words["tracker"]).toMatch(/no cake-edge was found.*paste this.*<script async src=/);
});

test("a banner that nobody knows leaves steps unknown, and --consent-click finds its button", async () => {
  const { statuses, words } = await visit("odd");
  expect(statuses).toMatchObject({
    tracker: "PASS",
    landing: "UNKNOWN",
    consent_yes: "UNKNOWN",
    consent_no: "UNKNOWN",
  });
  expect(words["consent_yes"]).toContain("--consent-click");
  const helped = await visit("odd", { consentClick: "#yes", thankYou: "/odd/thanks" });
  expect(helped.statuses).toMatchObject({ consent_later: "PASS", consent_yes: "PASS", consent_no: "UNKNOWN" });
  expect(helped.words["consent_no"]).toContain("--consent-reject");
  expect(helped.statuses["thank_you"]).toBe("FAIL");
  expect(helped.words["thank_you"]).toContain("tracker.convert");
});

test("a policy that refuses the tag is named; one that refuses WebAssembly alone is no obstacle", async () => {
  const { statuses, words } = await visit("refused");
  expect(statuses).toMatchObject({ policy: "FAIL", tracker: "FAIL" });
  expect(words["policy"]).toMatch(/script-src refuses .*\/refused\/js\/cake-edge\.js/);
  const strict = await visit("strict");
  expect(strict.statuses).toMatchObject({ policy: "PASS", tracker: "PASS", landing: "PASS", endpoint: "PASS" });
  expect(strict.words["policy"]).toContain("plain JavaScript");
  expect(strict.words["parameters"]).toContain("taken for a click id: cid.");
});

test("each problem of a site has a sentence of its own", async () => {
  const { statuses, words } = await visit("wrong", { thankYou: "/wrong/thanks" });
  expect(Object.keys(statuses).filter((name) => statuses[name] === "FAIL")).toEqual([
    ...["files", "policy", "consent_later", "consent_no", "thank_you_reload", "endpoint", "privacy_control"],
  ]);
  expect(words["files"]).toMatch(/outbox\.js: status 404; .*decorate\.js: what comes is an HTML page/);
  expect(words["policy"]).toMatch(/connect-src refuses/);
  expect(words["endpoint"]).toMatch(/status 404/);
  expect(words["consent_later"]).toMatch(/before the visitor has answered.*setConsent/);
  expect(words["thank_you_reload"]).toMatch(/another unique id/);
  expect(words["privacy_control"]).toMatch(/ignoreGlobalPrivacyControl/);
});

test("a conversion that every forwarder refuses fails, with the forwarder's sentence", async () => {
  const { statuses, words } = await visit("foreign", { thankYou: "/foreign/thanks" });
  expect(statuses).toMatchObject({ landing: "PASS", thank_you: "FAIL" });
  expect(words["thank_you"]).toMatch(/a forwarder refuses: placeholder_text: uniqueId/);
});

test("a policy without requests is named alone, and a tag that says denied keeps nothing", async () => {
  const { statuses, words } = await visit("shut");
  expect(Object.keys(statuses).filter((name) => statuses[name] === "FAIL")).toEqual(["policy"]);
  expect(words["policy"]).toMatch(/connect-src refuses/);
  const denied = await visit("denied");
  expect(denied.statuses).toMatchObject({ tracker: "PASS", landing: "FAIL", consent_yes: "UNKNOWN" });
  expect(denied.words["landing"]).toContain('consent is "denied"');
});

test("a selector that is no CSS is a usage error", async () => {
  await expect(visit("odd", { consentClick: "::::" })).rejects.toThrow("--consent-click is no CSS selector: ::::");
});

test("a page whose own script stops where storage is blocked fails there, and says its error", async () => {
  const { statuses, words } = await visit("fragile");
  expect(statuses).toMatchObject({ landing: "PASS", blocked_cookies: "FAIL", blocked_storage: "FAIL" });
  expect(words["blocked_storage"]).toMatch(/SecurityError/);
});

test("a server's cookie: kept out of caches it passes, and is followed over a redirect", async () => {
  const { statuses, words } = await visit("cached");
  expect(statuses).toMatchObject({ redirect: "PASS", landing: "PASS", cookie_cache: "FAIL" });
  expect(words["cookie_cache"]).toMatch(/public, max-age=600.*private, no-store/);
  const edge = await visit("edge", { thankYou: "/edge/thanks" });
  expect(edge.statuses).toMatchObject({ tracker: "PASS", landing: "PASS", cookie_cache: "PASS", thank_you: "PASS" });
  expect(edge.statuses).toMatchObject({ privacy_control: "PASS", blocked_cookies: "PASS" });
});

test("a redirect that drops the click id fails; a thank-you page that leads elsewhere is unknown", async () => {
  const { statuses, words } = await visit("drops");
  expect(statuses).toMatchObject({ redirect: "FAIL", landing: "FAIL", tracker: "PASS" });
  expect(words["redirect"]).toMatch(/\/drops\/en\/ and drops the click id/);
  expect((await visit("leads", { thankYou: "/leads/thanks" })).statuses["thank_you"]).toBe("UNKNOWN");
});

test("a bundle is found by what is in it, and its own parameters by their names", async () => {
  const { statuses, words } = await visit("bundle", { parameters: ["own_click", "cid"], thankYou: "/bundle/thanks" });
  expect(statuses).toMatchObject({
    tracker: "PASS",
    files: "PASS",
    landing: "PASS",
    thank_you: "PASS",
    endpoint: "PASS",
  });
  expect(statuses["parameters"]).toBe("FAIL");
  expect(words["parameters"]).toMatch(/^cid is not taken/);
});

test("a site that never answers, and a page that never ends, keep nobody waiting", async () => {
  const begin = Date.now();
  const { statuses, words } = await visit("slow", { loadMs: 1_000 });
  expect(statuses["page"]).toBe("FAIL");
  expect(words["page"]).toContain("no page came within 1 s");
  expect((await visit("endless", { loadMs: 1_000 })).words["page"]).toContain("keeps the browser busy");
  expect((await visit("none", { path: "../nobody" })).statuses["page"]).toBe("FAIL");
  expect(Date.now() - begin).toBeLessThan(60_000);
});

test("Ctrl-C ends the browsers and removes their profiles", async () => {
  const { child, ended } = run(["--browser", `${base}/slow/`]);
  await expect.poll(() => profiles().length, { timeout: 20_000 }).toBe(2);
  child.kill("SIGINT");
  expect((await ended).code).toBe(130);
  expect(profiles()).toEqual([]);
});

test("wrong options are said in one sentence", async () => {
  for (const [args, sentence] of [
    [["--browser", "shop.example"], "--browser must be a URL"],
    [["--thank-you", "/thanks"], "--thank-you goes with --browser"],
    [["--browser", base, "--site", base], "--site is for a run without --browser"],
    [["--browser", base, "--timeout", "0"], "--timeout must be"],
    [["--browser", base, "--chromium", "/nowhere/chromium"], "--chromium /nowhere/chromium is not a program"],
    [["--browser", base, "--chromium", process.execPath], "does not start"],
  ] as const) {
    const { code, err } = await run(args).ended;
    expect(code).toBeGreaterThan(0);
    expect(err).toContain(sentence);
    expect(err.trim().split("\n")).toHaveLength(1);
  }
});
