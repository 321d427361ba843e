/**
 * Conversion tokens: issued to pages of the site, and shown by frames and workers whose origin is `null` and proves
 * nothing. The core reads and signs them (`src/conversion_token.rs`, `src/delivery/tokened.rs`).
 */
import { call } from "../error.js";
import { checkNames, refuse } from "../option.js";
import { createNonce, TOKEN_LIFE_MS } from "../token-nonce.js";
import { checkMethod, failure, json, Refusal } from "./answer.js";
import { findOrigin, isAllowedOrigin, type Once, signedClickIds } from "./caller.js";
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

/** The rule that each flaw of a token breaks. */
const MESSAGES = {
  early: "the token expires later than a token may: set the clock of the server that issued it",
  other_offer: "the token was issued for another offer: get one for this offer",
  other_click: "the token was issued for another click: get one for this click",
} as const;

/** Answers `GET token?offerId=…&clickId=…`. */
export function handleToken(request: Request, options: ResolvedOptions): Response {
  if (!options.tokenRoute) throw new Refusal("not_found", "this forwarder issues no tokens: see the option tokenRoute");
  checkMethod(request, ["GET"]);
  const origin = askingOrigin(request, options);
  if (origin === undefined) throw new Refusal("origin_refused", "the request's origin is not in the option origins");
  const { searchParams } = new URL(request.url);
  for (const name of QUERY) if (searchParams.getAll(name).length > 1) refuse(name, "is given twice");
  const query = Object.fromEntries(searchParams);
  checkNames("query", query, QUERY);
  const { offerId = "", clickId = "" } = query;
  const id = /^\d{1,16}$/.test(offerId) ? Number(offerId) : 0;
  const now = Date.now();
  const [click = clickId] = signedClickIds(request, options);
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
    throw new Refusal(
      "token_refused",
      "the token is signed by none of tokenSecrets, or it is cut off: get another one",
    );
  }
  if (answer !== undefined && isOriginless(request)) answer.headers.set("access-control-allow-origin", "null");
  return answer;
}

/** @throws Refusal `token_expired`, `token_refused` */
function checkOpened({ flaw, origin, nonce, conversion }: Opened, request: Request, options: ResolvedOptions): Tokened {
  if (flaw === "expired") throw new Refusal("token_expired", "the token is older than 15 minutes: get another one");
  if (flaw !== "" && flaw !== "forged") throw new Refusal("token_refused", MESSAGES[flaw]);
  if (!isAllowedOrigin(origin, request, options)) {
    throw new Refusal(
      "token_refused",
      "the token was issued to an origin that is not in the option origins: add the origin there",
    );
  }
  if (!isOriginless(request) && request.headers.get("origin") !== origin) {
    throw new Refusal("token_refused", "the token was issued to another origin: get one for this origin");
  }
  // No webhook's id contains a space.
  return { conversion, id: `token ${nonce}` };
}

/** A token is valid for one event, identified by its id; the same event again is a repetition. */
export function onceFor({ id }: Tokened, eventId: string): Once {
  return { id, digest: eventId, refusal: "token_used" };
}
