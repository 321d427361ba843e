/**
 * The `<script>` tag: finds its settings, and offers a function `cakeEdge` that takes calls before the tracker exists.
 */

import type { Consent } from "./options.js";
import { readSettings, settingsIn } from "./settings.js";
import { attempt, urlOf } from "./store.js";
import { openTracker, type Tracker } from "./tracker.js";

/** A function that is called with the tracker, as soon as it exists. */
type Use = (tracker: Tracker) => void;

/**
 * `cakeEdge(use)`. Before the tag has loaded, it is the page's own function: it puts `use` in `q`, or a call's
 * `arguments`, as tag managers do.
 */
type Queue = ((use: Use) => void) & { q?: (Use | ArrayLike<Use>)[]; options?: object; consent?: Consent };

/** Makes the tracker, and runs the calls that have waited for it. */
export function openTag(): void {
  const page = window as { cakeEdge?: Queue };
  let use = page.cakeEdge;
  // A page may have replaced any of these.
  const current = attempt(() => document.currentScript) as HTMLScriptElement | null | undefined;
  // A module does not know its element, and an optimiser that runs the script in its own way at best leaves it: the one
  // with the file's own name, or else a module's with one of our attributes.
  const script = attempt(() =>
    /^http/.test(current?.src as string)
      ? current
      : document.querySelector<HTMLScriptElement>(
          '[src*="/cake-edge.js"],[type=module][data-consent],[type=module][data-base]',
        ),
  );
  // Without an address no URL is made of it.
  const address = script?.src as string;
  const before: Partial<Queue> = use ?? {};
  const settings = readSettings([
    ["base", urlOf(".", address)],
    ...(urlOf(address)?.searchParams ?? []),
    // Those of the element that runs go first.
    ...settingsIn({ ...script?.dataset, ...current?.dataset }),
    ...settingsIn(before.options),
  ]);
  const consent = settings.consent ?? before.consent ?? "granted";
  if (use && before.consent) {
    // A swapped page brings its tag again. The same word as before is that page's template, and no answer.
    if (consent !== before.consent) use((tracker) => tracker.setConsent(consent));
  } else {
    const tracker = openTracker(settings, before.options);
    // A call that throws affects only the page, and stops no other call.
    page.cakeEdge = use = (use: Use) => void Promise.resolve(tracker).then(use);
    for (const each of before.q ?? []) use((each as ArrayLike<Use> | null)?.[0] ?? (each as Use));
  }
  use.consent = consent;
}
