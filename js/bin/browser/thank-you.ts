/** The steps after a kept click: a reload, a landing without a click id, the page that converts. */
import type { Tab } from "../tab.js";
import type { Conversion } from "./interceptor.js";
import type { VisitState } from "./visit-state.js";
import { pause, until, where } from "./wording.js";

/** When the tracker of a bundle loads its outbox: 3 s after the page. */
const OUTBOX_MS = 3_300;
const CONVERT_MS = 4_000;

/** The steps after a kept click: a reload, a landing without a click id, the page that converts. */
export async function visitAgain(state: VisitState, tab: Tab, id: string): Promise<void> {
  const still = async () => (await tab.storedTexts()).some(({ text }) => text.includes(id));
  const lost = "See that nothing else deletes cookies and localStorage, and that the banner's answer is remembered.";
  await tab.reload();
  if (await still()) state.findings.pass("reload", "the click is still kept");
  else state.findings.fail("reload", "the click is lost by a reload", lost);
  const begin = Date.now();
  await tab.goto(state.landing([]).url);
  if (await still()) state.findings.pass("second_landing", "a landing without a click id leaves the click as it is");
  else state.findings.fail("second_landing", "the click is lost by a landing without a click id", lost);
  if (state.options.thankYou === undefined) {
    // A missing file of a bundle shows only when the tracker loads it.
    if (!state.tag && tab.trackerUrl) await pause(OUTBOX_MS - (Date.now() - begin));
    state.findings.unknown(
      "thank_you",
      "no page that converts was given",
      "Give --thank-you URL; nothing real is sent.",
    );
    return;
  }
  await convert(state, tab, state.options.thankYou, id);
}

async function convert(state: VisitState, tab: Tab, thankYou: URL, id: string): Promise<void> {
  const isPage = `location.pathname === ${JSON.stringify(thankYou.pathname)}`;
  const visit = await tab.goto(thankYou.href);
  const conversion = await nextConversion(state, 0);
  const advice =
    "Call tracker.convert({ offerId, orderId }) on this page, after consent; debug: true says in the console why nothing is sent.";
  if (visit.failure !== undefined || visit.status >= 400) {
    const why = visit.failure ?? `status ${visit.status}`;
    state.findings.fail(
      "thank_you",
      `${where(thankYou.href)} does not open: ${why}`,
      "Give --thank-you a page that opens.",
    );
    return;
  }
  if (conversion === undefined) {
    if ((await tab.evaluate<boolean>(isPage)) === false) {
      const found = `${where(thankYou.href)} leads on to ${where(visit.url)}, and nothing converts`;
      state.findings.unknown("thank_you", found, "Give --thank-you the page of an order that exists.");
    } else if (state.interceptor.pixels > 0) {
      const found = "CAKE's own pixel fires (it was held back), and no conversion of cake-edge's";
      state.findings.unknown("thank_you", found, advice);
    } else state.findings.fail("thank_you", "the page sends no conversion", advice);
    return;
  }
  const { url, fields } = conversion;
  state.endpoint = new URL(url.replace(/\/conversions\/?(\?.*)?$/, "/"));
  const hasServerCookie = (await tab.storedTexts()).some(({ text, isOfServer }) => isOfServer && text.includes(id));
  if (fields.clickId !== id && !hasServerCookie) {
    const found = fields.clickId === undefined ? "no click id" : "another click id than the kept one";
    state.findings.fail(
      "thank_you",
      `the conversion has ${found}`,
      "Leave clickId out of convert: the tracker knows the kept one.",
    );
    return;
  }
  if (conversion.refusal !== undefined) {
    const found = `the conversion is one that a forwarder refuses: ${conversion.refusal}`;
    state.findings.fail("thank_you", found, "Give convert the offer's number, and the order's own id as orderId.");
    return;
  }
  const sent = `a conversion of offer ${String(fields.offerId)} with the kept click id goes to ${where(url)}`;
  state.findings.pass("thank_you", `${sent}; it was answered here`);
  const before = state.interceptor.conversions.length;
  await tab.reload();
  const again = await nextConversion(state, before, 1_500);
  if (again === undefined) state.findings.pass("thank_you_reload", "a reload converts nothing");
  else if (again.fields.uniqueId === fields.uniqueId) {
    state.findings.pass("thank_you_reload", "a reload has the same unique id, and counts once");
  } else {
    const advice = "Give convert the order's own id as orderId, the same on each load.";
    state.findings.fail("thank_you_reload", "a reload converts a second time, under another unique id", advice);
  }
}

async function nextConversion(state: VisitState, after: number, limitMs = CONVERT_MS): Promise<Conversion | undefined> {
  return until(limitMs, async () => state.interceptor.conversions[after]);
}
