/** The visit of a visitor who agrees: the landing page, the banner, and everything after it. */
import type { Tab, Visit } from "../tab.js";
import { type Course, type KeptClick, keptOf } from "./course.js";
import { knock, tellCache, tellEndpoint, tellFiles, tellPolicy } from "./site-checks.js";
import { findTag } from "./site-tag.js";
import { keepOn } from "./thank-you.js";
import { CONSENT_ADVICE, KEEP_MS, lower, where } from "./wording.js";

const TAG = `<script async src="/js/cake-edge.js" data-endpoint="/cake"></script>`;

/** The main visit. `true` if there is a page with cake-edge on it. */
export async function visit(course: Course, tab: Tab): Promise<boolean> {
  const landing = course.landing(course.candidates());
  let visit = await tab.goto(landing.url);
  if (!tellPage(course, visit)) return false;
  if ((await tab.evaluate<number>("1")) !== 1) {
    const found = `${where(visit.url)} does not answer: a script of its own keeps the browser busy`;
    course.findings.fail(
      "page",
      found,
      "Find the script that does not end in the browser's developer tools, under Performance.",
    );
    return false;
  }
  course.tag = await findTag(tab);
  let ids = landing.ids;
  const own = (course.tag?.parameters.match(/[^\s,]+/g) ?? []).filter((name) => !ids.has(name));
  if (own.length > 0) {
    // The tag has parameter names of its own: land again, with these.
    const again = course.landing(course.candidates());
    ids = again.ids;
    visit = await tab.goto(again.url);
  }
  const early = await keptOf(tab, ids, course.tag ? 500 : 1_000);
  const [hasYes, hasNo] = [
    await tab.answer("yes", course.options.consentClick, false),
    await tab.answer("no", course.options.consentReject, false),
  ];
  course.hasBanner = hasYes || hasNo;
  course.hasNo = hasNo;
  await tellLater(course, tab, ids, early);
  const isClicked = hasYes && (await tab.answer("yes", course.options.consentClick, true));
  const kept = await keptOf(tab, ids, isClicked ? KEEP_MS : 0);
  course.isKept = kept !== undefined;
  course.hasTracker =
    course.isKept || course.tag?.isOpen === true || tab.trackerUrl !== undefined || (await tab.kept()).length > 0;
  course.usualErrors = tab.errors.map(({ text }) => text);
  tellTracker(course, tab);
  await tellLanding(course, tab, visit, kept, isClicked, ids);
  await knock(course, tab);
  if (kept !== undefined) await keepOn(course, tab, kept.id);
  await tellEndpoint(course, tab);
  await tellFiles(course, tab);
  tellPolicy(course, tab);
  tellCache(course, tab);
  if (kept !== undefined) await tellParameters(course, tab, kept.name);
  return course.hasTracker;
}

function tellPage(course: Course, { url, status, from, failure }: Visit): boolean {
  if (failure !== undefined) {
    const advice = /CERT|SSL/.test(failure)
      ? "Install the whole chain of certificates, for this very host."
      : "Check the address, and that the site answers from this machine.";
    course.findings.fail("page", `${where(course.options.url.href)} does not open: ${failure}`, advice);
    return false;
  }
  if (status >= 400) {
    course.findings.fail(
      "page",
      `${where(url)} answers with status ${status}`,
      "Give --browser a landing page that opens.",
    );
    return false;
  }
  course.findings.pass("page", `${where(url)} opens`);
  if (from.length === 0) return true;
  if (/cake-edge-doctor-/.test(url)) course.findings.pass("redirect", `it leads on to ${where(url)} with the click id`);
  else {
    // An answer on the way may have set the cookie: then nothing is lost.
    const advice = "Let the redirect keep the query, or capture before it: without the click id nothing can be kept.";
    course.findings.fail("redirect", `it leads on to ${where(url)} and drops the click id`, advice);
  }
  return true;
}

/** The visitor has not answered yet. */
async function tellLater(
  course: Course,
  tab: Tab,
  ids: ReadonlyMap<string, string>,
  early: KeptClick | undefined,
): Promise<void> {
  if (!course.hasBanner) {
    const found = early ? "the site asks nothing, and keeps the click at once" : "no consent banner was found";
    course.findings.unknown("consent_later", found, `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`);
    return;
  }
  const later = early ?? (await tab.reload().then(() => keptOf(tab, ids, 500)));
  if (later === undefined) {
    course.findings.pass("consent_later", "nothing is kept while the banner waits, also after a reload");
    return;
  }
  const advice = later.isOfServer
    ? "Give the capture consent as a function of the request: `pending` until the banner's cookie says yes."
    : `Start the tracker with consent "pending", and call tracker.setConsent("granted") from the banner's callback.`;
  course.findings.fail("consent_later", `the click is kept before the visitor has answered, in ${later.where}`, advice);
}

