/**
 * Reports over the records of an advertiser and of CAKE: reconcile, break down, attribute. Bytes go in and exact
 * amounts come out; no API key is needed.
 */
export { CakeError, isCakeError } from "../error.js";
export { Output } from "./csv.js";
export * from "./options.js";
export { type Disposing, openReport, type Report, type ReportResult } from "./report.js";
