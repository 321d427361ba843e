/**
 * `cake-edge/forwarder/node`: the same forwarder in one Node process, with its rows in `node:sqlite`. It is for a
 * machine with a fixed address, which CAKE's whitelist can name.
 */
export { CakeError, type CakeErrorCode, isCakeError } from "../../error.js";
export type { ForwarderCode, ForwarderError } from "../answer.js";
export type { IncomingOutcome, PostbackLine, WebhookLine } from "../incoming.js";
export type { ForwarderOptions } from "../options.js";
export type { PostbackMap, PostbackOptions } from "../postbacks.js";
export type { ConversionLine, ConversionState, LogLine, OperatorLine, Status } from "../shard.js";
export type {
  ShopifyOptions,
  ShopOptions,
  Shops,
  StripeOptions,
  WebhookConversion,
  WebhookMap,
  WooCommerceOptions,
} from "../shops.js";
export { type NodeForwarder, type NodeOptions, openForwarder } from "./forwarder.js";
export { parseOptions } from "./parse-options.js";
export type { RateLimitOptions } from "./rate-limit.js";
export { type ForwarderServer, type ServerOptions, serveForwarder } from "./server.js";
