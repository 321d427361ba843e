/**
 * The `<script>` tag: options from its `data-` attributes, and a function `cakeEdge` that takes calls before the
 * tracker is there.
 */
import { createTracker, type Tracker } from "./tracker.js";
import type { TrackerOptions } from "./options.js";

/** What is called with the tracker, as soon as there is one. */
type Use = (tracker: Tracker) => void;

/** `cakeEdge(use)`; before the tag has loaded it is the page's own, and puts `use` in `q`. */
type Queue = ((use: Use) => void) & { q?: Use[] };

/** Reads the tag, and says what to do once the core has started. */
export function openTag(): { open: () => void; fail: (thrown: unknown) => void } {
  const page = window as { cakeEdge?: Queue };
  const { dataset } = (document.currentScript ?? {}) as HTMLScriptElement;
  const waiting = page.cakeEdge?.q ?? [];
  page.cakeEdge = (use) => waiting.push(use);
  return {
    open() {
      const tracker = createTracker(optionsOf(dataset ?? {}));
      // A call that throws is the page's own affair, and keeps no other from being made.
      const run = (use: Use) => void Promise.resolve(tracker).then(use);
      waiting.forEach(run);
      page.cakeEdge = run;
    },
    fail: (thrown) => console.debug("cake-edge:", thrown),
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
