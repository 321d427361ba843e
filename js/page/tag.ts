/**
 * The `<script>` tag: options from the page, from its `data-` attributes or its own query, the folder of its files, and a
 * function `cakeEdge` that takes calls before the tracker is there.
 */

import { CakeError } from "../error.js";
import { setBase } from "./load.js";
import type { TrackerOptions } from "./options.js";
import { attempt } from "./store.js";
import { createTracker, type Tracker } from "./tracker.js";

/** What is called with the tracker, as soon as there is one. */
type Use = (tracker: Tracker) => void;

/** `cakeEdge(use)`; before the tag has loaded it is the page's own, and puts `use` in `q`. */
type Queue = ((use: Use) => void) & { q?: Use[]; options?: object; isOpen?: true };

/** Which text each option takes: `b` yes or no, `n` a number, `l` a list, words, or any text. */
const KINDS =
  "edge=b ignoreGlobalPrivacyControl=b fragment=b debug=b windowDays=n journey=n cookieDays=n parameters=l touch=last,first consent=granted,pending,denied endpoint cookieDomain base onError".split(
    " ",
  );

/** Reads the tag and takes calls; what it returns makes the tracker, once the core has started. */
export function openTag(): () => void {
  const page = window as { cakeEdge?: Queue };
  if (page.cakeEdge?.isOpen) return () => undefined;
  const current = document.currentScript as HTMLScriptElement | null;
  // An optimiser that runs the script in its own way leaves its element, at best.
  const script = current?.src
    ? current
    : (document.querySelector<HTMLScriptElement>("script[src*=cake-edge]") ?? current);
  const errors: CakeError[] = [];
  const { base, ...options } = readOptions(
    [
      attempt(() => Object.fromEntries(new URL(script?.src ?? "").searchParams)),
      script?.dataset,
      page.cakeEdge?.options,
    ],
    errors,
  );
  const folder =
    base === undefined ? attempt(() => new URL(".", script?.src)) : attempt(() => new URL(`${base}/`, location.href));
  setBase((folder ?? new URL(".", location.href)).href);
  const waiting = page.cakeEdge?.q ?? [];
  const open = (take: (use: Use) => void) => {
    page.cakeEdge = Object.assign(take, { isOpen: true as const });
  };
  open((use) => void waiting.push(use));
  return () => {
    const tracker = Promise.resolve(createTracker(options, errors));
    // A call that throws is the page's own affair, and keeps no other from being made.
    open((use) => void tracker.then(use));
    waiting.forEach(page.cakeEdge as Queue);
  };
}

/** The options of several sources, the strongest last. A text that an option does not take is an error, and no option. */
function readOptions(
  sources: readonly (Readonly<Record<string, unknown>> | object | undefined)[],
  errors: CakeError[],
): TrackerOptions & { readonly base?: string } {
  const options: Record<string, unknown> = {};
  for (const source of sources) {
    for (const [given, value] of Object.entries(source ?? {})) {
      // `data-window-days`, `windowDays`, and `windowdays`, which HTML makes of it.
      const plain = given.replace(/^data-|[-_]/g, "").toLowerCase();
      const [name, kind] = KINDS.find((kind) => kind.split("=")[0]?.toLowerCase() === plain)?.split("=") ?? [];
      if (name === undefined || value === undefined) continue;
      const read = typeof value === "string" ? readText(value.trim(), name, kind) : value;
      if (read === undefined) {
        errors.push(new CakeError({ code: "invalid_setting", parameter: name, rule: `does not take "${value}"` }));
        // No word that nobody knows is a consent.
        if (name === "consent") options[name] = "pending";
      } else {
        options[name] = read;
      }
    }
  }
  return options;
}

/** What a text says for an option; `undefined` where it says nothing. */
function readText(text: string, name: string, kind: string | undefined): unknown {
  const word = text.toLowerCase();
  if (kind === "b") {
    if (/^(true|1|yes|on|)$/.test(word) || word === name.toLowerCase()) return true;
    return /^(false|0|no|off)$/.test(word) ? false : undefined;
  }
  if (kind === "n") return /^\d+$/.test(text) ? Number(text) : undefined;
  if (kind === "l") return text ? text.split(/[\s,]+/) : undefined;
  if (kind) return kind.split(",").includes(word) ? word : undefined;
  return text || undefined;
}
