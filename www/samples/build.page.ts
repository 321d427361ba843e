/** Builds a link in a page. The demo's first step runs this file. */
import { type CakeError, createTracker, type Tracker } from "cake-edge/page";

const problems: CakeError[] = [];
const tracker = createTracker({
  consent: "pending", // This page only builds links: it stores nothing.
  onError: (error) => problems.push(error), // Nothing is thrown into a page.
});

export function trackingLink(parts: Parameters<Tracker["link"]>[0]) {
  return { link: tracker.link(parts), problem: problems.pop() };
}
