/** The parts of a tracking link, in a page and at the edge. */
import { flagOption } from "./option.js";

/** The parts of a tracking link. Half a character, as `slice` may leave of an emoji, is left out. */
export interface TrackingLinkParts {
  /**
   * Your network's tracking domain, such as `track.yournetwork.com`. With `sandbox: true`, the sandbox's origin, such
   * as `http://127.0.0.1:8787`.
   */
  readonly domain: string;
  /** The affiliate that sends the traffic: `a` in the link. A whole number from 1. */
  readonly affiliateId: number;
  /** The creative, such as a banner or text that is clicked: `c` in the link. A whole number from 1. */
  readonly creativeId: number;
  /** Sub id for segmenting traffic, at most 50 characters, not unique per click. */
  readonly s1?: string | undefined;
  /** Sub id, at most 100 characters; a partner's own click id belongs here. */
  readonly s2?: string | undefined;
  /** Sub id, at most 100 characters. */
  readonly s3?: string | undefined;
  /** Sub id, at most 100 characters. */
  readonly s4?: string | undefined;
  /** Sub id, at most 100 characters. */
  readonly s5?: string | undefined;
  /** The price format: `p` in the link. Letters and digits; CPA campaigns have none. */
  readonly priceFormat?: string | undefined;
  /**
   * A deep link, `ckmrdr`: https, to a host of `deepLinkHosts`. It overrides the landing page if the creative allows
   * it.
   */
  readonly deepLink?: string | undefined;
  /** More parameters. Their names must not be CAKE's own. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/** Exceptions to the usual rules of a tracking link. */
export interface TrackingLinkRules {
  /** Is `domain` a sandbox on this machine? @default false */
  readonly sandbox?: boolean | undefined;
  /** Allow CAKE's own test affiliate, -1. @default false */
  readonly testAffiliate?: boolean | undefined;
  /** Let a text that is too long for one of s2 to s5 continue in the next one, as CAKE does. @default false */
  readonly spill?: boolean | undefined;
  /** The hosts that a deep link may lead to: `shop.example.com`, `*.example.com`. @default none */
  readonly deepLinkHosts?: readonly string[] | undefined;
}

/** The yes-or-no rules, as the core takes them. */
export function flagsOf({ sandbox, testAffiliate, spill }: TrackingLinkRules): number {
  return (
    (flagOption("sandbox", sandbox) ? 1 : 0) |
    (flagOption("testAffiliate", testAffiliate) ? 2 : 0) |
    (flagOption("spill", spill) ? 4 : 0)
  );
}

/** All names that the rules may have. */
export const LINK_RULES = ["sandbox", "testAffiliate", "spill", "deepLinkHosts"];

/** All names that the parts and rules may have. */
export const LINK_PARTS = new Set([
  "domain",
  "affiliateId",
  "creativeId",
  "s1",
  "s2",
  "s3",
  "s4",
  "s5",
  "priceFormat",
  "deepLink",
  "extra",
  ...LINK_RULES,
]);
