/**
 * The `<script>` tag: options from its `data-` attributes, and a function `cakeEdge` that takes calls before the
 * tracker is there.
 */

import type { TrackerOptions } from "./options.js";
import { createTracker, type Tracker } from "./tracker.js";

/** What is called with the tracker, as soon as there is one. */
type Use = (tracker: Tracker) => void;

/** `cakeEdge(use)`; before the tag has loaded it is the page's own, and puts `use` in `q`. */
type Queue = ((use: Use) => void) & { q?: Use[] };

/** Reads the tag and takes calls; what it returns makes the tracker, once the core has started. */
export function openTag(): () => void {
  const page = window as { cakeEdge?: Queue };
  const options = optionsOf(document.currentScript?.dataset ?? {});
  const waiting = page.cakeEdge?.q ?? [];
  page.cakeEdge = (use) => waiting.push(use);
  return () => {
    const tracker = Promise.resolve(createTracker(options));
    // A call that throws is the page's own affair, and keeps no other from being made.
    page.cakeEdge = (use) => void tracker.then(use);
    waiting.forEach(page.cakeEdge);
  };
}

/** `data-window-days="7"` is `windowDays: 7`, `data-edge` is `edge: true`, `data-parameters="reqid r"` a list. */
function optionsOf(dataset: DOMStringMap): TrackerOptions {
  return Object.fromEntries(
    Object.entries(dataset).map(([name, value = ""]) => [
      name,
      name === "parameters" ? value.split(" ") : value === "" ? true : Number(value) || value,
    ]),
  );
}
