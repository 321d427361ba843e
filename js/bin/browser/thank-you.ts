/** The steps after a kept click: a reload, a landing without a click id, the page that converts. */
import type { Tab } from "../tab.js";
import type { Course } from "./course.js";
import type { Conversion } from "./held-back.js";
import { pause, until, where } from "./wording.js";

/** When the tracker of a bundle loads its outbox: 3 s after the page. */
const OUTBOX_MS = 3_300;
const CONVERT_MS = 4_000;

/** The steps after a kept click: a reload, a landing without a click id, the page that converts. */
export async function keepOn(course: Course, tab: Tab, id: string): Promise<void> {
  const still = async () => (await tab.kept()).some(({ text }) => text.includes(id));
  const lost = "See that nothing else deletes cookies and localStorage, and that the banner's answer is remembered.";
  await tab.reload();
  if (await still()) course.findings.pass("reload", "the click is still kept");
  else course.findings.fail("reload", "the click is lost by a reload", lost);
  const begin = Date.now();
  await tab.goto(course.landing([]).url);
  if (await still()) course.findings.pass("second_landing", "a landing without a click id leaves the click as it is");
  else course.findings.fail("second_landing", "the click is lost by a landing without a click id", lost);
  if (course.options.thankYou === undefined) {
    // A missing file of a bundle shows only when the tracker loads it.
    if (!course.tag && tab.trackerUrl) await pause(OUTBOX_MS - (Date.now() - begin));
    course.findings.unknown(
      "thank_you",
      "no page that converts was given",
      "Give --thank-you URL; nothing real is sent.",
    );
    return;
  }
  await convert(course, tab, course.options.thankYou, id);
}

async function convert(course: Course, tab: Tab, thankYou: URL, id: string): Promise<void> {
  const isPage = `location.pathname === ${JSON.stringify(thankYou.pathname)}`;
  const visit = await tab.goto(thankYou.href);
  const conversion = await nextConversion(course, 0);
  const advice =
    "Call tracker.convert({ offerId, orderId }) on this page, after consent; debug: true says in the console why nothing is sent.";
  if (visit.failure !== undefined || visit.status >= 400) {
    const why = visit.failure ?? `status ${visit.status}`;
    course.findings.fail(
      "thank_you",
      `${where(thankYou.href)} does not open: ${why}`,
      "Give --thank-you a page that opens.",
    );
    return;
  }
  if (conversion === undefined) {
    if ((await tab.evaluate<boolean>(isPage)) === false) {
      const found = `${where(thankYou.href)} leads on to ${where(visit.url)}, and nothing converts`;
      course.findings.unknown("thank_you", found, "Give --thank-you the page of an order that exists.");
    } else if (course.held.pixels > 0) {
      const found = "CAKE's own pixel fires (it was held back), and no conversion of cake-edge's";
      course.findings.unknown("thank_you", found, advice);
    } else course.findings.fail("thank_you", "the page sends no conversion", advice);
    return;
  }
  const { url, fields } = conversion;
  course.endpoint = new URL(url.replace(/\/conversions\/?(\?.*)?$/, "/"));
  const hasServerCookie = (await tab.kept()).some(({ text, isOfServer }) => isOfServer && text.includes(id));
  if (fields.clickId !== id && !hasServerCookie) {
    const found = fields.clickId === undefined ? "no click id" : "another click id than the kept one";
    course.findings.fail(
      "thank_you",
      `the conversion has ${found}`,
      "Leave clickId out of convert: the tracker knows the kept one.",
    );
    return;
  }
  if (conversion.refusal !== undefined) {
    const found = `the conversion is one that a forwarder refuses: ${conversion.refusal}`;
    course.findings.fail("thank_you", found, "Give convert the offer's number, and the order's own id as orderId.");
    return;
  }
  const sent = `a conversion of offer ${String(fields.offerId)} with the kept click id goes to ${where(url)}`;
  course.findings.pass("thank_you", `${sent}; it was answered here`);
  const before = course.held.conversions.length;
  await tab.reload();
  const again = await nextConversion(course, before, 1_500);
  if (again === undefined) course.findings.pass("thank_you_reload", "a reload converts nothing");
  else if (again.fields.uniqueId === fields.uniqueId) {
    course.findings.pass("thank_you_reload", "a reload has the same unique id, and counts once");
  } else {
    const advice = "Give convert the order's own id as orderId, the same on each load.";
    course.findings.fail("thank_you_reload", "a reload converts a second time, under another unique id", advice);
  }
}

async function nextConversion(course: Course, after: number, limitMs = CONVERT_MS): Promise<Conversion | undefined> {
  return until(limitMs, async () => course.held.conversions[after]);
}
