/** The state of a visit: its options, its findings and its observations of the site. */
import { randomUUID } from "node:crypto";
import type { StoredText, Tab } from "../tab.js";
import { Findings } from "./findings.js";
import { Interceptor } from "./interceptor.js";
import type { Tag } from "./site-tag.js";
import { list, until } from "./wording.js";

/** The options of a visit. */
export interface BrowserOptions {
  /** The landing page. */
  readonly url: URL;
  /** The page that reports the conversion. */
  readonly thankYou: URL | undefined;
  /** The banner's buttons, as CSS selectors. */
  readonly consentClick: string | undefined;
  readonly consentReject: string | undefined;
  /** More names of the click id's parameter. */
  readonly parameters: readonly string[];
  /** The path of the browser's program. */
  readonly chromium: string | undefined;
  /** The time limit for loading each page, in milliseconds. */
  readonly loadMs: number;
}

/** The default names of a click id's parameter: those of `src/click_id.rs`. */
const PARAMETERS = ["reqid", "ckm_request_id", "click_id", "clickid"];
/** Other names in use, but not by default. */
const MORE_PARAMETERS = ["transaction_id", "tranid"];

/** What a visit knows so far. */
export class VisitState {
  readonly options: BrowserOptions;
  readonly findings = new Findings();
  readonly interceptor = new Interceptor();
  tag: Tag | undefined;
  hasTracker = false;
  hasBanner = false;
  hasNo = false;
  isKept = false;
  endpoint: URL | undefined;
  /** Errors that the page throws even without a click. */
  usualErrors: readonly string[] = [];

  constructor(options: BrowserOptions) {
    this.options = options;
  }

  /** A landing page's address with a made-up click id under each name, and the ids by their names. */
  landing(names: readonly string[]): { url: string; ids: Map<string, string> } {
    const url = new URL(this.options.url);
    for (const name of [...url.searchParams.keys()]) {
      if (this.candidates().some((each) => each.toLowerCase() === name.toLowerCase())) url.searchParams.delete(name);
    }
    const ids = new Map(names.map((name) => [name, `cake-edge-doctor-${randomUUID().slice(0, 18)}`]));
    for (const [name, id] of ids) url.searchParams.set(name, id);
    return { url: url.href, ids };
  }

  /** The names under which a click id is tried. */
  candidates(): string[] {
    const own = this.tag?.parameters.match(/[^\s,]+/g) ?? [];
    return [...new Set([...this.options.parameters, ...own, ...PARAMETERS, ...MORE_PARAMETERS])];
  }
}

/** A kept click, and the name of the parameter that brought it. */
export interface StoredClick extends StoredText {
  readonly id: string;
  readonly name: string;
}

/** Waits until one of the ids is kept. */
export function waitForClick(
  tab: Tab,
  ids: ReadonlyMap<string, string>,
  limitMs: number,
): Promise<StoredClick | undefined> {
  return until(limitMs, async () => {
    const all = await tab.storedTexts();
    for (const [name, id] of ids) {
      const kept = all.filter(({ text }) => text.includes(id));
      const [first] = kept;
      if (first) return { ...first, where: list(kept.map(({ where }) => where)), name, id };
    }
    return undefined;
  });
}

/** Lands as a visitor who agrees. */
export async function landWithConsent(state: VisitState, tab: Tab): Promise<ReadonlyMap<string, string>> {
  const { url, ids } = state.landing(state.candidates());
  await tab.goto(url);
  if (state.hasBanner && (await tab.answer("yes", state.options.consentClick, true))) await tab.settle();
  return ids;
}

/** An uncaught error that a plain visit does not have; empty if there is none. */
export function newError(state: VisitState, tab: Tab): string {
  const error = tab.errors.find(({ text }) => !state.usualErrors.includes(text));
  return error === undefined ? "" : `: ${error.text.slice(0, 120)}`;
}
