/** The visit of a visitor who agrees: the landing page, the banner, and everything after it. */
import type { Tab, Visit } from "../tab.js";
import { reportCache, reportEndpoint, reportFiles, reportPolicy, requestHealth } from "./site-checks.js";
import { findTag } from "./site-tag.js";
import { visitAgain } from "./thank-you.js";
import { type StoredClick, type VisitState, waitForClick } from "./visit-state.js";
import { CONSENT_ADVICE, KEEP_MS, lower, where } from "./wording.js";

const TAG = `<script async src="/js/cake-edge.js" data-endpoint="/cake"></script>`;

/** The main visit. `true` if there is a page with cake-edge on it. */
export async function visit(state: VisitState, tab: Tab): Promise<boolean> {
  const landing = state.landing(state.candidates());
  let visit = await tab.goto(landing.url);
  if (!reportPage(state, visit)) return false;
  if ((await tab.evaluate<number>("1")) !== 1) {
    const found = `${where(visit.url)} does not answer: a script of its own keeps the browser busy`;
    state.findings.fail(
      "page",
      found,
      "Find the script that does not end in the browser's developer tools, under Performance.",
    );
    return false;
  }
  state.tag = await findTag(tab);
  let ids = landing.ids;
  const own = (state.tag?.parameters.match(/[^\s,]+/g) ?? []).filter((name) => !ids.has(name));
  if (own.length > 0) {
    // The tag has parameter names of its own: land again, with these.
    const again = state.landing(state.candidates());
    ids = again.ids;
    visit = await tab.goto(again.url);
  }
  const early = await waitForClick(tab, ids, state.tag ? 500 : 1_000);
  const [hasYes, hasNo] = [
    await tab.answer("yes", state.options.consentClick, false),
    await tab.answer("no", state.options.consentReject, false),
  ];
  state.hasBanner = hasYes || hasNo;
  state.hasNo = hasNo;
  await reportConsentLater(state, tab, ids, early);
  const isClicked = hasYes && (await tab.answer("yes", state.options.consentClick, true));
  const kept = await waitForClick(tab, ids, isClicked ? KEEP_MS : 0);
  state.isKept = kept !== undefined;
  state.hasTracker =
    state.isKept || state.tag?.isOpen === true || tab.trackerUrl !== undefined || (await tab.storedTexts()).length > 0;
  state.usualErrors = tab.errors.map(({ text }) => text);
  reportTracker(state, tab);
  await reportLanding(state, tab, visit, kept, isClicked, ids);
  await requestHealth(state, tab);
  if (kept !== undefined) await visitAgain(state, tab, kept.id);
  await reportEndpoint(state, tab);
  await reportFiles(state, tab);
  reportPolicy(state, tab);
  reportCache(state, tab);
  if (kept !== undefined) await reportParameters(state, tab, kept.name);
  return state.hasTracker;
}

function reportPage(state: VisitState, { url, status, from, failure }: Visit): boolean {
  if (failure !== undefined) {
    const advice = /CERT|SSL/.test(failure)
      ? "Install the whole chain of certificates, for this very host."
      : "Check the address, and that the site answers from this machine.";
    state.findings.fail("page", `${where(state.options.url.href)} does not open: ${failure}`, advice);
    return false;
  }
  if (status >= 400) {
    state.findings.fail(
      "page",
      `${where(url)} answers with status ${status}`,
      "Give --browser a landing page that opens.",
    );
    return false;
  }
  state.findings.pass("page", `${where(url)} opens`);
  if (from.length === 0) return true;
  if (/cake-edge-doctor-/.test(url)) state.findings.pass("redirect", `it leads on to ${where(url)} with the click id`);
  else {
    // An answer on the way may have set the cookie: then nothing is lost.
    const advice = "Let the redirect keep the query, or capture before it: without the click id nothing can be kept.";
    state.findings.fail("redirect", `it leads on to ${where(url)} and drops the click id`, advice);
  }
  return true;
}

/** The visitor has not answered yet. */
async function reportConsentLater(
  state: VisitState,
  tab: Tab,
  ids: ReadonlyMap<string, string>,
  early: StoredClick | undefined,
): Promise<void> {
  if (!state.hasBanner) {
    const found = early ? "the site asks nothing, and keeps the click at once" : "no consent banner was found";
    state.findings.unknown("consent_later", found, `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`);
    return;
  }
  const later = early ?? (await tab.reload().then(() => waitForClick(tab, ids, 500)));
  if (later === undefined) {
    state.findings.pass("consent_later", "nothing is kept while the banner waits, also after a reload");
    return;
  }
  const advice = later.isOfServer
    ? "Give the capture consent as a function of the request: `pending` until the banner's cookie says yes."
    : `Start the tracker with consent "pending", and call tracker.setConsent("granted") from the banner's callback.`;
  state.findings.fail("consent_later", `the click is kept before the visitor has answered, in ${later.where}`, advice);
}

