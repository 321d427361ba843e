/** The demo's part of the thank-you page: tells what came of the conversion. */
import { isCakeError } from "cake-edge/page";
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
try {
  const result = (await conversion) as { state: string; id?: string; code?: string };
  const { state, id, code } = result;
  showPanel("thanks", tracker.clickId, { ...order, state, id, code }, [
    ["Conversion", code === undefined ? state : `${state}: ${code}`],
    ...kept(),
  ]);
} catch (error) {
  const code = isCakeError(error) ? error.code : "network";
  showPanel("thanks", tracker.clickId, { ...order, state: "refused", code }, [
    ["Conversion", `refused, ${code}: ${ADVICE[code] ?? "see the console"}`],
  ]);
}
