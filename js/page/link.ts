/** Tracking links in a page: hands the parts to the core. */

import type { TrackingLinkParts, TrackingLinkRules } from "../link.js";
import { stringOption, toInteger } from "../option.js";
import { decide } from "./engine.js";

/** @throws CakeError as `createTrackingLink` does */
export function buildLink(parts: TrackingLinkParts & TrackingLinkRules): string {
  const { extra = {} } = parts;
  const flags = (parts.sandbox ? 1 : 0) | (parts.testAffiliate ? 2 : 0) | (parts.spill ? 4 : 0);
  const texts = (["domain", "s1", "s2", "s3", "s4", "s5", "priceFormat", "deepLink"] as const).map((name) =>
    stringOption(name, parts[name]),
  );
  return decide(
    "l",
    `${flags}`,
    toInteger(parts.affiliateId).toString(36),
    toInteger(parts.creativeId).toString(36),
    ...texts,
    parts.deepLinkHosts?.join(" ") ?? "",
    ...Object.entries(extra).flatMap(([name, value]) => [name, stringOption("extra", value)]),
  );
}