function reportTracker(state: VisitState, tab: Tab): void {
  const tag = state.tag;
  if (tag?.isOpen) state.findings.pass("tracker", `the tag runs, from ${where(tag.src)}`);
  else if (tab.trackerUrl !== undefined)
    state.findings.pass("tracker", `a script has the tracker in it: ${where(tab.trackerUrl)}`);
  else if (tab.setCookies.length > 0 || state.isKept)
    state.findings.pass("tracker", "the site's server keeps clicks, in a signed cookie");
  else if (tag !== undefined) {
    const failed = tab.failedScripts.find(({ url }) => url === tag.src);
    const isRefused = tab.violations.some(({ url }) => url === tag.src);
    const why = isRefused ? "the page's policy refuses it" : (failed?.why ?? "it throws, or something holds it back");
    state.findings.fail(
      "tracker",
      `the tag is in the page and does not run: ${where(tag.src)}: ${why}`,
      "Copy node_modules/cake-edge/dist/page/*.js to where the tag's src leads, and let the page's policy allow it.",
    );
  } else {
    state.findings.fail(
      "tracker",
      "no cake-edge was found: no tag, no script with a tracker in it, no click cookie",
      `Copy node_modules/cake-edge/dist/page/*.js to the site's /js/, and paste this into the page: ${TAG}`,
    );
  }
}

async function reportLanding(
  state: VisitState,
  tab: Tab,
  visit: Visit,
  kept: StoredClick | undefined,
  isClicked: boolean,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const isKeptOnTheWay = kept !== undefined && state.findings.of("redirect")?.status === "FAIL";
  if (isKeptOnTheWay)
    state.findings.pass("redirect", `it leads on to ${where(visit.url)}, and the click was kept before that`);
  if (kept !== undefined) {
    state.findings.pass("landing", `the click is kept under ${kept.name}, in ${kept.where}`);
    if (isClicked) state.findings.pass("consent_yes", "after yes the click of the landing is kept");
    else if (state.hasBanner) state.findings.unknown("consent_yes", "no button for yes was found", CONSENT_ADVICE);
    else
      state.findings.unknown(
        "consent_yes",
        "no consent banner was found",
        `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`,
      );
    return;
  }
  const others = (await tab.storedTexts()).find(({ text }) => ![...ids.values()].some((id) => text.includes(id)));
  if (others !== undefined) {
    const found = `${others.where} keeps the click of somebody else`;
    state.findings.fail(
      "landing",
      found,
      "See that no cache hands out an answer that sets the cookie: private, no-store.",
    );
  } else if (isClicked) {
    const advice = `Call tracker.setConsent("granted") from the banner's callback.`;
    state.findings.fail("consent_yes", "after yes no click is kept", advice);
    state.findings.fail("landing", "the click is not kept, though the visitor has agreed", advice);
  } else if (state.findings.of("redirect")?.status === "FAIL") {
    state.findings.fail("landing", "no click id arrives at the page", "Mend the redirect first.");
  } else if (state.tag?.isOpen && /^(denied|false)$/.test(state.tag.consent)) {
    const advice = `Leave the tag's consent out, or start with "pending" and call tracker.setConsent("granted").`;
    state.findings.fail("landing", `the tag's consent is "${state.tag.consent}": nothing is ever kept`, advice);
    state.findings.unknown("consent_yes", "the tag's own consent is a no", advice);
  } else if (state.hasTracker) {
    state.findings.unknown(
      "landing",
      "the click is not kept: the tracker may wait for an answer to a banner",
      CONSENT_ADVICE,
    );
    state.findings.unknown("consent_yes", "no consent banner was found that could be clicked", CONSENT_ADVICE);
  } else {
    state.findings.fail("landing", "nobody keeps the click", "Mend what failed above.");
  }
}

/** Each name by itself: a landing with only that name, after the visitor has agreed. */
async function reportParameters(state: VisitState, tab: Tab, preferred: string): Promise<void> {
  const taken = [preferred];
  for (const name of state.candidates()) {
    if (name === preferred) continue;
    await tab.forgetClick();
    const { url, ids } = state.landing([name]);
    await tab.goto(url, { hasToSettle: false });
    if (await waitForClick(tab, ids, 700)) taken.push(name);
  }
  const wanted = state.options.parameters.filter((name) => !taken.includes(name));
  if (wanted.length > 0) {
    const advice = "Name it in the option parameters, of the tracker and of the capture.";
    state.findings.fail("parameters", `${wanted.join(", ")} is not taken for a click id`, advice);
  } else state.findings.pass("parameters", `taken for a click id: ${taken.join(", ")}`);
}