function tellTracker(course: Course, tab: Tab): void {
  const tag = course.tag;
  if (tag?.isOpen) course.findings.pass("tracker", `the tag runs, from ${where(tag.src)}`);
  else if (tab.trackerUrl !== undefined)
    course.findings.pass("tracker", `a script has the tracker in it: ${where(tab.trackerUrl)}`);
  else if (tab.setCookies.length > 0 || course.isKept)
    course.findings.pass("tracker", "the site's server keeps clicks, in a signed cookie");
  else if (tag !== undefined) {
    const failed = tab.failedScripts.find(({ url }) => url === tag.src);
    const isRefused = tab.violations.some(({ url }) => url === tag.src);
    const why = isRefused ? "the page's policy refuses it" : (failed?.why ?? "it throws, or something holds it back");
    course.findings.fail(
      "tracker",
      `the tag is in the page and does not run: ${where(tag.src)}: ${why}`,
      "Copy node_modules/cake-edge/dist/page/*.js to where the tag's src leads, and let the page's policy allow it.",
    );
  } else {
    course.findings.fail(
      "tracker",
      "no cake-edge was found: no tag, no script with a tracker in it, no click cookie",
      `Copy node_modules/cake-edge/dist/page/*.js to the site's /js/, and paste this into the page: ${TAG}`,
    );
  }
}

async function tellLanding(
  course: Course,
  tab: Tab,
  visit: Visit,
  kept: KeptClick | undefined,
  isClicked: boolean,
  ids: ReadonlyMap<string, string>,
): Promise<void> {
  const isKeptOnTheWay = kept !== undefined && course.findings.of("redirect")?.status === "FAIL";
  if (isKeptOnTheWay)
    course.findings.pass("redirect", `it leads on to ${where(visit.url)}, and the click was kept before that`);
  if (kept !== undefined) {
    course.findings.pass("landing", `the click is kept under ${kept.name}, in ${kept.where}`);
    if (isClicked) course.findings.pass("consent_yes", "after yes the click of the landing is kept");
    else if (course.hasBanner) course.findings.unknown("consent_yes", "no button for yes was found", CONSENT_ADVICE);
    else
      course.findings.unknown(
        "consent_yes",
        "no consent banner was found",
        `Where the site asks its visitors: ${lower(CONSENT_ADVICE)}`,
      );
    return;
  }
  const others = (await tab.kept()).find(({ text }) => ![...ids.values()].some((id) => text.includes(id)));
  if (others !== undefined) {
    const found = `${others.where} keeps the click of somebody else`;
    course.findings.fail(
      "landing",
      found,
      "See that no cache hands out an answer that sets the cookie: private, no-store.",
    );
  } else if (isClicked) {
    const advice = `Call tracker.setConsent("granted") from the banner's callback.`;
    course.findings.fail("consent_yes", "after yes no click is kept", advice);
    course.findings.fail("landing", "the click is not kept, though the visitor has agreed", advice);
  } else if (course.findings.of("redirect")?.status === "FAIL") {
    course.findings.fail("landing", "no click id arrives at the page", "Mend the redirect first.");
  } else if (course.tag?.isOpen && /^(denied|false)$/.test(course.tag.consent)) {
    const advice = `Leave the tag's consent out, or start with "pending" and call tracker.setConsent("granted").`;
    course.findings.fail("landing", `the tag's consent is "${course.tag.consent}": nothing is ever kept`, advice);
    course.findings.unknown("consent_yes", "the tag's own consent is a no", advice);
  } else if (course.hasTracker) {
    course.findings.unknown(
      "landing",
      "the click is not kept: the tracker may wait for an answer to a banner",
      CONSENT_ADVICE,
    );
    course.findings.unknown("consent_yes", "no consent banner was found that could be clicked", CONSENT_ADVICE);
  } else {
    course.findings.fail("landing", "nobody keeps the click", "Mend what failed above.");
  }
}

/** Each name by itself: a landing with only that name, after the visitor has agreed. */
async function tellParameters(course: Course, tab: Tab, preferred: string): Promise<void> {
  const taken = [preferred];
  for (const name of course.candidates()) {
    if (name === preferred) continue;
    await tab.forgetClick();
    const { url, ids } = course.landing([name]);
    await tab.goto(url, { hasToSettle: false });
    if (await keptOf(tab, ids, 700)) taken.push(name);
  }
  const wanted = course.options.parameters.filter((name) => !taken.includes(name));
  if (wanted.length > 0) {
    const advice = "Name it in the option parameters, of the tracker and of the capture.";
    course.findings.fail("parameters", `${wanted.join(", ")} is not taken for a click id`, advice);
  } else course.findings.pass("parameters", `taken for a click id: ${taken.join(", ")}`);
}
