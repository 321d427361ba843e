/** Identifies who sends conversions: a backend by its signature, a page by its origin. */
import { call } from "../error.js";
import { type CarriedSignature, isSigned } from "../webhook-signature.js";
import { type ForwarderCode, Refusal } from "./answer.js";
import { core } from "./core.js";
import { hash } from "./hash.js";
import type { ResolvedOptions } from "./options.js";

/** A caller that was admitted. */
export interface Caller {
  readonly isSigned: boolean;
  /** The page's origin. */
  readonly origin?: string;
  readonly once?: Once;
}

/** An id that may be used for one thing only: a signed request's id for its body, a token's id for its event. */
export interface Once {
  readonly id: string;
  /** The digest of that thing. */
  readonly digest: string;
  /** The refusal if the id was used for something else before. */
  readonly refusal: ForwarderCode;
}

/** The page's origin, if that origin may report conversions. */
export function findOrigin(request: Request, options: ResolvedOptions): string | undefined {
  const origin = request.headers.get("origin");
  return origin !== null && isAllowedOrigin(origin, request, options) ? origin : undefined;
}

/** May pages of this origin report conversions? */
export function isAllowedOrigin(origin: string, request: Request, options: ResolvedOptions): boolean {
  return options.origins.has(origin) || origin === originOf(request.url);
}

/** The origin of a request's URL, which is an absolute one in its normal form. */
function originOf(url: string): string {
  const host = url.indexOf("//") + 2;
  return url.slice(0, url.indexOf("/", host));
}

/** Admits a caller by the request's signature, or else by its origin; or throws a refusal. */
export async function admit(
  request: Request,
  body: string,
  options: ResolvedOptions,
  signature: CarriedSignature | undefined,
): Promise<Caller> {
  if (signature !== undefined) {
    if (!(await isSigned(signature, body, options.signingSecrets, Date.now()))) {
      const rule = "webhook-id, webhook-timestamp and webhook-signature must sign this very body, within five minutes";
      throw new Refusal("signature_refused", rule);
    }
    const digest = hash(body);
    return { isSigned: true, once: { id: signature.id, digest, refusal: "webhook_id_reused" } };
  }
  const origin = findOrigin(request, options);
  if (origin === undefined) {
    throw new Refusal(
      "origin_refused",
      "the request's origin is not in the option origins, and no backend has signed the request",
    );
  }
  return { isSigned: false, origin };
}

/**
 * The click ids from the cookie that the edge has signed, the one that counts first; none without a cookie. A later one
 * counts where the first is the conversion's own order id.
 */
export function signedClickIds(request: Request, options: ResolvedOptions): readonly string[] {
  if (options.cookieSecrets.length === 0) return [];
  const cookies = request.headers.get("cookie");
  if (cookies === null) return [];
  return call(() => core.api().findSignedClicks(cookies, options.cookieSecrets, Date.now(), [], options.isFirstTouch));
}

const NO_ORIGIN: Readonly<Record<string, string>> = { vary: "origin" };

/** The CORS headers for the latest origin: most requests in a row come from one. */
let latestCors = NO_ORIGIN;

/** The CORS headers of an answer to a page of another origin. */
export function corsHeaders(
  request: Request,
  options: ResolvedOptions,
  origin = findOrigin(request, options),
): Readonly<Record<string, string>> {
  if (origin === undefined) return NO_ORIGIN;
  if (latestCors["access-control-allow-origin"] !== origin) {
    latestCors = { ...NO_ORIGIN, "access-control-allow-origin": origin, "access-control-allow-credentials": "true" };
  }
  return latestCors;
}
