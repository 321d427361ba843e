/**
 * What a page keeps: one text in a first-party cookie and in localStorage. Each
 * of the two may be blocked, full or throw; the other one serves.
 */

/** The cookie's name and the key in localStorage; the other keys start with it. */
const KEY = "cake_click";

/** What the keys of stored conversions start with. */
export const OUTBOX = `${KEY}_outbox:`;
/** What the keys of made unique ids start with. */
export const UNIQUE = `${KEY}_unique:`;

/** Does it, and nothing where it throws: `localStorage`, `document.cookie` and writing to them all may. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** localStorage; nothing where it is blocked. */
export const storage = attempt(() => localStorage);

/** The keys of localStorage that start so. */
export function keysOf(prefix: string): string[] {
  return Object.keys(storage ?? {}).filter((key) => key.startsWith(prefix));
}

/** Writes an item, and says whether it could. */
export function store(key: string, text: string): boolean {
  // What reads back was written: not so in a browser without storage, without room, or that throws.
  attempt(() => storage?.setItem(key, text));
  return storage?.getItem(key) === text;
}

/** The stored texts: the cookie's and localStorage's, empty where there is none. */
export function readKept(): [string, string] {
  return [readCookie(), storage?.getItem(KEY) ?? ""];
}

function readCookie(): string {
  return attempt(() => document.cookie.match(`(?:^|; )${KEY}=([^;]*)`)?.[1]) ?? "";
}

/**
 * Writes both, and says which of them did not take it. `domain` is the cookie's; where it is not given, the
 * site's widest one that browsers allow is found by trying: nobody else knows that `co.uk` is none and
 * `example.co.uk` is one.
 */
export function writeKept(
  text: string,
  seconds: string,
  domain: string | undefined,
): ("cookie_blocked" | "storage_blocked")[] {
  const isTaken = domains(domain).some((candidate) => {
    writeCookie(text, seconds, candidate);
    return readCookie() === text;
  });
  return [...(isTaken ? [] : ["cookie_blocked" as const]), ...(store(KEY, text) ? [] : ["storage_blocked" as const])];
}

/** Deletes cookie, text, conversions and unique ids. */
export function deleteKept(domain: string | undefined): void {
  for (const candidate of domains(domain)) writeCookie("", "0", candidate);
  for (const key of keysOf(KEY)) storage?.removeItem(key);
}

/** The domains to try, the widest first, and at last none: the host alone. */
function domains(domain: string | undefined): string[] {
  const labels = location.hostname.split(".");
  return domain === undefined
    ? labels.map((_, index) => (labels[index + 1] ? `; Domain=${labels.slice(-index - 2).join(".")}` : ""))
    : [`; Domain=${domain}`];
}

function writeCookie(text: string, seconds: string, domain: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  attempt(() => {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is asynchronous, and not everywhere.
    document.cookie = `${KEY}=${text}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}${domain}`;
  });
}
