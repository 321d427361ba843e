/**
 * Conversion tokens: issued to pages of the site, and shown by frames and workers whose origin is `null` and proves
 * nothing. The core reads and signs them (`src/conversion_token.rs`, `src/delivery/tokened.rs`).
 */
import { call } from "../error.js";
import { checkNames, refuse } from "../option.js";
import { createNonce, TOKEN_LIFE_MS } from "../token-nonce.js";
import { failure, json, Refusal } from "./answer.js";
import { findOrigin, isAllowedOrigin, type Once, signedClickId } from "./caller.js";
import { core } from "./core.js";
import type { ResolvedOptions } from "./options.js";

/** The core's reading of a body with a token. */
interface Opened {
  /** Empty, or the reason why the token is not valid. */
  readonly flaw: "" | "forged" | "expired" | "early" | "other_offer" | "other_click";
  readonly origin: string;
  readonly nonce: string;
  /** The conversion as JSON, with the token's offer and click. */
  readonly conversion: string;
}

/** A conversion that a token allows. */
export interface Tokened {
  readonly conversion: string;
  /** The token's own id, used like a webhook's id. */
  readonly id: string;
}

const QUERY = ["offerId", "clickId"];

const RULES = {
  early: "its token expires later than a token may: the clock of the server that issued it is ahead",
  other_offer: "its token was issued for another offer",
  other_click: "its token was issued for another click",
} as const;

/** Answers `GET token?offerId=…&clickId=…`. */
export function handleToken(request: Request, options: ResolvedOptions): Response {
  if (!options.tokenRoute) throw new Refusal("not_found", "no tokens are given out: see the option tokenRoute");
  if (request.method !== "GET")
    throw new Refusal("method_not_allowed", "method not allowed: use GET", { allow: "GET" });
  const origin = askingOrigin(request, options);
  if (origin === undefined) throw new Refusal("origin_refused", "a page's origin must be on the list");
  const { searchParams } = new URL(request.url);
  for (const name of QUERY) if (searchParams.getAll(name).length > 1) refuse(name, "is given twice");
  const query = Object.fromEntries(searchParams);
  checkNames("query", query, QUERY);
  const { offerId = "", clickId = "" } = query;
  const id = /^\d{1,16}$/.test(offerId) ? Number(offerId) : 0;
  const now = Date.now();
  const click = signedClickId(request, options) || clickId;
  const token = call(() => core.api().signToken([...options.tokenSecrets], id, click, origin, createNonce(), now));
  return json(200, { token, expiresAt: new Date(now + TOKEN_LIFE_MS).toISOString() });
}

/**
 * The origin of the page that asks. A GET to the page's own origin has no `Origin` header, so another header of the
 * browser is read.
 */
function askingOrigin(request: Request, options: ResolvedOptions): string | undefined {
  const { headers } = request;
  if (headers.has("origin")) return findOrigin(request, options);
  const own = new URL(request.url).origin;
  const site = headers.get("sec-fetch-site");
  if (site !== null) return site === "same-origin" ? own : undefined;
  const referer = headers.get("referer") ?? "";
  return URL.canParse(referer) && new URL(referer).origin === own ? own : undefined;
}

/** May this request show a token? A backend signs instead. */
export function mayShowToken(options: ResolvedOptions): boolean {
  return options.tokenSecrets.length > 0;
}

/** Does the request come from a frame or worker with an opaque origin? */
export function isOriginless(request: Request): boolean {
  return request.headers.get("origin") === "null";
}

/**
 * Passes a conversion with a token to `accept`; `undefined` where the body has no token. A frame without an origin may
 * read the answer only if the token is valid.
 *
 * @throws Refusal `token_refused` where no secret of ours has signed the token
 */
export async function acceptTokened(
  request: Request,
  body: string,
  options: ResolvedOptions,
  accept: (tokened: Tokened) => Promise<Response>,
): Promise<Response | undefined> {
  const answer = await (async () => {
    try {
      const text = call(() => core.api().openTokened([...options.tokenSecrets], body, Date.now()));
      if (text === undefined) return undefined;
      const opened = JSON.parse(text) as Opened;
      if (opened.flaw === "forged") return "forged";
      return await accept(checkOpened(opened, request, options));
    } catch (thrown) {
      return failure(thrown);
    }
  })();
  if (answer === "forged") {
    throw new Refusal("token_refused", "no secret of tokenSecrets has signed its token, or the token is cut");
  }
  if (answer !== undefined && isOriginless(request)) answer.headers.set("access-control-allow-origin", "null");
  return answer;
}

/** @throws Refusal `token_expired`, `token_refused` */
function checkOpened({ flaw, origin, nonce, conversion }: Opened, request: Request, options: ResolvedOptions): Tokened {
  if (flaw === "expired") throw new Refusal("token_expired", "its token is older than 15 minutes: get another one");
  if (flaw !== "" && flaw !== "forged") throw new Refusal("token_refused", RULES[flaw]);
  if (!isAllowedOrigin(origin, request, options)) {
    throw new Refusal("token_refused", "its token was issued to an origin that is not in the option origins");
  }
  if (!isOriginless(request) && request.headers.get("origin") !== origin) {
    throw new Refusal("token_refused", "its token was issued to another origin");
  }
  // No webhook's id contains a space.
  return { conversion, id: `token ${nonce}` };
}

/** A token is valid for one event, identified by its id; the same event again is a repetition. */
export function onceFor({ id }: Tokened, eventId: string): Once {
  return { id, digest: eventId, refusal: "token_used" };
}
