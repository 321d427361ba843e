/** Visitors who refuse, whose browser sends a privacy signal, or whose browser blocks storage. */
import type { Tab } from "../tab.js";
import { landWithConsent, newError, type VisitState, waitForClick } from "./visit-state.js";
import { CONSENT_ADVICE, KEEP_MS, lower, until } from "./wording.js";

export async function visitRefusing(state: VisitState, tab: Tab): Promise<void> {
  if (!state.hasBanner) {
    const advice = `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`;
    state.findings.unknown("consent_no", "no consent banner was found", advice);
    return;
  }
  const { url, ids } = state.landing(state.candidates());
  await tab.goto(url);
  await until(state.hasNo ? KEEP_MS : 0, () => tab.answer("no", state.options.consentReject, false));
  if (!(await tab.answer("no", state.options.consentReject, true))) {
    state.findings.unknown("consent_no", "no button for no was found", CONSENT_ADVICE);
    return;
  }
  await tab.settle();
  const isKept = (await waitForClick(tab, ids, 0)) ?? (await tab.reload().then(() => waitForClick(tab, ids, 500)));
  if (isKept === undefined) state.findings.pass("consent_no", "after no nothing is kept, also after a reload");
  else {
    const advice = `Call tracker.setConsent("denied") from the banner's callback: it deletes what is kept.`;
    state.findings.fail("consent_no", `after no the click is kept, in ${isKept.where}`, advice);
  }
}

export async function visitWithSignal(state: VisitState, tab: Tab): Promise<void> {
  if (!state.isKept) {
    state.findings.unknown("privacy_control", "no visit keeps a click", "Mend what failed above, then examine again.");
    return;
  }
  const ids = await landWithConsent(state, tab);
  const kept = await waitForClick(tab, ids, 1_000);
  if (kept === undefined) state.findings.pass("privacy_control", "with Global Privacy Control nothing is kept");
  else {
    const advice = "Leave ignoreGlobalPrivacyControl out, unless law and counsel allow it.";
    state.findings.fail("privacy_control", `with Global Privacy Control the click is kept, in ${kept.where}`, advice);
  }
}

export async function visitWithoutStorage(state: VisitState, tab: Tab): Promise<void> {
  if (!state.isKept) {
    state.findings.unknown("blocked_storage", "no visit keeps a click", "Mend what failed above, then examine again.");
    return;
  }
  const ids = await landWithConsent(state, tab);
  const kept = await waitForClick(tab, ids, 2_000);
  if (kept !== undefined)
    state.findings.pass("blocked_storage", `where localStorage throws, the click is kept in ${kept.where}`);
  else {
    const advice = "Let the site's own scripts catch what localStorage throws: one of them stops the page.";
    state.findings.fail(
      "blocked_storage",
      `where localStorage throws, the click is not kept${newError(state, tab)}`,
      advice,
    );
  }
}

export async function visitBlocked(state: VisitState, tab: Tab): Promise<void> {
  const ids = await landWithConsent(state, tab);
  const isBlocked = await tab.evaluate<boolean>(`(() => { try { return !localStorage } catch { return true } })()`);
  if (isBlocked !== true || (await tab.storedTexts()).length > 0) {
    state.findings.unknown(
      "blocked_cookies",
      "this browser could not be made to block cookies",
      "Try another with --chromium PATH.",
    );
    return;
  }
  const advice = "Let the site's own scripts catch what cookies and localStorage throw: one of them stops the page.";
  if (state.tag?.isOpen) {
    const clickId = await tab.evaluate<string>(
      `new Promise((resolve) => window.cakeEdge(({ clickId }) => resolve(clickId ?? "")))`,
    );
    // While a banner waits, the tracker may still report the click it holds.
    if (clickId !== undefined && [...ids.values()].includes(clickId)) {
      state.findings.pass("blocked_cookies", "where the browser blocks cookies, the click lives as long as the page");
    } else
      state.findings.fail(
        "blocked_cookies",
        `where the browser blocks cookies, the tracker has no click${newError(state, tab)}`,
        advice,
      );
    return;
  }
  const error = newError(state, tab);
  const isOfTracker = tab.errors.some(({ url }) => url !== "" && url === tab.trackerUrl);
  if (error === "")
    state.findings.pass("blocked_cookies", "where the browser blocks cookies, the page works without an error");
  else if (isOfTracker || tab.trackerUrl === undefined) {
    state.findings.fail("blocked_cookies", `where the browser blocks cookies, the page throws${error}`, advice);
  } else {
    // A bundle's tracker cannot be asked from outside.
    const found = `where the browser blocks cookies, a script beside the tracker's throws${error}`;
    state.findings.unknown("blocked_cookies", found, advice);
  }
}
