/** An operator's sign-in: by bearer token, or in a browser by a signed cookie. */
import { call } from "../error.js";
import { Refusal } from "./answer.js";
import { hash } from "./hash.js";
import { callerOf } from "./network.js";
import { callShard, type Setup } from "./setup.js";
import type { Shard } from "./shard.js";

const LIFE_S = 8 * 3_600;

/** A signed-in operator. */
export type Operator = { readonly by: "bearer" } | { readonly by: "cookie"; readonly session: Session };

/** A session in a browser. */
interface Session {
  /** The expiry in seconds since 1970 (10 digits), and 10 random digits; see `src/delivery/session.rs`. */
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
  const cookies = request.headers.get("cookie") ?? "";
  const number = call(() => setup.options.operatorKey().find(cookies, nameOf(request), Date.now()));
  if (number === undefined) return undefined;
  const isEnded = await callShard(() => firstShard(setup).isSessionEnded(number));
  return isEnded ? undefined : { by: "cookie", session: { number } };
}

/**
 * The session cookie if the secret is right; `undefined` if it is wrong.
 *
 * @throws Refusal `too_many_requests` after too many wrong secrets
 */
export async function signIn(request: Request, given: string, setup: Setup): Promise<string | undefined> {
  if (!(await isRight(request, given, "browser", setup))) return undefined;
  const random = crypto.getRandomValues(new Uint32Array(1))[0] ?? 0;
  const expiresS = Math.floor(Date.now() / 1_000) + LIFE_S;
  return cookie(
    request,
    call(() => setup.options.operatorKey().sign(expiresS, random)),
    LIFE_S,
  );
}

/** Ends the session, and returns a cookie that deletes the operator's own. */
export async function signOut(request: Request, operator: Operator, setup: Setup): Promise<string> {
  if (operator.by === "cookie") {
    const { number } = operator.session;
    const expiresMs = Number(number.slice(0, 10)) * 1_000;
    await callShard(() => firstShard(setup).endSession(number, expiresMs));
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
  const { operatorKey, operatorSecret, log } = setup.options;
  const right = call(() => operatorKey().isSecret(given));
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

function cookie(request: Request, value: string, maxAge: number): string {
  const secure = new URL(request.url).protocol === "https:" ? "; Secure" : "";
  return `${nameOf(request)}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Strict${secure}`;
}

/** Browsers accept `__Host-` cookies only over https; plain http is a sandbox's on loopback. */
function nameOf(request: Request): string {
  return new URL(request.url).protocol === "https:" ? "__Host-cake_operator" : "cake_operator";
}
