/** An operator's sign-in: by bearer, or in a browser by a cookie that a secret has signed. */
import { Refusal } from "./answer.js";

const LIFE_S = 8 * 3_600;
const encode = (text: string) => new TextEncoder().encode(text);

/** Is this an operator's request? A browser's must come from the forwarder's own page where it changes something. */
export async function isOperator(request: Request, secret: string): Promise<boolean> {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) {
    const [, bearer = ""] = /^Bearer\s+(\S+)$/i.exec(authorization) ?? [];
    return isSame(bearer, secret);
  }
  if (request.method !== "GET" && request.headers.get("origin") !== new URL(request.url).origin) return false;
  const [, expires = "", signature = ""] =
    new RegExp(`(?:^|;\\s*)${nameOf(request)}=(\\d{1,12})\\.([\\w-]{43})(?:;|$)`).exec(
      request.headers.get("cookie") ?? "",
    ) ?? [];
  if (!(Number(expires) > Date.now() / 1_000)) return false;
  return isSame(signature, await sign(expires, secret));
}

/** The cookie of who has given the secret. @throws Refusal `operator_refused` */
export async function signIn(request: Request, given: string, secret: string): Promise<string> {
  if (!(await isSame(given, secret))) throw new Refusal("operator_refused", "this is not the operator's secret");
  const expires = String(Math.floor(Date.now() / 1_000) + LIFE_S);
  return cookie(request, `${expires}.${await sign(expires, secret)}`, LIFE_S);
}

/** The cookie of who leaves. */
export function signOut(request: Request): string {
  return cookie(request, "", 0);
}

function cookie(request: Request, value: string, maxAge: number): string {
  const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
  return `${nameOf(request)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** Browsers keep `__Host-` cookies of https alone; plain http is a sandbox's on loopback. */
function nameOf(request: Request): string {
  return new URL(request.url).protocol === "https:" ? "__Host-cake_operator" : "cake_operator";
}

/** Compares digests, so that the time it takes tells nothing of the secret. */
async function isSame(given: string, expected: string): Promise<boolean> {
  const [a, b] = await Promise.all([digest(given), digest(expected)]);
  let difference = 0;
  a.forEach((byte, index) => {
    difference |= byte ^ (b[index] ?? 0);
  });
  return difference === 0;
}

async function digest(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encode(text)));
}

async function sign(expires: string, secret: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encode(`cake-edge operator until ${expires}`));
  return btoa(String.fromCharCode(...new Uint8Array(signature)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
