import { call, toCakeError } from "../error.js";
import { flagsOf, LINK_RULES, type TrackingLinkParts, type TrackingLinkRules } from "../link.js";
import { linkBuilder } from "../link-builder.js";
import {
  checkNames,
  checkNoMore,
  choice,
  digitsOf,
  flagOption,
  notNull,
  optionalString,
  parametersOption,
  refuse,
  stringOption,
  textsOption,
} from "../option.js";
import { toJson } from "./call-options.js";
import { checksCore, edge } from "./core.js";

const builder = edge.keep(({ LinkBuilder, moduleMemory }) =>
  linkBuilder(new LinkBuilder(), LinkBuilder.capacity(), moduleMemory()),
);

/**
 * Builds a tracking link, `https://DOMAIN/?a=…&c=…&s1=…`, in its one normal form.
 *
 * @throws CakeError `invalid_domain`, `invalid_id`, `sub_id_too_long`, `invalid_text`, `invalid_price_format`,
 * `invalid_deep_link`, `deep_link_host`, `reserved_parameter`, `repeated_parameter`, `link_too_long`
 * @example
 * createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 67890, creativeId: 12, s1: "spring" });
 */
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules): string;
export function createTrackingLink(parts: TrackingLinkParts & TrackingLinkRules, ...more: unknown[]): string {
  try {
    if (more.length > 0) checkNoMore("createTrackingLink", 1, more);
    return builder()(parts);
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}

/**
 * Reads an existing tracking link into its parts. Accepts http for https, parameters in any order, and white space
 * around the link. `createTrackingLink(parseTrackingLink(link))` is its normal form: of the rules, those that this link
 * needs come back with the parts.
 *
 * @throws CakeError `invalid_link`, and those of {@link createTrackingLink}
 */
export function parseTrackingLink(link: string, rules?: TrackingLinkRules): TrackingLinkParts & TrackingLinkRules;
export function parseTrackingLink(
  link: string,
  given?: TrackingLinkRules,
  ...more: unknown[]
): TrackingLinkParts & TrackingLinkRules {
  checkNoMore("parseTrackingLink", 2, more);
  checkNames("rules", given, LINK_RULES);
  const rules = given ?? {};
  const hosts = textsOption("deepLinkHosts", rules.deepLinkHosts);
  const parts: TrackingLinkParts & TrackingLinkRules = call(() =>
    edge.api().parseTrackingLink(stringOption("link", link), hosts, flagsOf(rules)),
  );
  return parts.deepLink === undefined ? parts : { ...parts, deepLinkHosts: hosts };
}

/** Something that is allowed but probably a mistake. */
export interface Finding {
  /** The stable code. */
  readonly code:
    | "unique_s1"
    | "utm_parameter"
    | "misnamed_parameter"
    | "unexpanded_macro"
    | "unknown_macro"
    | "unclosed_macro"
    | "encoded_macro"
    | "foreign_macro"
    | "no_click_id"
    | "placeholder_text"
    | "email_address"
    | "phone_number"
    | "deep_link_not_encoded"
    | "raw_fragment"
    | "second_question_mark"
    | "wrong_separator"
    | "repeated_parameter"
    | "double_encoded"
    | "wrong_encoding"
    | "html_entity"
    | "escaped_text"
    | "quoted_printable"
    | "invisible_character"
    | "typographic_character"
    | "stray_space"
    | "line_break"
    | "trailing_punctuation"
    | "text_around_link"
    | "shortened_link"
    | "wrapped_link"
    | "lookalike_domain"
    | "unreadable_link";
  /** The parameter, macro or text of the finding; empty if it is about the whole. */
  readonly parameter: string;
  /** The problem and the advice, as a sentence. */
  readonly sentence: string;
}

/** Finds probable mistakes in a tracking link, even in one that cannot be parsed. An empty text is unreadable. */
export function lintTrackingLink(link: string): Finding[];
export function lintTrackingLink(link: string, ...more: unknown[]): Finding[] {
  checkNoMore("lintTrackingLink", 1, more);
  return call(() => checksCore.api().lintTrackingLink(stringOption("link", link)));
}

/** The options of {@link findClick}. */
export interface FindClickOptions {
  /**
   * The names of the click id's parameter, the preferred one first.
   * @default reqid, ckm_request_id, click_id, clickid
   */
  readonly parameters?: readonly string[] | undefined;
  /** Also look into the URL's fragment. @default false */
  readonly fragment?: boolean | undefined;
}

/** The click of a landing page's URL. */
export interface FoundClick {
  readonly clickId: string;
  /** The parameter that carried it. */
  readonly parameter: string;
  /** Did that parameter occur more than once? The first one counts. */
  readonly isRepeated: boolean;
  readonly s1?: string | undefined;
  readonly s2?: string | undefined;
  readonly s3?: string | undefined;
  readonly s4?: string | undefined;
  readonly s5?: string | undefined;
  /** The affiliate's id, as text. */
  readonly affiliateId?: string | undefined;
  /** The offer's id, as text. */
  readonly offerId?: string | undefined;
}

/** Finds the click id and its companions in a landing page's URL; `undefined` if there is none. */
export function findClick(url: string | URL, options?: FindClickOptions): FoundClick | undefined;
export function findClick(url: string | URL, options?: FindClickOptions, ...more: unknown[]): FoundClick | undefined {
  checkNoMore("findClick", 2, more);
  checkNames("options", options, ["parameters", "fragment"]);
  const text = typeof url === "object" && url !== null && "href" in url ? String(url.href) : stringOption("url", url);
  const parameters = parametersOption(options?.parameters);
  return call(() => edge.api().findClick(text, parameters, flagOption("fragment", options?.fragment)));
}

/** The macros and probable mistakes of a postback URL. */
export interface CheckedPostbackUrl {
  /** CAKE's macros in the URL, such as `reqsessid`. */
  readonly uses: readonly string[];
  readonly findings: readonly Finding[];
}

/**
 * Checks a postback URL with its macros, such as `https://tracking.partner.com/?id=#reqsessid#&payout=#price#`.
 *
 * @throws CakeError `invalid_postback_url`
 */
export function checkPostbackUrl(postbackUrl: string): CheckedPostbackUrl;
export function checkPostbackUrl(postbackUrl: string, ...more: unknown[]): CheckedPostbackUrl {
  checkNoMore("checkPostbackUrl", 1, more);
  return call(() => checksCore.api().checkPostbackUrl(stringOption("postbackUrl", postbackUrl)));
}

/** A line of an order. */
export interface PixelItem {
  readonly sku: string;
  readonly quantity: number;
  /** The price of one piece. */
  readonly price: string | number;
  /** The line's discount. @default 0 */
  readonly discount?: string | number | undefined;
}

/** The parts of a pixel, which is the URL that records a conversion without an API key. */
export interface PixelParts {
  /** Your network's tracking domain; with `sandbox: true`, the sandbox's origin. */
  readonly domain: string;
  /** Is `domain` a sandbox on this machine? @default false */
  readonly sandbox?: boolean | undefined;
  /** The offer; or give an `advertiserId`. */
  readonly offerId?: number | undefined;
  /** The advertiser, for all offers of one. */
  readonly advertiserId?: number | undefined;
  /** The event that happened, `e`. @default the offer's own conversion */
  readonly eventId?: number | undefined;
  /** The click id; a server's postback needs it. */
  readonly clickId?: string | undefined;
  /** Your own transaction id, as your shop writes it: up to 128 characters, and no e-mail address. */
  readonly transactionId?: string | number | undefined;
  /** The amount received, such as `"22.00"`. */
  readonly price?: string | undefined;
  /** The affiliate's payout, such as `"18.00"`. */
  readonly payout?: string | undefined;
  /** The customer's total. With a subtotal, it must be that plus tax and shipping, less the discount. */
  readonly orderTotal?: string | number | undefined;
  /** The price of the goods: the sum of the items. */
  readonly subtotal?: string | number | undefined;
  readonly tax?: string | number | undefined;
  readonly shipping?: string | number | undefined;
  /** The order's discount. */
  readonly discount?: string | number | undefined;
  /** The currency of these amounts, such as `EUR`. */
  readonly currency?: string | undefined;
  /** The customer's country, such as `DE`. */
  readonly country?: string | undefined;
  readonly region?: string | undefined;
  readonly voucher?: string | undefined;
  readonly coupons?: readonly string[] | undefined;
  /** The lines of the order. */
  readonly items?: readonly PixelItem[] | undefined;
  /** The device's id. */
  readonly udid?: string | undefined;
  /** `pb` server to server, `img` image, `js` script, `iframe` frame. @default "pb" */
  readonly format?: "pb" | "img" | "js" | "iframe" | undefined;
}

/** The parts about a shop's order. */
const ORDER_PARTS = [
  "orderTotal",
  "subtotal",
  "tax",
  "shipping",
  "discount",
  "currency",
  "country",
  "region",
  "voucher",
  "coupons",
  "items",
  "udid",
] as const;

/** All names that the parts may have. */
const PIXEL_PARTS = [
  ...ORDER_PARTS,
  "domain",
  "sandbox",
  "offerId",
  "advertiserId",
  "eventId",
  "clickId",
  "transactionId",
  "price",
  "payout",
  "format",
];

/** A pixel's URL, and its HTML for a thank-you page, if the format has one. */
export interface BuiltPixel {
  readonly url: string;
  /** Absent for a server's postback. */
  readonly tag?: string | undefined;
}

/**
 * Builds the URL and the tag of a conversion pixel, `https://DOMAIN/p.ashx?o=…&r=…&t=…&f=…`.
 *
 * @throws CakeError `invalid_domain`, `invalid_id`, `invalid_click_id`, `invalid_unique_id`, `placeholder_text`,
 * `invalid_money`, `invalid_field`, `invalid_text`
 */
export function createPixel(parts: PixelParts): BuiltPixel;
export function createPixel(parts: PixelParts, ...more: unknown[]): BuiltPixel {
  checkNoMore("createPixel", 1, more);
  if (typeof parts !== "object" || parts === null) refuse("parts", "must be an object");
  checkNames("parts of a pixel", parts, PIXEL_PARTS);
  if ((parts.offerId ?? undefined) !== undefined && (parts.advertiserId ?? undefined) !== undefined) {
    refuse("advertiserId", "must not stand beside an offerId: CAKE takes one of them");
  }
  const format = choice("format", parts.format, ["pb", "img", "js", "iframe"]) ?? "pb";
  return call(() =>
    edge
      .api()
      .pixel(
        stringOption("domain", parts.domain),
        flagOption("sandbox", parts.sandbox),
        parts.offerId,
        parts.advertiserId,
        parts.eventId,
        optionalString("clickId", parts.clickId),
        transactionIdOf(parts.transactionId),
        optionalString("price", parts.price),
        optionalString("payout", parts.payout),
        toJson(Object.fromEntries(ORDER_PARTS.map((name) => [name, parts[name]]))),
        format,
      ),
  );
}

/** A transaction id as text. @throws CakeError `invalid_field` for a number that is no id */
function transactionIdOf(value: unknown): string | undefined {
  const id = digitsOf(notNull("transactionId", value));
  if (typeof id !== "number" && typeof id !== "bigint") return optionalString("transactionId", id);
  return refuse("transactionId", "must be a whole number whose digits JavaScript keeps, or text");
}
