/**
 * Shopify's web pixels, custom and app: the sandbox's API on one side, a frame's tracker on the other. The types here are
 * the part of the platform's that is used; examples/shopify is held to the platform's own.
 */
import { createFrameTracker, type FrameStorage, type FrameTracker, type FrameTrackerOptions } from "./frame-tracker.js";
import type { ConvertResult } from "./options.js";

/** What a visitor has allowed, as Shopify tells it. */
export interface ShopifyPrivacy {
  readonly marketingAllowed: boolean;
}

/** A completed checkout, as far as it is read. Its money is not: amounts come by the order's webhook. */
export interface ShopifyCheckoutEvent {
  readonly data: {
    readonly checkout: {
      readonly attributes?: readonly { readonly key: string; readonly value: string }[] | null;
      readonly order?: { readonly id?: string | null } | null;
    };
  };
}

/** The API that a pixel's sandbox gives: in a custom pixel its globals, in an app pixel what `register` hands over. */
export interface ShopifyPixelApi {
  readonly analytics: {
    subscribe(name: "checkout_completed", listener: (event: ShopifyCheckoutEvent) => void): unknown;
  };
  readonly browser: { readonly localStorage: FrameStorage };
  readonly init: { readonly customerPrivacy?: ShopifyPrivacy };
  readonly customerPrivacy?: {
    subscribe(
      name: "visitorConsentCollected",
      listener: (event: { readonly customerPrivacy: ShopifyPrivacy }) => void,
    ): unknown;
  };
}

/** How a pixel reports: as a frame does. */
export interface ShopifyPixelOptions extends Omit<FrameTrackerOptions, "storage" | "consent"> {
  /** The names under which the cart has the click id, as the forwarder's `clickIdNames`. @default the same ones */
  readonly clickIdNames?: readonly string[] | undefined;
  /** Hears what became of each order. */
  readonly onResult?: ((result: ConvertResult, uniqueId: string) => void) | undefined;
}

/** A click id, and no word for a missing one. */
const CLICK_ID = /^(?!(?:undefined|null)$)[\w.:-]{1,128}$/i;

/** `DEFAULT_PARAMETERS` of src/click_id.rs. */
const CLICK_ID_NAMES = ["reqid", "ckm_request_id", "click_id", "clickid"];

/**
 * Reports each completed checkout of a click's. The unique id is the order's id, as the webhook's is: where both come,
 * the sale counts once, with the webhook's money. Consent is Shopify's `marketingAllowed`.
 *
 * @example
 * cakeEdgeFrame.connectShopifyPixel({ analytics, browser, init, customerPrivacy: api.customerPrivacy }, {
 *   endpoint: "https://shop.example/cake",
 * });
 */
export function connectShopifyPixel(api: ShopifyPixelApi, options: ShopifyPixelOptions): FrameTracker {
  const { clickIdNames = CLICK_ID_NAMES, onResult, ...rest } = options;
  const isAllowed = api.init?.customerPrivacy?.marketingAllowed === true;
  // At the start "not allowed" may be "not asked yet".
  const tracker = createFrameTracker({
    ...rest,
    storage: api.browser?.localStorage,
    consent: isAllowed ? "granted" : "pending",
  });
  api.customerPrivacy?.subscribe("visitorConsentCollected", (event) =>
    tracker.setConsent(event?.customerPrivacy?.marketingAllowed === true),
  );
  api.analytics.subscribe("checkout_completed", (event) => {
    const checkout = event?.data?.checkout;
    // `gid://shopify/Order/5001` and `5001` are the webhook's 5001.
    const uniqueId = /\d+$/.exec(`${checkout?.order?.id ?? ""}`)?.[0];
    if (uniqueId === undefined) return;
    const clickId = findClickId(checkout.attributes ?? [], clickIdNames);
    void tracker.convert({ uniqueId, clickId }).then((result) => onResult?.(result, uniqueId));
  });
  return tracker;
}

/** Of several names the first one that has an id, as the core reads a webhook's: any case, underscores before it. */
function findClickId(
  attributes: readonly { readonly key: string; readonly value: string }[],
  names: readonly string[],
): string | undefined {
  for (const name of names) {
    const plain = name.toLowerCase();
    const found = attributes.find(
      (row) => `${row?.key}`.toLowerCase().replace(/^_+/, "") === plain && CLICK_ID.test(`${row?.value ?? ""}`),
    );
    if (found) return found.value;
  }
  return undefined;
}
