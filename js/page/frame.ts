/** `cake-edge/frame`: conversions out of sandboxed frames and workers, whose origin is `null`. */
export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export {
  createFrameTracker,
  type FrameConversion,
  type FrameStorage,
  type FrameTracker,
  type FrameTrackerOptions,
} from "./frame-tracker.js";
export type { Consent, ConvertCode, ConvertResult } from "./options.js";
export {
  connectShopifyPixel,
  type ShopifyCheckoutEvent,
  type ShopifyPixelApi,
  type ShopifyPixelOptions,
  type ShopifyPrivacy,
} from "./shopify-pixel.js";
