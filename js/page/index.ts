/** `cake-edge/page`: what a landing page needs. */
export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
export type {
  AttachOptions,
  Consent,
  ConvertCode,
  ConvertResult,
  DecorateOptions,
  PageConversion,
  Reason,
  TrackerOptions,
} from "./options.js";
export { createTracker, type Tracker } from "./tracker.js";
