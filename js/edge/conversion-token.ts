/** Conversion tokens of the site's own Worker: each allows a frame without an origin to report one conversion. */
import { call } from "../error.js";
import { checkNames, checkNoMore, optionalString, refuse, stringOption, toInteger } from "../option.js";
import { secretsOption } from "../secret.js";
import { createNonce } from "../token-nonce.js";
import { edge } from "./core.js";

/** The parts that a token is bound to, and the secrets that sign it. */
export interface ConversionTokenParts {
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /** The click id, as `captureClick` or `readClickCookie` returns it. */
  readonly clickId: string;
  /**
   * The origin of the page that passes the token on, such as `https://shop.example`. It must be one of the forwarder's
   * `origins`.
   */
  readonly origin: string;
  /** The forwarder's `tokenSecrets`, the newest first. The first one signs. 32 characters or more each. */
  readonly secrets: readonly (string | undefined)[];
}

const NAMES = ["offerId", "clickId", "origin", "secrets"];

/**
 * Makes a token with which a sandboxed frame or worker reports one conversion (`cake-edge/frame`). The token is valid
 * for 15 minutes, and for one unique id.
 *
 * @throws CakeError `weak_secret`, `invalid_id`, `invalid_click_id`, `placeholder_text`, `invalid_field`
 * @example
 * const token = createConversionToken({
 *   offerId: 12345, clickId, origin: new URL(request.url).origin, secrets: [env.CAKE_TOKEN_SECRET],
 * });
 */
export function createConversionToken(parts: ConversionTokenParts): string;
export function createConversionToken(parts: ConversionTokenParts, ...more: unknown[]): string {
  checkNoMore("createConversionToken", 1, more);
  if (typeof parts !== "object" || parts === null) refuse("parts", "must be an object");
  checkNames("parts", parts, NAMES);
  const { secrets } = parts;
  if (!Array.isArray(secrets)) refuse("secrets", "must be a list");
  const origin = optionalString("origin", parts.origin)?.trim() ?? "";
  const isExact = URL.canParse(origin) && new URL(origin).origin === origin;
  return call(() =>
    edge.api().signToken(
      secretsOption("secrets", secrets),
      toInteger(parts.offerId),
      stringOption("clickId", parts.clickId),
      // The core checks the rule.
      isExact ? origin : "",
      createNonce(),
      Date.now(),
    ),
  );
}
