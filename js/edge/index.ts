/** `cake-edge`: links, capture and CAKE's API, for workers and servers. */
import { call } from "../error.js";
import * as wasm from "../wasm/edge.js";

export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export { type SignatureHeaders, type SigningOptions, signConversion } from "../forwarder/signature.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
export type { Click } from "./click.js";
export {
  type CakeClient,
  type CakeClientOptions,
  type Check,
  type CheckOptions,
  type CheckReport,
  type CreatePostbackParams,
  createCakeClient,
  type ListClicksParams,
  type ListConversionsParams,
  type ListTrackingDomainsParams,
  type Postback,
  type RecordConversionOptions,
  type RecordConversionParams,
  type TrackingDomain,
} from "./client.js";
export type { Conversion, ConversionStatus, ListedConversion } from "./conversion.js";
export type { List, ListOptions, ListProgress, Page } from "./list.js";
export type { CallOptions, ReceivedResponse, SentRequest } from "./option.js";

export {
  type BuiltPixel,
  type CheckedPostbackUrl,
  checkPostbackUrl,
  createPixel,
  createTrackingLink,
  type FindClickOptions,
  type Finding,
  type FoundClick,
  findClick,
  lintTrackingLink,
  type PixelParts,
  parseTrackingLink,
} from "./tracking.js";

/** What {@link captureClick} found. */
export interface CapturedClick {
  /** The click id that counts: this request's, or the one kept earlier. */
  readonly clickId?: string;
  /** The `Set-Cookie` value that keeps it, where it is new. */
  readonly setCookie?: string;
}

/**
 * Finds the click id of a landing page's request, in its URL or in the cookie
 * that an earlier request set.
 */
export function captureClick(request: Request): CapturedClick {
  const isSecure = request.url.startsWith("https:");
  const cookies = request.headers.get("cookie") ?? "";
  return call(() => wasm.captureClick(request.url, cookies, Date.now(), isSecure));
}
