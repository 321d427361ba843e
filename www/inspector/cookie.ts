/** Reads a `Set-Cookie`: how browsers understand it, and for how long they keep the cookie. */
import type { Finding, Kept, Report } from "./report.js";

const DAY_S = 86_400;

/** The maximum lifetime of a cookie in browsers, in days. */
const MAX_DAYS = 400;

export function readCookie(text: string): Report {
  const [pair = "", ...rest] = text
    .trim()
    .replace(/^set-cookie\s*:\s*/i, "")
    .split(";");
  const name = pair.slice(0, Math.max(0, pair.indexOf("="))).trim();
  const value = pair.slice(pair.indexOf("=") + 1).trim();
  const attributes = new Map(
    rest.map((part) => {
      const [key = "", ...given] = part.split("=");
      return [key.trim().toLowerCase(), given.join("=").trim()] as const;
    }),
  );
  const seconds = lifeOf(attributes);
  const isScripts = !attributes.has("httponly");
  const findings = problemsOf(name, attributes, seconds);
  const isDeletion = seconds !== undefined && seconds <= 0;
  const clickId = /\*[0-9a-z]+!([^!*]+)!([^!*]+)/.exec(decode(value));
  const isSigned = name.includes("cake_click") && name !== "cake_click";
  return {
    kind: "cookie",
    verdict: isDeletion
      ? "It deletes the cookie."
      : findings.length === 0
        ? "A cookie that every browser takes."
        : "A cookie that some browser drops, or keeps otherwise than it says.",
    isGood: findings.length === 0,
    facts: [
      ["Name", name || "none"],
      ...(clickId ? [["Click id in it", `${clickId[2]}, by ${clickId[1]}`] as const] : []),
      ...(isSigned ? [["Signature", "only whoever has the secret can check it: readClickCookie"] as const] : []),
      ["Sent to", attributes.get("domain") ? `${attributes.get("domain")} and all hosts below` : "this host alone"],
      ["Scripts can read it", isScripts ? "yes" : "no"],
      ["Over https alone", attributes.has("secure") ? "yes" : "no"],
      ["With requests of other sites", sameSiteOf(attributes)],
    ],
    findings,
    kept: isDeletion || name === "" ? undefined : keptOf(seconds),
  };
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

/** The lifetime in seconds; `undefined` for a session cookie. `Max-Age` overrides `Expires`. */
function lifeOf(attributes: ReadonlyMap<string, string>): number | undefined {
  const maxAge = attributes.get("max-age");
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge);
  const expires = Date.parse(attributes.get("expires") ?? "");
  return Number.isNaN(expires) ? undefined : Math.round((expires - Date.now()) / 1_000);
}

function sameSiteOf(attributes: ReadonlyMap<string, string>): string {
  const words = { strict: "never", none: "yes, where the browser takes cookies of others at all" };
  return words[attributes.get("samesite")?.toLowerCase() as keyof typeof words] ?? "only when a link is followed";
}

function problemsOf(name: string, attributes: ReadonlyMap<string, string>, seconds: number | undefined): Finding[] {
  const findings: Finding[] = [];
  const say = (code: string, parameter: string, sentence: string) => findings.push({ code, parameter, sentence });
  const isSecure = attributes.has("secure");
  if (!/^[!#$%&'*+\-.^_`|~\w]+$/.test(name)) {
    say(
      "invalid_cookie",
      "name",
      "The name is empty or has a sign that names cannot have. Write letters, digits, - and _.",
    );
  }
  if (/^__secure-|^__host-/i.test(name) && !isSecure) {
    say("invalid_cookie", "Secure", "Browsers drop a __Secure- or __Host- cookie without Secure. Add Secure.");
  }
  if (/^__host-/i.test(name) && (attributes.has("domain") || attributes.get("path") !== "/")) {
    say(
      "invalid_cookie",
      "Domain",
      "Browsers drop a __Host- cookie with a Domain, or with another Path than /. Leave Domain out.",
    );
  }
  if (attributes.get("samesite")?.toLowerCase() === "none" && !isSecure) {
    say("invalid_cookie", "SameSite", "Browsers drop SameSite=None without Secure. Add Secure, or write SameSite=Lax.");
  }
  if (attributes.has("max-age") && !/^-?\d+$/.test(attributes.get("max-age") ?? "")) {
    say(
      "invalid_cookie",
      "Max-Age",
      "Max-Age is no whole number of seconds, so browsers pass over it. Write digits alone.",
    );
  }
  if (seconds !== undefined && seconds > MAX_DAYS * DAY_S) {
    say("too_long", "Max-Age", "Browsers keep a cookie 400 days at most, whatever it says. Write 34560000 or less.");
  }
  if (attributes.has("domain") && /^\.?[^.]+$/.test(attributes.get("domain") ?? "")) {
    say("invalid_cookie", "Domain", "Browsers take no cookie for a domain of one label. Write the site's own domain.");
  }
  return findings;
}

function keptOf(seconds: number | undefined): Kept[] {
  if (seconds === undefined) {
    return [{ browser: "All", page: "until the browser is closed", edge: "until the browser is closed" }];
  }
  const days = Math.min(seconds / DAY_S, MAX_DAYS);
  const least = (most: number) => daysWords(Math.min(days, most));
  return [
    { browser: "Chrome, Edge, Firefox", page: least(MAX_DAYS), edge: least(MAX_DAYS) },
    { browser: "Safari", page: `${least(7)}; ${least(1)} behind a known tracker's link`, edge: least(MAX_DAYS) },
    { browser: "Brave", page: least(7), edge: least(MAX_DAYS) },
  ];
}

function daysWords(days: number): string {
  if (days >= 2) return `${Math.floor(days)} days`;
  const hours = Math.round(days * 24);
  return hours >= 2 ? `${hours} hours` : `${Math.round(days * 1_440)} minutes`;
}
