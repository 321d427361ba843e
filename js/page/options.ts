/** What goes into a tracker and what comes out of it, as types. */
import type { CakeError, CakeErrorCode } from "../error.js";

/** What the visitor has said: yes, nothing yet, no. */
export type Consent = "granted" | "pending" | "denied";

/** How a tracker is set up. */
export interface TrackerOptions {
  /** Where the site's forwarder answers. @default "/cake" */
  readonly endpoint?: string;
  /**
   * Does the site's Worker capture the click id, and hold it in a cookie that pages cannot see? Then the page keeps
   * none. @default false
   */
  readonly edge?: boolean;
  /** What the visitor has said so far. @default "granted" */
  readonly consent?: Consent | boolean;
  /** Global Privacy Control counts as `denied` unless this is set. @default false */
  readonly ignoreGlobalPrivacyControl?: boolean;
  /**
   * The names of the click id's parameter, the preferred one first.
   * @default reqid, ckm_request_id, click_id, clickid
   */
  readonly parameters?: readonly string[];
  /** Look into the address's fragment too. @default false */
  readonly fragment?: boolean;
  /** Which click counts when there are several. @default "last" */
  readonly touch?: "last" | "first";
  /** How long a click counts, in days, 1 to 400. @default 30 */
  readonly windowDays?: number;
  /** How many clicks are kept, 1 to 20. @default 5 */
  readonly journey?: number;
  /** How long browsers are to keep the cookie, in days, where that is shorter than the window. @default windowDays */
  readonly cookieDays?: number;
  /** The cookie's domain, such as `example.com`. @default the widest one that the browser allows */
  readonly cookieDomain?: string;
  /** Hears of every error; nothing is thrown. */
  readonly onError?: (error: CakeError) => void;
  /** Say in the console why something is not stored or not sent. @default false */
  readonly debug?: boolean;
}

/** Why something was not stored or not sent: what `debug: true` shows, and the `code` of a conversion that waits. */
export type Reason =
  /** The address has parameters, and none of them is the click id that counts: their names follow. */
  | "not_taken"
  /** The address has no click id, and none was kept. */
  | "no_click_id"
  /** The click id is kept already. */
  | "known_click"
  /** `edge: true`: the site's Worker keeps it. */
  | "kept_by_edge"
  /** The visitor has not answered: held in memory. */
  | "consent_pending"
  /** The visitor said no, or the browser did (Global Privacy Control): all is deleted. */
  | "consent_denied"
  /** The browser takes no cookie from this page. */
  | "cookie_blocked"
  /** localStorage is blocked or full. */
  | "storage_blocked"
  /** A hundred conversions wait already: this one is sent, but not stored. */
  | "outbox_full"
  /** A stored conversion is older than seven days, or unreadable: deleted. */
  | "outbox_expired"
  /** Another tab is sending it. */
  | "other_tab"
  /** No answer: offline, blocked, or the page went away. It is sent again. */
  | "network"
  /** The forwarder answered that it cannot take it now. It is sent again. */
  | "forwarder_busy"
  /** The endpoint answers, but is no forwarder: a wrong path, or one that is not deployed yet. It is sent again. */
  | "no_forwarder"
  /** A file of the package does not lie beside the script, or a policy keeps it away: `base` says where it is. */
  | "missing_file"
  /** `onError` threw. */
  | "on_error_threw";

/** A conversion as a page reports it. */
export interface PageConversion {
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /**
   * The transaction's id: the same one never counts twice.
   * @default one made once for each offer, click and order id (or, without one, address of this page)
   */
  readonly uniqueId?: string;
  /** Your order reference. */
  readonly orderId?: string;
  /** A click id of your own keeping. @default the kept one */
  readonly clickId?: string;
}

/** What became of a conversion. */
export interface ConvertResult {
  /**
   * - `accepted`: the forwarder has it, and sends it to CAKE
   * - `duplicate`: the forwarder had it before
   * - `queued`: it waits in this browser, `code` says why, and is sent again
   * - `refused`: it breaks a rule, `code` says which, and is not sent again
   */
  readonly state: "accepted" | "duplicate" | "queued" | "refused";
  /** The forwarder's id of it. */
  readonly id?: string;
  /** Why it waits or is refused; absent where it was accepted. */
  readonly code?: ConvertCode;
}

/**
 * A {@link Reason}, the code of an error, or one of the forwarder's: those that refuse a conversion are listed, any other
 * one is of a conversion that waits.
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

/** Which links and forms carry the click id on. */
export interface DecorateOptions {
  /** The hosts that they lead to: `shop.example.com`, `*.example.com`. */
  readonly hosts: readonly string[];
  /** The parameter that is added. @default "reqid" */
  readonly parameter?: string;
}

/** Where the click id goes, so that the shop's order has it. */
export interface AttachOptions {
  /**
   * - `shopify`: an attribute of the cart, by Shopify's AJAX API
   * - `woocommerce`: a hidden field of the checkout's form
   * - `form`: the same of any form, by {@link selector}
   * - `stripe`: `client_reference_id` of payment links, buy buttons and pricing tables
   * - `frame`: a token in localStorage, with which a sandboxed frame of this site reports the conversion
   */
  readonly to: "shopify" | "woocommerce" | "form" | "stripe" | "frame";
  /** The name of the attribute or field: one of the shop's `clickIdNames` in the forwarder. @default "reqid" */
  readonly name?: string;
  /** Which forms, as CSS says it. @default WooCommerce's checkout */
  readonly selector?: string;
  /** The hosts of Stripe's payment links, where they have a domain of your own. @default ["buy.stripe.com"] */
  readonly hosts?: readonly string[];
  /** The offer that a frame's conversions belong to. */
  readonly offerId?: number;
}

/** A conversion as it waits, in memory; in localStorage without `due` and `retryMs`. */
export interface WaitingConversion {
  /** When it was reported: milliseconds since 1970. */
  readonly at: number;
  /** The address that it was reported on, where its unique id is still to be made from that. */
  page?: string | undefined;
  fields: PageConversion;
  /** When it may be sent again, as the endpoint asks: milliseconds since 1970. */
  due?: number;
  /** How long it waited last. */
  retryMs?: number;
}
