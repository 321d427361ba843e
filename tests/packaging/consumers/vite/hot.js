/** A module that is replaced while the page stays. */
import { createTracker } from "cake-edge/page";

const VERSION = 1;
const tracker = createTracker();
tracker.convert({ offerId: 12345, orderId: "ORD-1" }).then(({ state }) => {
  document.documentElement.dataset.landed = [VERSION, tracker.clickId, state].join(" ");
});

if (import.meta.hot) {
  import.meta.hot.accept();
  import.meta.hot.dispose(() => tracker.dispose?.());
}
