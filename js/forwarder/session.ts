/** An operator's sign-in: by bearer token, or in a browser by a signed cookie. */
import { Refusal } from "./answer.js";
import { hash } from "./hash.js";
import { callerOf } from "./network.js";
import { callShard, type Setup } from "./setup.js";
import type { Shard } from "./shard.js";

const LIFE_S = 8 * 3_600;
const encode = (text: string) => new TextEncoder().encode(text);

/** A signed-in operator. */
export type Operator = { readonly by: "bearer" } | { readonly by: "cookie"; readonly session: Session };

/** A session in a browser. */
interface Session {
  /** The expiry in seconds since 1970 (10 digits), and 10 random digits that make the number unique. */
  readonly number: string;
}

/**
 * The operator who sent the request; `undefined` without a valid sign-in. A browser's request that changes something
 * must come from the forwarder's own page.
 *
 * @throws Refusal `too_many_requests` after too many wrong secrets
 */
export async function findOperator(request: Request, setup: Setup): Promise<Operator | undefined> {
  const authorization = request.headers.get("authorization");
  if (authorization !== null) {
    const [, bearer = ""] = /^Bearer\s+(.+)$/i.exec(authorization) ?? [];
    return (await isRight(request, bearer, "bearer", setup)) ? { by: "bearer" } : undefined;
  }
  if (request.method !== "GET" && request.headers.get("origin") !== new URL(request.url).origin) return undefined;
  const session = await findSession(request, setup.options.operatorSecret);
  if (session === undefined) return undefined;
  const isEnded = await callShard(() => firstShard(setup).isSessionEnded(session.number));
  return isEnded ? undefined : { by: "cookie", session };
}

/**
 * The session cookie if the secret is right; `undefined` if it is wrong.
 *
 * @throws Refusal `too_many_requests` after too many wrong secrets
 */
export async function signIn(request: Request, given: string, setup: Setup): Promise<string | undefined> {
  if (!(await isRight(request, given, "browser", setup))) return undefined;
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const number = `${Math.floor(Date.now() / 1_000) + LIFE_S}${String(random).padStart(10, "0")}`;
  return cookie(request, `${number}.${await sign(number, setup.options.operatorSecret)}`, LIFE_S);
}

/** Ends the session, and returns a cookie that deletes the operator's own. */
export async function signOut(request: Request, operator: Operator, setup: Setup): Promise<string> {
  if (operator.by === "cookie") {
    const { number } = operator.session;
    await callShard(() => firstShard(setup).endSession(number, expiresMs(number)));
    setup.options.log({ event: "operator", action: "sign_out", outcome: "done" });
  }
  return cookie(request, "", 0);
}

/** The first shard: it alone counts sign-ins and ends sessions. */
function firstShard({ shards }: Setup): Shard {
  const [first] = shards;
  if (first === undefined) throw new Refusal("outbox_unavailable", "there is no outbox");
  return first;
}

async function isRight(request: Request, given: string, by: "bearer" | "browser", setup: Setup): Promise<boolean> {
  const { operatorSecret, log } = setup.options;
  const right = await isSame(given.trim(), operatorSecret);
  // As a hash: no address leaves this request.
  const caller = hash(`${operatorSecret} ${callerOf(request)}`);
  const waitMs = await callShard(() => firstShard(setup).signIn(caller, right));
  if (waitMs > 0) {
    log({ event: "operator", action: "sign_in", outcome: "limited", by, alert: true });
    const seconds = String(Math.ceil(waitMs / 1_000));
    throw new Refusal("too_many_requests", "too many wrong secrets: wait a minute", { "retry-after": seconds });
  }
  // Every request carries the bearer: only a wrong one is worth a line.
  if (!right || by === "browser")
    log({ event: "operator", action: "sign_in", outcome: right ? "done" : "refused", by });
  return right;
}

async function findSession(request: Request, secret: string): Promise<Session | undefined> {
  const pattern = new RegExp(`(?:^|;\\s*)${nameOf(request)}=(\\d{20})\\.([\\w-]{43})(?:;|$)`);
  const [, number = "", signature = ""] = pattern.exec(request.headers.get("cookie") ?? "") ?? [];
  if (number === "" || expiresMs(number) <= Date.now()) return undefined;
  return (await isSame(signature, await sign(number, secret))) ? { number } : undefined;
}

function expiresMs(number: string): number {
  return Number(number.slice(0, 10)) * 1_000;
}

function cookie(request: Request, value: string, maxAge: number): string {
  const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
  return `${nameOf(request)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** Browsers accept `__Host-` cookies only over https; plain http is a sandbox's on loopback. */
function nameOf(request: Request): string {
  return new URL(request.url).protocol === "https:" ? "__Host-cake_operator" : "cake_operator";
}

/** Compares digests, so that the time of the comparison reveals nothing about the secret. */
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

async function sign(number: string, secret: string): Promise<string> {
  const key = await crypto.subtle.importKey("raw", encode(secret), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", key, encode(`cake-edge operator ${number}`));
  return btoa(String.fromCharCode(...new Uint8Array(signature)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}
