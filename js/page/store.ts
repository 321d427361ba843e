/**
 * The page's store: one text in a first-party cookie and in localStorage. Each of the two may be blocked, full or
 * throw; then the other one serves.
 */

/** The cookie's name and the key in localStorage; the other keys start with it. */
export const KEY = "cake_click";

/** The prefix of the keys of stored conversions. */
export const OUTBOX = `${KEY}_outbox:`;
/** The key of the token for frames without an origin. */
export const TOKEN = `${KEY}_token`;

/** The prefix of the keys of the clicks that orders went with. */
export const ORDER = `${KEY}_order:`;

/** The prefix of the keys of made unique ids. */
export const UNIQUE = `${KEY}_unique:`;

/** Runs the function; `undefined` if it throws, as `localStorage`, `document.cookie` and writing to them may. */
export function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

/** The time in milliseconds since 1970, also where a page has replaced the clock. */
// biome-ignore lint/complexity/useDateNow: the one that may be missing.
export const now = (): number => attempt(Date.now) || +new Date();

/** Calls the function later, where there is a timer. */
export const later = (run: (none: undefined) => unknown, ms?: number) => attempt(() => setTimeout(run, ms));

/** The parts of an address; `undefined` if it is invalid. A page may have replaced `URL`, but not its older name. */
export const urlOf = (address: string, base?: string): URL | undefined =>
  attempt(() => new ((globalThis as { webkitURL?: typeof URL }).webkitURL ?? URL)(address, base));

/**
 * An address relative to the page's: a base element is meant for other addresses. A frame without an address, such as
 * `srcdoc`, has its origin.
 */
export const resolve = (address: string) => urlOf(address, location.href) ?? urlOf(address, self.origin);

/** The keys of localStorage with this prefix. */
export function keysOf(prefix: string): string[] {
  return attempt(() => Object.keys(localStorage).filter((key) => key.startsWith(prefix))) ?? [];
}

/** The text of an item; empty if there is none, or it cannot be read. Another type where a page has replaced `getItem`. */
export function read(key: string): string {
  return attempt(() => localStorage.getItem(key)) ?? "";
}

/** Removes an item. */
export function remove(key: string): void {
  attempt(() => localStorage.removeItem(key));
}

/** Writes an item; returns whether that worked. */
export function store(key: string, text: string): boolean {
  // A text that reads back was written. It does not in a browser that has no storage or room, or that throws.
  attempt(() => localStorage.setItem(key, text));
  return read(key) === text;
}

/** The object with the page's cookies: an element called `cookie` hides those of the document itself. */
export const jar = () => ((document.cookie?.trim as unknown) ? document : Document.prototype);

/** The cookie's copies, separated by U+0003: a browser may hold several of one name, from different hosts. */
export function readCookies(): string {
  const cookies = attempt(() => Reflect.get(jar(), "cookie", document));
  const [, ...rests] = `; ${cookies}`.split(`; ${KEY}=`);
  return rests.map((rest) => rest.split(";")[0]).join("\x03");
}

/** What either store holds; empty if there is nothing in both. */
export const readStores = (): string => readCookies() || read(KEY);

/**
 * Writes the cookie; returns which of the tried domains the browser took, negative for none. `domain`
 * is tried first. Then the widest domain that the browser allows is found by trying: no list says that `co.uk` is
 * refused and `example.co.uk` is allowed.
 */
export function writeCookie(text: string, seconds: number, domain: string | undefined): number {
  const all = domains();
  // As the browser writes it: one cookie must not count as two. What is no host, the browser refuses.
  if (domain) all.unshift(`; Domain=${urlOf(`http://${domain.replace(/^\./, "")}`)?.hostname}`);
  return all.findIndex((candidate) => {
    setCookie(text, seconds, candidate);
    const copies = readCookies();
    const isTaken = copies.includes(text);
    // Stale copies of lower hosts would be read as well, and come first.
    if (isTaken && copies !== text) {
      for (const narrower of all.slice(all.lastIndexOf(candidate) + 1)) setCookie("", 0, narrower);
    }
    return isTaken;
  });
}

/** Deletes the cookie on every domain that may have one, the stored text, conversions and unique ids. */
export function deleteKept(): void {
  if (readCookies()) for (const domain of domains()) setCookie("", 0, domain);
  keysOf(KEY).forEach(remove);
}

/** The possible domains of this page's cookie, the widest first. The last one is none: the host alone. */
function domains(): string[] {
  const labels = location.hostname.split(".");
  return labels.map((_, index) => (labels[index + 1] ? `; Domain=${labels.slice(-index - 2).join(".")}` : ""));
}

function setCookie(text: string, seconds: number, domain: string): void {
  // `https:` has a sixth character.
  const secure = location.protocol[5] ? "; Secure" : "";
  const cookie = `${KEY}=${text}; Path=/; Max-Age=${seconds}; SameSite=Lax${secure}${domain}`;
  attempt(() => Reflect.set(jar(), "cookie", cookie, document));
}
