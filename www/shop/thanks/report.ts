/** The demo's part of the thank-you page: tells what came of the conversion. */
import { kept, showPanel } from "../panel.js";
import { conversion, tracker } from "./thanks.js";

/** What a person can do about a refusal. */
const ADVICE: Record<string, string> = {
  click_converted: "this click has converted already; click the link again",
  invalid_click_id: "no click led here",
};

const { orderId: uniqueId = "", offerId } = document.body.dataset;
const order = { uniqueId, offerId: Number(offerId) };

showPanel("thanks", tracker.clickId, { ...order, state: undefined }, [["Conversion", "sending …"]]);
const { state, id, code } = await conversion;
const reason = code === undefined ? "" : `, ${code}: ${ADVICE[code] ?? "see the console"}`;
showPanel("thanks", tracker.clickId, { ...order, state, id, code }, [
  ["Conversion", state + reason],
  ...(state === "refused" ? [] : kept()),
]);
