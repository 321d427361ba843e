/** Words and waits that the steps share. */

/** The time limit for keeping a click, in milliseconds. */
export const KEEP_MS = 5_000;
export const CONSENT_ADVICE =
  "Name the banner's buttons: --consent-click SELECTOR for yes, --consent-reject SELECTOR for no, as CSS selectors.";

/** The first result that is neither `undefined` nor `false`, within a time limit. */
export async function until<T>(limitMs: number, find: () => Promise<T | undefined>): Promise<T | undefined> {
  const end = Date.now() + limitMs;
  for (;;) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() >= end) return undefined;
    await pause(100);
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

/** An address without its query, which may be private. */
export function where(url: string): string {
  if (!URL.canParse(url)) return "the page";
  const { origin, pathname } = new URL(url);
  return origin === "null" ? "the page" : origin + pathname;
}

export function list(words: readonly string[]): string {
  return [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(" and ");
}

export function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
