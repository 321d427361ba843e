/**
 * The `<script>` tag: finds its settings, and offers a function `cakeEdge` that takes calls before the tracker exists.
 */

import type { Consent } from "./options.js";
import { type GivenSetting, settingsIn } from "./settings.js";
import { attempt, urlOf } from "./store.js";
import { openTracker, type Tracker } from "./tracker.js";

/** A function that is called with the tracker, as soon as it exists. */
type Use = (tracker: Tracker) => void;

/**
 * `cakeEdge(use)`. Before the tag has loaded, it is the page's own function: it puts `use` in `q`, or a call's
 * `arguments`, as tag managers do.
 */
type Queue = ((use: Use) => void) & { q?: (Use | ArrayLike<Use>)[]; options?: object; consent?: unknown };

/** Makes the tracker, and runs the calls that have waited for it. */
export function openTag(): void {
  const page = window as { cakeEdge?: Queue };
  const { consent, q, options } = page.cakeEdge ?? {};
  // A page may have replaced any of these.
  const current = attempt(() => document.currentScript) as HTMLScriptElement | null | undefined;
  // An optimiser that runs the script in its own way at best leaves its element.
  const script = /^http/.test(current?.src as string)
    ? current
    : (attempt(() => document.querySelector<HTMLScriptElement>("script[src*=cake-edge]")) ?? current);
  // Without an address no URL is made of it.
  const address = script?.src as string;
  const given: GivenSetting[] = [
    ["base", urlOf(".", address)],
    ...(urlOf(address)?.searchParams ?? []),
    ...settingsIn(script?.dataset),
    ...settingsIn(options),
  ];
  // A swapped page brings its tag again. The same word for consent as before is that page's template, and no answer.
  const word = new Map(given).get("consent") ?? consent ?? "granted";
  let use = page.cakeEdge as Queue;
  if (consent === undefined) {
    const tracker = openTracker(given, options);
    // A call that throws affects only the page, and stops no other call.
    use = page.cakeEdge = async (use) => use(tracker);
    for (const each of q ?? []) use((each as ArrayLike<Use> | null)?.[0] ?? (each as Use));
  } else if (consent !== word) use((tracker) => tracker.setConsent(word as Consent));
  use.consent = word;
}
