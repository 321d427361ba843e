import { createTracker } from "cake-edge/page";

const tracker = createTracker({ endpoint: "/cake" });
const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;

element("click-id").textContent = tracker.clickId ?? "none: no click led here";

element<HTMLButtonElement>("convert").addEventListener("click", async () => {
  const result = element("result");
  result.textContent = "Sending …";
  const orderId = `ORD-${Date.now()}`;
  const { state, code } = await tracker.convert({ offerId: 12345, uniqueId: orderId, orderId });
  result.textContent = code === undefined ? `Conversion ${orderId}: ${state}` : `${code}: ${state}`;
});
