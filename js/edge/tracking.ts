import { CakeError, call, toCakeError } from "../error.js";
import { linkBuilder, type TrackingLinkParts, type TrackingLinkRules } from "../link.js";
import { optionalString, stringOption } from "../option.js";
import * as wasm from "../wasm/edge.js";

let build: ReturnType<typeof linkBuilder> | undefined;

/**
 * Builds a tracking link, `https://DOMAIN/?a=…&c=…&s1=…`, in its one normal form.
 *
 * @throws CakeError `invalid_domain`, `invalid_id`, `sub_id_too_long`, `invalid_text`, `invalid_price_format`,
 * `invalid_deep_link`, `deep_link_host`, `reserved_parameter`, `repeated_parameter`, `link_too_long`
 * @example
 * createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 67890, creativeId: 12, s1: "spring" });
 */
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules): string {
  try {
    build ??= linkBuilder(new wasm.LinkBuilder(), wasm.LinkBuilder.capacity(), wasm.moduleMemory());
    return build(parts);
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}

/**
 * Reads an existing tracking link into its parts. Takes http for https, parameters in any order and white space around
 * it: `createTrackingLink(parseTrackingLink(link))` is its normal form.
 *
 * @throws CakeError `invalid_link`, and those of {@link createTrackingLink}
 */
export function parseTrackingLink(link: string, rules: TrackingLinkRules = {}): TrackingLinkParts & TrackingLinkRules {
  const flags = (rules.sandbox ? 1 : 0) | (rules.testAffiliate ? 2 : 0) | (rules.spill ? 4 : 0);
  return call(() => wasm.parseTrackingLink(stringOption("link", link), [...(rules.deepLinkHosts ?? [])], flags));
}

/** Something that is allowed but probably a mistake. */
export interface Finding {
  /** The stable code. */
  readonly code:
    | "unique_s1"
    | "utm_parameter"
    | "unexpanded_macro"
    | "email_address"
    | "phone_number"
    | "deep_link_not_encoded"
    | "placeholder_text"
    | "unknown_macro"
    | "foreign_macro"
    | "raw_fragment"
    | "no_click_id";
  /** The parameter or macro that it is about. */
  readonly parameter: string;
  /** What is odd and what to do, as a sentence. */
  readonly sentence: string;
}

/** Says what is probably a mistake in a tracking link, also in one that cannot be parsed. */
export function lintTrackingLink(link: string): Finding[] {
  return call(() => wasm.lintTrackingLink(stringOption("link", link)));
}

/** Where to look for the click id. */
export interface FindClickOptions {
  /** The names of its parameter, the preferred one first. @default reqid, ckm_request_id, click_id, clickid */
  readonly parameters?: readonly string[];
  /** Look into the URL's fragment too. @default false */
  readonly fragment?: boolean;
}

/** What a landing page's URL says of the click that led there. */
export interface FoundClick {
  readonly clickId: string;
  /** The parameter that carried it. */
  readonly parameter: string;
  /** Did that parameter come more than once? The first one counts. */
  readonly isRepeated: boolean;
  readonly s1?: string;
  readonly s2?: string;
  readonly s3?: string;
  readonly s4?: string;
  readonly s5?: string;
  /** As text. */
  readonly affiliateId?: string;
  /** As text. */
  readonly offerId?: string;
}

/** Finds the click id and what comes with it in a landing page's URL; `undefined` where there is none. */
export function findClick(url: string | URL, options: FindClickOptions = {}): FoundClick | undefined {
  return call(() => wasm.findClick(String(url), [...(options.parameters ?? [])], options.fragment === true));
}

/** What a postback URL uses, and what is probably a mistake in it. */
export interface CheckedPostbackUrl {
  /** CAKE's macros in it, such as `reqsessid`. */
  readonly uses: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Checks a postback URL with its macros, such as `https://tracking.partner.com/?id=#reqsessid#&payout=#price#`.
 *
 * @throws CakeError `invalid_postback_url`
 */
export function checkPostbackUrl(postbackUrl: string): CheckedPostbackUrl {
  return call(() => wasm.checkPostbackUrl(stringOption("postbackUrl", postbackUrl)));
}

/** The parts of a pixel: of the URL that records a conversion without an API key. */
export interface PixelParts {
  /** Your network's tracking domain; with `sandbox: true`, the sandbox's origin. */
  readonly domain: string;
  /** Is `domain` a sandbox on this machine? @default false */
  readonly sandbox?: boolean;
  /** The offer; or give an `advertiserId`. */
  readonly offerId?: number;
  /** The advertiser, for all offers of one. */
  readonly advertiserId?: number;
  readonly eventId?: number;
  /** The click id; a server's postback needs it. */
  readonly clickId?: string;
  /** Your own transaction id, 1 to 128 characters of A-Z a-z 0-9 . _ : - */
  readonly transactionId?: string;
  /** The amount received, such as `"22.00"`. */
  readonly price?: string;
  /** The affiliate's payout, such as `"18.00"`. */
  readonly payout?: string;
  /** `pb` server to server, `img` image, `js` script, `iframe` frame. @default "pb" */
  readonly format?: "pb" | "img" | "js" | "iframe";
}

/** A pixel's URL, and the HTML for a thank-you page where it has one. */
export interface BuiltPixel {
  readonly url: string;
  /** Absent for a server's postback. */
  readonly tag?: string;
}

/**
 * Builds the URL and the tag of a conversion pixel, `https://DOMAIN/p.ashx?o=…&r=…&t=…&f=…`.
 *
 * @throws CakeError `invalid_domain`, `invalid_id`, `invalid_click_id`, `invalid_unique_id`, `placeholder_text`,
 * `invalid_money`
 */
export function createPixel(parts: PixelParts): BuiltPixel {
  const format = parts.format ?? "pb";
  if (!["pb", "img", "js", "iframe"].includes(format)) {
    throw new CakeError({ code: "invalid_field", parameter: "format", rule: "must be pb, img, js or iframe" });
  }
  return call(() =>
    wasm.pixel(
      stringOption("domain", parts.domain),
      parts.sandbox === true,
      parts.offerId,
      parts.advertiserId,
      parts.eventId,
      optionalString("clickId", parts.clickId),
      optionalString("transactionId", parts.transactionId),
      optionalString("price", parts.price),
      optionalString("payout", parts.payout),
      format,
    ),
  );
}
