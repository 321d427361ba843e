/** What the site serves: the forwarder, the tag's files, the policy, the caches. */
import type { Tab } from "../tab.js";
import type { VisitState } from "./visit-state.js";
import { where } from "./wording.js";

/** The tag's files, loaded on demand from its folder. */
const FILES = ["outbox.js", "fallback.js", "decorate.js", "link.js", "rare.js"];

/** Is there a forwarder, and does the page's policy allow requests to it? */
export async function reportEndpoint(state: VisitState, tab: Tab): Promise<void> {
  await requestHealth(state, tab);
  if (state.endpoint === undefined) {
    const advice = "Give --thank-you URL: its conversion shows the address. Or examine it with doctor --forwarder.";
    state.findings.unknown("endpoint", "where conversions go was not seen", advice);
    return;
  }
  const health = new URL("health", state.endpoint).href;
  const { status, body } = await tab.ask(health);
  const place = where(state.endpoint.href);
  if (status === 200 && body.trim() === "ok") state.findings.pass("endpoint", `a forwarder answers at ${place}`);
  else {
    const found = `no forwarder answers at ${place} (${status === 0 ? "nobody is there" : `status ${status}`})`;
    const advice =
      status >= 500
        ? "See the log of the server there: a secret is missing, or the configuration is wrong."
        : "Check the endpoint and the Worker's route: it covers the whole path, such as /cake/*.";
    state.findings.fail("endpoint", found, advice);
  }
}

/** A policy's refusal shows only when the page itself asks: on the landing page, and on the page that converts. */
export async function requestHealth(state: VisitState, tab: Tab): Promise<void> {
  if (state.tag?.isOpen) state.endpoint ??= new URL(`${state.tag.endpoint.replace(/\/$/, "")}/`, state.options.url);
  if (state.endpoint === undefined) return;
  const health = new URL("health", state.endpoint).href;
  await tab.evaluate(`fetch(${JSON.stringify(health)}, { mode: "no-cors" }).then(() => true, () => false)`);
  await tab.settle();
}

export async function reportFiles(state: VisitState, tab: Tab): Promise<void> {
  const tag = state.tag;
  const lacking: string[] = tab.failedScripts.flatMap(({ url, why, isOurs }) =>
    isOurs || /\/(outbox|decorate|fallback)\b[^/]*\.m?js/.test(url) ? `${where(url)}: ${why}` : [],
  );
  if (tag?.isOpen) {
    const answers = await Promise.all(
      FILES.map(async (file) => {
        const url = new URL(`${tag.base.replace(/\/?$/, "/")}${file}`, state.options.url).href;
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
    state.findings.fail("files", `missing: ${missing.join("; ")}`, advice);
  } else if (tag?.isOpen) state.findings.pass("files", `${FILES.join(", ")} are beside the tag`);
  else if (tab.trackerUrl !== undefined)
    state.findings.pass("files", "every script that the tracker asked for has come");
  else
    state.findings.unknown(
      "files",
      "no tracker runs in the page",
      "Where the site's server alone keeps clicks, all is well.",
    );
}

export function reportPolicy(state: VisitState, tab: Tab): void {
  const isTracker = (url: string) =>
    url !== "" &&
    (url === state.tag?.src || url === tab.trackerUrl || /cake-edge|\/(outbox|fallback|decorate)\b/.test(url));
  const endpoint = state.endpoint?.href;
  const script = tab.violations.find(({ directive, url }) => directive.startsWith("script-src") && isTracker(url));
  const connect = tab.violations.find(({ directive, url }) => {
    return directive.startsWith("connect-src") && endpoint?.startsWith(url.replace(/\/health$/, "/"));
  });
  const isInline = tab.violations.some(({ kind }) => kind === "kInlineViolation") && state.tag?.isInline === true;
  const isWasm = tab.violations.some(({ kind }) => /wasm/i.test(kind));
  if (script) {
    state.findings.fail(
      "policy",
      `script-src refuses ${where(script.url)}`,
      "Add its origin to script-src: 'self' for the site's own.",
    );
  } else if (connect) {
    const advice = "Add the endpoint's origin to connect-src: 'self' for a path of the site's own.";
    state.findings.fail(
      "policy",
      `connect-src refuses ${where(connect.url)}: no conversion can leave the page`,
      advice,
    );
  } else if (isInline) {
    const advice = "Move the inline script that calls cakeEdge into a file, or give it the policy's nonce.";
    state.findings.fail("policy", "script-src refuses inline scripts, and the page calls cakeEdge in one", advice);
  } else if (isWasm) {
    state.findings.pass("policy", "it refuses WebAssembly: the tracker runs the same core as plain JavaScript");
  } else state.findings.pass("policy", "no content security policy is in the tracker's way");
}

export function reportCache(state: VisitState, tab: Tab): void {
  const shared = tab.setCookies.find(({ headers }) => {
    const rules = headers["cache-control"] ?? "";
    const isHit =
      /\bhit\b/i.test([headers["cf-cache-status"], headers["x-cache"]].join(" ")) || Number(headers["age"]) > 0;
    return isHit || !/\b(no-store|private)\b/i.test(rules);
  });
  if (shared) {
    const rules = shared.headers["cache-control"] ?? "no Cache-Control";
    state.findings.fail(
      "cookie_cache",
      `${where(shared.url)} sets a click cookie, and a cache may keep the answer (${rules})`,
      "Send Cache-Control: private, no-store beside the cookie, and see that nothing sets it after the capture.",
    );
  } else if (tab.setCookies.length > 0)
    state.findings.pass("cookie_cache", "no cache keeps the answer that sets the cookie");
  else state.findings.pass("cookie_cache", "no answer sets a click cookie: there is nothing to keep out of caches");
}
