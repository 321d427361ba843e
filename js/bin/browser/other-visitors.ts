/** Visitors who refuse, whose browser sends a signal, or whose browser blocks storage. */
import type { Tab } from "../tab.js";
import { type Course, keptOf, land, newError } from "./course.js";
import { CONSENT_ADVICE, KEEP_MS, lower, until } from "./wording.js";

export async function refuse(course: Course, tab: Tab): Promise<void> {
  if (!course.hasBanner) {
    const advice = `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`;
    course.findings.unknown("consent_no", "no consent banner was found", advice);
    return;
  }
  const { url, ids } = course.landing(course.candidates());
  await tab.goto(url);
  await until(course.hasNo ? KEEP_MS : 0, () => tab.answer("no", course.options.consentReject, false));
  if (!(await tab.answer("no", course.options.consentReject, true))) {
    course.findings.unknown("consent_no", "no button for no was found", CONSENT_ADVICE);
    return;
  }
  await tab.settle();
  const isKept = (await keptOf(tab, ids, 0)) ?? (await tab.reload().then(() => keptOf(tab, ids, 500)));
  if (isKept === undefined) course.findings.pass("consent_no", "after no nothing is kept, also after a reload");
  else {
    const advice = `Call tracker.setConsent("denied") from the banner's callback: it deletes what is kept.`;
    course.findings.fail("consent_no", `after no the click is kept, in ${isKept.where}`, advice);
  }
}

export async function signal(course: Course, tab: Tab): Promise<void> {
  if (!course.isKept) {
    course.findings.unknown("privacy_control", "no visit keeps a click", "Mend what failed above, then examine again.");
    return;
  }
  const ids = await land(course, tab);
  const kept = await keptOf(tab, ids, 1_000);
  if (kept === undefined) course.findings.pass("privacy_control", "with Global Privacy Control nothing is kept");
  else {
    const advice = "Leave ignoreGlobalPrivacyControl out, unless law and counsel allow it.";
    course.findings.fail("privacy_control", `with Global Privacy Control the click is kept, in ${kept.where}`, advice);
  }
}

export async function visitWithoutStorage(course: Course, tab: Tab): Promise<void> {
  if (!course.isKept) {
    course.findings.unknown("blocked_storage", "no visit keeps a click", "Mend what failed above, then examine again.");
    return;
  }
  const ids = await land(course, tab);
  const kept = await keptOf(tab, ids, 2_000);
  if (kept !== undefined)
    course.findings.pass("blocked_storage", `where localStorage throws, the click is kept in ${kept.where}`);
  else {
    const advice = "Let the site's own scripts catch what localStorage throws: one of them stops the page.";
    course.findings.fail(
      "blocked_storage",
      `where localStorage throws, the click is not kept${newError(course, tab)}`,
      advice,
    );
  }
}

export async function visitBlocked(course: Course, tab: Tab): Promise<void> {
  const ids = await land(course, tab);
  const isBlocked = await tab.evaluate<boolean>(`(() => { try { return !localStorage } catch { return true } })()`);
  if (isBlocked !== true || (await tab.kept()).length > 0) {
    course.findings.unknown(
      "blocked_cookies",
      "this browser could not be made to block cookies",
      "Try another with --chromium PATH.",
    );
    return;
  }
  const advice = "Let the site's own scripts catch what cookies and localStorage throw: one of them stops the page.";
  if (course.tag?.isOpen) {
    const clickId = await tab.evaluate<string>(
      `new Promise((resolve) => window.cakeEdge(({ clickId }) => resolve(clickId ?? "")))`,
    );
    // While a banner waits, the tracker may still report the click it holds.
    if (clickId !== undefined && [...ids.values()].includes(clickId)) {
      course.findings.pass("blocked_cookies", "where the browser blocks cookies, the click lives as long as the page");
    } else
      course.findings.fail(
        "blocked_cookies",
        `where the browser blocks cookies, the tracker has no click${newError(course, tab)}`,
        advice,
      );
    return;
  }
  const error = newError(course, tab);
  const isOfTracker = tab.errors.some(({ url }) => url !== "" && url === tab.trackerUrl);
  if (error === "")
    course.findings.pass("blocked_cookies", "where the browser blocks cookies, the page works without an error");
  else if (isOfTracker || tab.trackerUrl === undefined) {
    course.findings.fail("blocked_cookies", `where the browser blocks cookies, the page throws${error}`, advice);
  } else {
    // A bundle's tracker cannot be asked from outside.
    const found = `where the browser blocks cookies, a script beside the tracker's throws${error}`;
    course.findings.unknown("blocked_cookies", found, advice);
  }
}
