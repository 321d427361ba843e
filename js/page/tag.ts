/**
 * The `<script>` tag: options from the page, from its `data-` attributes or its own query, the folder of its files, and a
 * function `cakeEdge` that takes calls before the tracker is there.
 */

import { setBase } from "./load.js";
import type { TrackerOptions } from "./options.js";
import { attempt } from "./store.js";
import { createTracker, type Refused, type Tracker } from "./tracker.js";

/** The options of a tag; `base` is the folder of its files. */
type TagOptions = TrackerOptions & { readonly base?: string };

/** What is called with the tracker, as soon as there is one. */
type Use = (tracker: Tracker) => void;

/** `cakeEdge(use)`; before the tag has loaded it is the page's own, and puts `use` in `q`. */
type Queue = ((use: Use) => void) & { q?: Use[]; options?: object; isOpen?: true };

/** The options that a text can say: first those that are yes or no, then the numbers, a list, and any text. */
const NAMES =
  "edge fragment debug ignoreGlobalPrivacyControl windowDays journey cookieDays parameters endpoint touch consent cookieDomain base onError".split(
    " ",
  );

/** Reads the tag and takes calls; what it returns makes the tracker, once the core has started. */
export function openTag(): () => void {
  const page = window as { cakeEdge?: Queue };
  if (page.cakeEdge?.isOpen) return () => undefined;
  const current = document.currentScript as HTMLScriptElement | null;
  // An optimiser that runs the script in its own way leaves its element, at best.
  const script = current?.src ? current : (document.querySelector<HTMLScriptElement>("script[src*=cake-edge]") ?? current);
  const refused: Refused[] = [];
  const { base, ...options } = readOptions(
    [
      attempt(() => Object.fromEntries(new URL(script?.src ?? "").searchParams)),
      script?.dataset,
      page.cakeEdge?.options,
    ],
    refused,
  );
  setBase(
    attempt(() => (base ? new URL(`${base}/`, location.href) : new URL(".", script?.src)).href) ??
      // An inline script's imports are relative to the page.
      "./",
  );
  const waiting = page.cakeEdge?.q ?? [];
  const open = (take: (use: Use) => void) => {
    page.cakeEdge = Object.assign(take, { isOpen: true as const });
  };
  open((use) => void waiting.push(use));
  return () => {
    const tracker = Promise.resolve(createTracker(options, refused));
    // A call that throws is the page's own affair, and keeps no other from being made.
    open((use) => void tracker.then(use));
    waiting.forEach(page.cakeEdge as Queue);
  };
}

/** The options of several sources, the strongest last. A text that an option does not take is refused, and no option. */
function readOptions(sources: readonly (object | undefined)[], refused: Refused[]): TagOptions {
  const options: Record<string, unknown> = {};
  for (const source of sources) {
    for (const [given, value] of Object.entries(source ?? {})) {
      // `data-window-days`, `windowDays`, and `windowdays`, which HTML makes of it.
      const plain = given.replace(/^data-|[-_]/g, "").toLowerCase();
      const at = NAMES.findIndex((name) => name.toLowerCase() === plain);
      const name = NAMES[at] as keyof TagOptions;
      const read = typeof value === "string" ? readText(value.trim(), at) : value;
      if (at < 0) continue;
      if (read !== undefined) options[name] = read;
      else if (value !== undefined) refused.push([name, value]);
    }
  }
  return options;
}

/** What a text says for the option of this place; `undefined` where it says nothing. */
function readText(text: string, at: number): unknown {
  if (at < 4) {
    return /^(true|1|yes|on|)$/i.test(text) || (/^(false|0|no|off)$/i.test(text) ? false : undefined);
  }
  if (at < 7) return /^\d+$/.test(text) ? +text : undefined;
  return (at === 7 ? text.match(/[^\s,]+/g) : text) || undefined;
}
