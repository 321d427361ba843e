/** The demo's part of the thank-you page: shows the result of the conversion. */
import type { Order } from "../../visit.js";
import { openPanel } from "../panel.js";
import { conversion, tracker } from "./thanks.js";

/** The meaning of a code, for people. */
const MEANING: Record<string, string> = {
  click_converted: "this click has converted already; click the link again",
  invalid_click_id: "no click led here",
  consent_pending: "it waits in this page until the visitor has answered",
  consent_denied: "the visitor has refused: nothing is sent",
  network: "no answer; it is sent again",
};

const { orderId: uniqueId = "", offerId } = document.body.dataset;
let order: Order = { uniqueId, offerId: Number(offerId), state: undefined };

const draw = openPanel({ page: "thanks", tracker, order: () => ({ order, words: wordsOf(order) }) });
await draw();
order = { ...order, ...(await conversion) };
await draw();

function wordsOf({ state, code }: Order): string {
  if (state === undefined) return "sending …";
  return code === undefined ? state : `${state}, ${code}: ${MEANING[code] ?? "see docs/page.md"}`;
}
