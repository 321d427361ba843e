/**
 * What a page keeps: one text in a first-party cookie and in localStorage. Each
 * of the two may be blocked, full or throw; the other one serves.
 */

/** The cookie's name and the key in localStorage, as the core's `DEFAULT_KEY`. */
const KEY = "cake_click";

/** What other keys of localStorage begin with: stored conversions and unique ids. */
export const OUTBOX = "cake_outbox:";
export const UNIQUE = "cake_unique:";

/** localStorage, or nothing where reading it throws. */
export function storage(): Storage | undefined {
  try {
    return localStorage;
  } catch {
    return undefined;
  }
}

/** The keys of localStorage that start so. */
export function keysOf(prefix: string): string[] {
  return Object.keys(storage() ?? {}).filter((key) => key.startsWith(prefix));
}

/** The stored texts: the cookie's and localStorage's, empty where there is none. */
export function readKept(): [string, string] {
  return [cookie() ?? "", storage()?.getItem(KEY) ?? ""];
}

function cookie(): string | undefined {
  try {
    return new RegExp(`(?:^|; )${KEY}=([^;]*)`).exec(document.cookie)?.[1];
  } catch {
    // A sandboxed frame: its documents have no cookies.
    return undefined;
  }
}

/**
 * Writes both, and says which of them did not take it. `domain` is the cookie's; where it is not given, the
 * site's widest one that browsers allow is found by trying: nobody else knows that `co.uk` is none and
 * `example.co.uk` is one.
 */
export function writeKept(text: string, seconds: string, domain: string | undefined): string[] {
  const failed: string[] = [];
  for (const candidate of domains(domain)) {
    setCookie(text, seconds, candidate);
    if (cookie() === text) break;
  }
  if (cookie() !== text) failed.push("cookie_blocked");
  try {
    localStorage.setItem(KEY, text);
  } catch {
    failed.push("storage_blocked");
  }
  return failed;
}

/** Deletes cookie, text, conversions and unique ids. */
export function deleteKept(domain: string | undefined): void {
  for (const candidate of domains(domain)) setCookie("", "0", candidate);
  for (const key of [KEY, ...keysOf(OUTBOX), ...keysOf(UNIQUE)]) storage()?.removeItem(key);
}

/** The domains to try, the widest first, and at last none: the host alone. */
function domains(domain: string | undefined): string[] {
  if (domain !== undefined) return [domain];
  const labels = location.hostname.split(".");
  return labels.map((_, index) => labels.slice(-index - 2).join(".")).slice(0, -1).concat("");
}

function setCookie(text: string, seconds: string, domain: string): void {
  try {
    // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is asynchronous, and not everywhere.
    document.cookie = `${KEY}=${text}; Path=/; Max-Age=${seconds}; SameSite=Lax${
      location.protocol === "https:" ? "; Secure" : ""
    }${domain && `; Domain=${domain}`}`;
  } catch {
    // As above.
  }
}
