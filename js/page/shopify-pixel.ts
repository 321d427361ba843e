/**
 * Shopify's web pixels, custom and app: they connect the sandbox's API with a frame's tracker. These types are the used
 * part of the platform's types; examples/shopify is checked against the platform's own.
 */
import { CakeError } from "../error.js";
import { createFrameTracker, type FrameStorage, type FrameTracker, type FrameTrackerOptions } from "./frame-tracker.js";
import { clickNames } from "./names.js";
import type { ConvertResult } from "./options.js";
import { attempt } from "./store.js";

/** The visitor's permissions, as Shopify reports them. */
export interface ShopifyPrivacy {
  readonly marketingAllowed: boolean;
}

/** A completed checkout, as far as it is read. Its money is not read: amounts come by the order's webhook. */
export interface ShopifyCheckoutEvent {
  readonly data: {
    readonly checkout: {
      readonly attributes?: readonly { readonly key: string; readonly value: string }[] | null;
      readonly order?: { readonly id?: string | null | undefined } | null;
    };
  };
}

/** The API of a pixel's sandbox: the globals of a custom pixel, or the argument of `register` in an app pixel. */
export interface ShopifyPixelApi {
  readonly analytics: {
    subscribe(name: "checkout_completed", listener: (event: ShopifyCheckoutEvent) => void): unknown;
  };
  readonly browser: { readonly localStorage: FrameStorage };
  readonly init: { readonly customerPrivacy?: ShopifyPrivacy | undefined };
  readonly customerPrivacy?: {
    subscribe(
      name: "visitorConsentCollected",
      listener: (event: { readonly customerPrivacy: ShopifyPrivacy }) => void,
    ): unknown;
  };
}

/** The options of a pixel's tracker. */
export interface ShopifyPixelOptions extends Omit<FrameTrackerOptions, "storage" | "consent"> {
  /**
   * The names of the click id in the cart, the same as the forwarder's `clickIdNames`.
   * @default the forwarder's default
   */
  readonly clickIdNames?: readonly string[] | undefined;
  /** Is called with the result of each order. */
  readonly onResult?: ((result: ConvertResult, uniqueId: string) => void) | undefined;
}

/**
 * A click id, as far as a frame without the core can tell: CAKE's ids have digits, and words for a missing value have
 * none. A value that is no id gives way to the token's click.
 */
const CLICK_ID = /^(?=.*[1-9])[\w.:-]{1,128}$/;

/**
 * Reports each completed checkout that has a click. The unique id is the order's id, equal to the webhook's: if both
 * report, the sale counts once, with the webhook's money, which is sent as a correction where CAKE has the sale by then
 * (`docs/shops.md`, "An order that its page has told"). Consent is Shopify's `marketingAllowed`.
 *
 * @example
 * cakeEdgeFrame.connectShopifyPixel({ analytics, browser, init, customerPrivacy: api.customerPrivacy }, {
 *   endpoint: "https://shop.example/cake",
 * });
 */
export function connectShopifyPixel(api: ShopifyPixelApi, options: ShopifyPixelOptions): FrameTracker;
export function connectShopifyPixel(api: ShopifyPixelApi, options: ShopifyPixelOptions, more?: unknown): FrameTracker {
  const readable = attempt(() => ({ ...options }));
  // The tracker tells why, and sends nothing.
  if (!readable) return createFrameTracker(options);
  const { clickIdNames, onResult, ...rest } = readable;
  // One name may come without its list.
  const names = [clickIdNames ?? clickNames()].flat();
  const tell: (cause: unknown) => void = async (cause) => {
    const rule = "the platform's API or event, or a function of yours, is not as expected";
    try {
      await rest.onError?.(new CakeError({ code: "invalid_field", parameter: "api", rule }, { cause }));
    } catch {
      // Told in vain.
    }
  };
  /** A part of the platform's API; its getters may throw. */
  const reach = <T>(read: () => T): T | undefined => {
    try {
      return read();
    } catch (cause) {
      tell(cause);
      return undefined;
    }
  };
  const isAllowed = reach(() => api?.init?.customerPrivacy?.marketingAllowed) === true;
  // At the start, "not allowed" may mean "not asked yet".
  const tracker = createFrameTracker(
    { ...rest, storage: reach(() => api?.browser?.localStorage), consent: isAllowed ? "granted" : "pending" },
    // @ts-expect-error Whatever is too much is told to `onError`.
    more,
  );
  /** What the platform calls must not throw into it; its own calls may throw too. */
  const quietly = (run: () => unknown) => {
    try {
      return Promise.resolve(run()).catch(tell);
    } catch (cause) {
      return tell(cause);
    }
  };
  void quietly(() =>
    api.customerPrivacy?.subscribe("visitorConsentCollected", (event) =>
      quietly(() => tracker.setConsent(event?.customerPrivacy?.marketingAllowed === true)),
    ),
  );
  void quietly(() =>
    api.analytics.subscribe("checkout_completed", (event) =>
      quietly(() => {
        const checkout = event?.data?.checkout;
        // `gid://shopify/Order/5001?key=…`, with a key or without, and `5001` all mean the webhook's order 5001.
        const uniqueId = /(?:^|\/)(\d+)(?:\?|$)/.exec(`${checkout?.order?.id ?? ""}`)?.[1];
        if (uniqueId === undefined) return;
        const clickId = findClickId([...(checkout.attributes ?? [])], names);
        return tracker.convert({ uniqueId, clickId }).then((result) => onResult?.(result, uniqueId));
      }),
    ),
  );
  return tracker;
}

/** Takes the id of the first name that has one, as the core reads a webhook: any case, leading underscores allowed. */
function findClickId(
  attributes: readonly { readonly key: string; readonly value: string }[],
  names: readonly string[],
): string | undefined {
  const plain = (name: unknown) => `${name}`.trim().replace(/^_+/, "").toLowerCase();
  for (const name of names) {
    for (const row of attributes) {
      const value = `${row?.value ?? ""}`.trim();
      if (plain(row?.key) === plain(name) && CLICK_ID.test(value)) return value;
    }
  }
  return undefined;
}
