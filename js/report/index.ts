/**
 * Reports over what an advertiser and CAKE have written down: reconcile, break down, attribute. Bytes in, exact
 * amounts out, no API key anywhere near it.
 */
export { CakeError, isCakeError } from "../error.js";
export { Output } from "./csv.js";
export * from "./options.js";
export { type Disposing, openReport, type Report, type ReportResult } from "./report.js";
