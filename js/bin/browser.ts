/**
 * `cake-edge doctor --browser`: takes an installed browser through a visitor's visit, and reports PASS, FAIL or UNKNOWN
 * for each step. Every conversion is answered here, and reaches no server.
 */

import type { Finding, Step } from "./browser/findings.js";
import { visit } from "./browser/main-visit.js";
import { visitBlocked, visitRefusing, visitWithoutStorage, visitWithSignal } from "./browser/other-visitors.js";
import { type BrowserOptions, VisitState } from "./browser/visit-state.js";
import { type Chrome, findChrome, startChrome } from "./chrome.js";
import { Tab, type TabOptions } from "./tab.js";
import { UsageError, whenAskedToStop } from "./usage.js";

export type { Finding } from "./browser/findings.js";
export type { BrowserOptions } from "./browser/visit-state.js";

/** The time limit of a visit's steps, in milliseconds. */
const STEP_MS = 60_000;
const ALL_MS = 180_000;

const BLOCKED = { profile: { default_content_setting_values: { cookies: 2 } } };
const NO_STORAGE = `Object.defineProperty(window, "localStorage", { configurable: true, get() { throw new DOMException("refused", "SecurityError") } })`;
const PRIVACY: TabOptions = {
  script: `Object.defineProperty(Navigator.prototype, "globalPrivacyControl", { configurable: true, get: () => true })`,
  headers: { "Sec-GPC": "1" },
};

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
  await checkSelectors(browsers.plain, options);
  const state = new VisitState(options);
  const { isOver, cancel } = limitOf(ALL_MS);
  try {
    await Promise.race([make(state, browsers), isOver]);
    return state.findings.report(browsers.plain.version);
  } finally {
    cancel();
    state.interceptor.end();
  }
}

/** A selector that is no CSS finds nothing on any page: the browser's own parser says so. */
async function checkSelectors(chrome: Chrome, { consentClick, consentReject, loadMs }: BrowserOptions): Promise<void> {
  const given = Object.entries({ "consent-click": consentClick, "consent-reject": consentReject });
  if (given.every(([, selector]) => selector === undefined)) return;
  const tab = await Tab.open(chrome, {}, loadMs);
  try {
    for (const [name, selector] of given) {
      if (selector === undefined) continue;
      const isCss = await tab.evaluate<boolean>(
        `(() => { try { document.querySelector(${JSON.stringify(selector)}); return true } catch { return false } })()`,
      );
      if (isCss === false) throw new UsageError(`--${name} is no CSS selector: ${selector}`);
    }
  } finally {
    await tab.close();
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

async function make(state: VisitState, { plain: chrome, blocked }: Browsers): Promise<void> {
  await Promise.all([state.interceptor.attach(chrome), state.interceptor.attach(blocked)]);
  const isThere = await withTab(state, chrome, {}, "page", (tab) => visit(state, tab));
  if (isThere !== true) return;
  await Promise.all([
    withTab(state, chrome, {}, "consent_no", (tab) => visitRefusing(state, tab)),
    withTab(state, chrome, PRIVACY, "privacy_control", (tab) => visitWithSignal(state, tab)),
    withTab(state, chrome, { script: NO_STORAGE }, "blocked_storage", (tab) => visitWithoutStorage(state, tab)),
    withTab(state, blocked, {}, "blocked_cookies", (tab) => visitBlocked(state, tab)),
  ]);
}

/** Runs steps in a tab of their own; if the browser fails, they stay unknown. */
async function withTab<T>(
  state: VisitState,
  chrome: Chrome,
  options: TabOptions,
  step: Step,
  run: (tab: Tab) => Promise<T>,
): Promise<T | undefined> {
  let tab: Tab | undefined;
  const { isOver, cancel } = limitOf(step === "page" ? ALL_MS : STEP_MS);
  try {
    tab = await Tab.open(chrome, options, state.options.loadMs);
    return await Promise.race([run(tab), isOver]);
  } catch (error) {
    if (!state.findings.has(step)) {
      state.findings.unknown(step, `the browser failed: ${(error as Error).message}`, "Examine again.");
    }
    return undefined;
  } finally {
    cancel();
    await tab?.close();
  }
}
