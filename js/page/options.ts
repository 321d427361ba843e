/** The types of a tracker's options and results. */
import type { CakeError, CakeErrorCode } from "../error.js";

/** The visitor's answer: yes, no answer yet, or no. */
export type Consent = "granted" | "pending" | "denied";

/** How a tracker is set up. */
export interface TrackerOptions {
  /** The path or address of the site's forwarder. @default "/cake" */
  readonly endpoint?: string | undefined;
  /**
   * Does the site's Worker capture the click id and hold it in a cookie that pages cannot see? If so, the page keeps
   * none.
   * @default false
   */
  readonly edge?: boolean | undefined;
  /** The visitor's answer so far. @default "granted" */
  readonly consent?: Consent | boolean | undefined;
  /** Global Privacy Control counts as `denied` unless this is set. @default false */
  readonly ignoreGlobalPrivacyControl?: boolean | undefined;
  /**
   * The names of the click id's parameter, the preferred one first.
   * @default reqid, ckm_request_id, click_id, clickid
   */
  readonly parameters?: readonly string[] | undefined;
  /** Also look into the address's fragment. @default false */
  readonly fragment?: boolean | undefined;
  /** Which click counts when there are several. @default "last" */
  readonly touch?: "last" | "first" | undefined;
  /** How long a click counts, in days, 1 to 400. @default 30 */
  readonly windowDays?: number | undefined;
  /** How many clicks are kept, 1 to 20. @default 5 */
  readonly journey?: number | undefined;
  /** How long browsers keep the cookie, in days, if shorter than the window. @default windowDays */
  readonly cookieDays?: number | undefined;
  /** The cookie's domain, such as `example.com`: the page's host or one above it. @default the widest one that the browser allows */
  readonly cookieDomain?: string | undefined;
  /** Is called with every error. Nothing is thrown. */
  readonly onError?: ((error: CakeError) => void) | undefined;
  /** Write to the console why something is not stored or not sent. @default false */
  readonly debug?: boolean | undefined;
}

/** Why something was not stored or not sent: shown with `debug: true`, and the `code` of a conversion that waits. */
export type Reason =
  /** The address has parameters, but none is the click id that counts. Their names follow. */
  | "not_taken"
  /** The address has more than 30,000 characters: the parameters behind them are not read. */
  | "address_cut"
  /** The address has no click id, and none was kept. */
  | "no_click_id"
  /** The click id is kept already. */
  | "known_click"
  /** `edge: true`: the site's Worker keeps it. */
  | "kept_by_edge"
  /** The visitor has not answered yet: the click id is held in memory. */
  | "consent_pending"
  /** The visitor or the browser (Global Privacy Control) said no: everything is deleted. */
  | "consent_denied"
  /** The browser takes no cookie from this page. */
  | "cookie_blocked"
  /** localStorage is blocked or full. */
  | "storage_blocked"
  /** A hundred conversions wait already: this one is sent, but not stored. */
  | "outbox_full"
  /** A stored conversion has waited for its seven days twice, or is unreadable: deleted. */
  | "outbox_expired"
  /** Another tab is sending the conversion. */
  | "other_tab"
  /** No answer: offline, blocked, or the page was left. The conversion is sent again. */
  | "network"
  /** The forwarder cannot take the conversion now. It is sent again. */
  | "forwarder_busy"
  /** The endpoint answers, but is no forwarder: a wrong path, or not deployed yet. The conversion is sent again. */
  | "no_forwarder"
  /** A file of the package is not beside the script, or a policy blocks it: set `base` to its folder. */
  | "missing_file"
  /** `onError` threw. */
  | "on_error_threw";

/** A conversion as a page reports it. */
export interface PageConversion {
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /**
   * The transaction's id: the same one never counts twice.
   * @default made once for each offer, click and order id (without an order id: this page's address)
   */
  readonly uniqueId?: string | undefined;
  /** Your order reference. */
  readonly orderId?: string | undefined;
  /** A click id that you keep yourself. @default the kept one */
  readonly clickId?: string | undefined;
}

/** The outcome of a conversion. */
export interface ConvertResult {
  /**
   * - `accepted`: the forwarder has it, and sends it to CAKE
   * - `duplicate`: the forwarder had it before
   * - `queued`: it waits in this browser and is sent again; `code` says why it waits
   * - `refused`: it breaks a rule and is not sent again; `code` says which rule
   */
  readonly state: "accepted" | "duplicate" | "queued" | "refused";
  /** The forwarder's id of the conversion. */
  readonly id?: string | undefined;
  /** Why it waits or is refused; absent if it was accepted. */
  readonly code?: ConvertCode | undefined;
}

/**
 * A {@link Reason}, the code of an error, or a code of the forwarder. The codes that refuse a conversion are listed;
 * with any other code the conversion waits.
 */
export type ConvertCode =
  | Reason
  | CakeErrorCode
  | "body_too_large"
  | "click_converted"
  | "conversion_conflict"
  /** There is no page: the tracker was made in server rendering. */
  | "no_page"
  | (string & {});

/** Which links and forms carry the click id to other hosts. */
export interface DecorateOptions {
  /** The hosts that these links and forms lead to: `shop.example.com`, `*.example.com`. */
  readonly hosts: readonly string[];
  /** The parameter that is added. @default "reqid" */
  readonly parameter?: string | undefined;
}

/** Where to put the click id so that the shop's order has it. */
export interface AttachOptions {
  /**
   * - `shopify`: an attribute of the cart, by Shopify's AJAX API
   * - `woocommerce`: a hidden field of the checkout's form
   * - `form`: a hidden field of any form, chosen by {@link selector}
   * - `stripe`: `client_reference_id` of payment links, buy buttons and pricing tables
   * - `frame`: a token in localStorage, with which a sandboxed frame of this site reports the conversion
   */
  readonly to: "shopify" | "woocommerce" | "form" | "stripe" | "frame";
  /** The name of the attribute or field: one of the shop's `clickIdNames` in the forwarder. @default "reqid" */
  readonly name?: string | undefined;
  /** The forms, as a CSS selector. @default WooCommerce's checkout */
  readonly selector?: string | undefined;
  /** The hosts of payment links, if they have your own domain. @default those of Stripe: buy, book, donate */
  readonly hosts?: readonly string[] | undefined;
  /** The offer that a frame's conversions belong to. */
  readonly offerId?: number | undefined;
}

/** A conversion that waits in memory; localStorage has it without `due`, `retryMs` and `sent`. */
export interface WaitingConversion {
  /** When it was reported: milliseconds since 1970. */
  readonly at: number;
  /** Has it lived its seven days once? */
  readonly again?: boolean;
  /** The address of the page that reported it, while its unique id must still be made from that address. */
  page?: string | undefined;
  /** Where it goes. Absent where no forwarder answers there: then it goes where its tracker's conversions go. */
  endpoint?: string | undefined;
  fields: PageConversion;
  /** How far the clock was from one that nobody sets, when the outbox took it; in milliseconds. */
  skew?: number;
  /** The click that counted in its page, as far as the page knew. A later click may take its place in the stores. */
  readonly clickId?: string;
  /** When it may be sent again, as the endpoint asks: milliseconds since 1970. */
  due?: number;
  /** The last wait, in milliseconds. */
  retryMs?: number;
  /** Its request, where the tracker has made it. */
  sent?: Promise<Response> | undefined;
}
