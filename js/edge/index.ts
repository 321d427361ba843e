/** `cake-edge`: links, capture and CAKE's API, for workers and servers. */
import type { WasmModule } from "../core.js";
import { checkNames, checkNoMore } from "../option.js";
import { checksCore, clientCore, edge } from "./core.js";

export type { WasmModule } from "../core.js";
export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
export { type SignatureHeaders, type SigningOptions, signConversion } from "../webhook-signature.js";
export type {
  CakeClient,
  Check,
  CheckOptions,
  CheckReport,
  CorrectConversionOptions,
  CorrectConversionParams,
  CreatePostbackParams,
  ListClicksParams,
  ListConversionChangesParams,
  ListConversionReportParams,
  ListConversionsParams,
  ListTrackingDomainsParams,
  Postback,
  RecordConversionOptions,
  RecordConversionParams,
  TrackingDomain,
} from "./cake-client.js";
export type { CallOptions, ReceivedResponse, SentRequest } from "./call-options.js";
export {
  type CapturedClick,
  type CaptureOptions,
  type CaptureReason,
  type CaptureSettings,
  type Consent,
  captureClick,
  clickCapture,
  type HonoContext,
  type PagesContext,
  pagesClickCapture,
  type ReadClickOptions,
  readClickCookie,
  type SiteCaptureOptions,
  withClickCapture,
} from "./capture.js";
export type { Click } from "./click.js";
export { createCakeClient } from "./client.js";
export type { CakeClientOptions, Services, Verify } from "./client-options.js";
export type { Conversion, ConversionStatus, Correction, ListedConversion, ReportedConversion } from "./conversion.js";
export { type ConversionTokenParts, createConversionToken } from "./conversion-token.js";
export {
  type AppliedCorrection,
  type ApplyCorrectionsOptions,
  applyCorrections,
  type CorrectionEntry,
  type CorrectionJournal,
  type CorrectionOutcome,
  type CorrectionRow,
  type CorrectionsReport,
} from "./corrections.js";
export type { AnswerWarning } from "./dates.js";
export { type Day, type DayRange, type DayRangeName, dayRange } from "./day-range.js";
export type { List, ListOptions, ListProgress, Page } from "./list.js";
export {
  type AppliedPostback,
  type ApplyPostbacksOptions,
  applyPostbacks,
  type CheckedPostback,
  type CheckPostbacksOptions,
  checkPostbacks,
  type PostbackEntry,
  type PostbackFinding,
  type PostbackJournal,
  type PostbackOutcome,
  type PostbackReport,
} from "./postbacks.js";
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
  type PixelItem,
  type PixelParts,
  parseTrackingLink,
} from "./tracking.js";

/** The modules beside `cake-edge/edge.wasm`, for {@link init}. */
export interface MoreModules {
  /** `cake-edge/client.wasm`: `createCakeClient` needs it. */
  readonly client?: WasmModule | undefined;
  /**
   * `cake-edge/checks.wasm`: `lintTrackingLink`, `checkPostbackUrl`, `checkPostbacks` and a client's `createPostback`
   * need it.
   */
  readonly checks?: WasmModule | undefined;
}

/**
 * Hands over the compiled `cake-edge/edge.wasm` before the first call, if the runtime does not find it by itself. That
 * is the case with `cake-edge/slim`, which holds no bytes. `more` are the modules of the API client and of the checks,
 * if you use them. A core that already runs keeps its module.
 *
 * @throws CakeError `invalid_field`, `wasm_unavailable`
 * @example
 * import client from "cake-edge/client.wasm";
 * import module from "cake-edge/edge.wasm";
 * import { init } from "cake-edge/slim";
 * init(module, { client });
 */
export function init(module: WasmModule, more?: MoreModules): void;
export function init(module: WasmModule, more: MoreModules = {}, ...tooMuch: unknown[]): void {
  checkNoMore("init", 2, tooMuch);
  checkNames("modules", more, ["client", "checks"]);
  edge.init(module, "module");
  if (more?.client) clientCore.init(more.client, "client");
  if (more?.checks) checksCore.init(more.checks, "checks");
}
