import { optionalText, text, whole } from "./error.js";

/** The parts of a tracking link. */
export interface TrackingLinkParts {
  /**
   * Your network's tracking domain, such as `track.yournetwork.com`; or, with
   * `sandbox: true`, the sandbox's origin, such as `http://127.0.0.1:8787`.
   */
  readonly domain: string;
  /** Is `domain` a sandbox on this machine? @default false */
  readonly sandbox?: boolean;
  /** Who sends the traffic: `a` in the link. A whole number from 1. */
  readonly affiliateId: number;
  /** The banner or text that is clicked: `c` in the link. A whole number from 1. */
  readonly creativeId: number;
  /** Sub id for segmenting traffic, at most 50 characters, not unique per click. */
  readonly s1?: string;
  /** Sub id, at most 100 characters; a partner's own click id belongs here. */
  readonly s2?: string;
  /** Sub id, at most 100 characters. */
  readonly s3?: string;
  /** Sub id, at most 100 characters. */
  readonly s4?: string;
  /** Sub id, at most 100 characters. */
  readonly s5?: string;
}

type BuildLink = (
  domain: string,
  isSandbox: boolean,
  affiliateId: number,
  creativeId: number,
  s1?: string,
  s2?: string,
  s3?: string,
  s4?: string,
  s5?: string,
) => string;

/** Hands the parts to the core of whichever wasm is loaded. */
export function buildTrackingLink(build: BuildLink, parts: TrackingLinkParts): string {
  return build(
    text("domain", parts.domain),
    parts.sandbox === true,
    whole(parts.affiliateId),
    whole(parts.creativeId),
    optionalText("s1", parts.s1),
    optionalText("s2", parts.s2),
    optionalText("s3", parts.s3),
    optionalText("s4", parts.s4),
    optionalText("s5", parts.s5),
  );
}
