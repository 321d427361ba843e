/**
 * The `<script>` tag: finds its settings, and offers a function `cakeEdge` that takes calls before the tracker exists.
 */

import { settingsIn } from "./settings.js";
import { attempt, urlOf } from "./store.js";
import { openTracker, type Tracker } from "./tracker.js";

/** A function that is called with the tracker, as soon as it exists. */
type Use = (tracker: Tracker) => void;

/**
 * `cakeEdge(use)`. Before the tag has loaded, it is the page's own function: it puts `use` in `q`, or a call's
 * `arguments`, as tag managers do.
 */
type Queue = ((use: Use) => void) & { q?: (Use | ArrayLike<Use>)[]; options?: object; isOpen?: true };

/** Makes the tracker, and runs the calls that have waited for it. */
export function openTag(): void {
  const page = window as { cakeEdge?: Queue };
  const { isOpen, q, options } = page.cakeEdge ?? {};
  if (isOpen) return;
  // A page may have replaced any of these.
  const current = attempt(() => document.currentScript) as HTMLScriptElement | null | undefined;
  // An optimiser that runs the script in its own way at best leaves its element.
  const script = /^http/.test(current?.src as string)
    ? current
    : (attempt(() => document.querySelector<HTMLScriptElement>("script[src*=cake-edge]")) ?? current);
  // Without an address no URL is made of it.
  const address = script?.src as string;
  const tracker = openTracker(
    [
      ["base", urlOf(".", address)],
      ...(urlOf(address)?.searchParams ?? []),
      ...settingsIn(script?.dataset),
      ...settingsIn(options),
    ],
    options,
  );
  // A call that throws affects only the page, and stops no other call.
  const use: Queue = (use) => void Promise.resolve(tracker).then(use);
  use.isOpen = true;
  page.cakeEdge = use;
  for (const each of q ?? []) use((each as ArrayLike<Use> | null)?.[0] ?? (each as Use));
}
