import { createTracker, isCakeError } from "cake-edge/page";

const tracker = createTracker({ endpoint: "/cake" });
const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

element("click-id").textContent = tracker.clickId ?? "none: no click led here";

element<HTMLButtonElement>("convert").addEventListener("click", async () => {
  const result = element("result");
  result.textContent = "Sending …";
  try {
    const orderId = `ORD-${Date.now()}`;
    const { state } = await tracker.convert({ offerId: 12345, uniqueId: orderId, orderId });
    result.textContent = `Conversion ${orderId}: ${state}`;
  } catch (error) {
    result.textContent = isCakeError(error) ? `${error.code}: ${error.message}` : "No connection";
  }
});
