/** The `<script>` tag: finds its settings, and has a function `cakeEdge` that takes calls before the tracker is there. */

import { attempt } from "./store.js";
import { openTracker, type Tracker } from "./tracker.js";

/** What is called with the tracker, as soon as there is one. */
type Use = (tracker: Tracker) => void;

/**
 * `cakeEdge(use)`; before the tag has loaded it is the page's own, and puts `use` in `q`, or a call's `arguments`, as tag
 * managers do.
 */
type Queue = ((use: Use) => void) & { q?: (Use | ArrayLike<Use>)[]; options?: object; isOpen?: true };

/** Makes the tracker, and the calls that have waited for it. */
export function openTag(): void {
  const page = window as { cakeEdge?: Queue };
  const { isOpen, q = [], options } = page.cakeEdge ?? {};
  if (isOpen) return;
  const current = document.currentScript as HTMLScriptElement | null;
  // An optimiser that runs the script in its own way leaves its element, at best.
  const script = current?.src
    ? current
    : (document.querySelector<HTMLScriptElement>("script[src*=cake-edge]") ?? current);
  const address = script?.src ?? "";
  const tracker = openTracker([
    { base: address.replace(/\/[^/?]*(\?.*)?$/, "") },
    attempt(() => Object.fromEntries(new URL(address).searchParams)),
    script?.dataset,
    options,
  ]);
  // A call that throws is the page's own affair, and keeps no other from being made.
  const use = (use: Use) => void Promise.resolve(tracker).then(use);
  page.cakeEdge = Object.assign(use, { isOpen: true as const });
  for (const each of q) use((each as ArrayLike<Use> | null)?.[0] ?? (each as Use));
}
