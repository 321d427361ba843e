/** `cake-edge/page`: what a landing page needs. */
import { CakeError, call } from "../error.js";
import { linkBuilder, type TrackingLinkParts, type TrackingLinkRules } from "../link.js";
import * as wasm from "../wasm/page.js";

export { CakeError, type CakeErrorCode, isCakeError } from "../error.js";
export type { TrackingLinkParts, TrackingLinkRules } from "../link.js";

/** How a tracker is set up. */
export interface TrackerOptions {
  /** The path where the site's forwarder answers. @default "/cake" */
  readonly endpoint?: string;
}

/** A conversion as a page reports it. */
export interface PageConversion {
  /** The offer that the conversion belongs to. */
  readonly offerId: number;
  /** The transaction's id: the same one never counts twice. */
  readonly uniqueId: string;
  /** Your order reference. */
  readonly orderId?: string;
}

/** What became of a conversion. */
export interface ConvertResult {
  /** `pending`: the forwarder has stored it, and delivers it. */
  readonly state: "pending" | "paused" | "delivered" | "refused" | "dead";
}

/** Keeps the click id and reports conversions. */
export interface Tracker {
  /** The click id that counts, where a click led here. */
  readonly clickId: string | undefined;
  /** Builds a tracking link. @throws CakeError as `createTrackingLink` does */
  link(parts: TrackingLinkParts & TrackingLinkRules): string;
  /**
   * Reports a conversion of the kept click to the site's forwarder.
   * @throws CakeError `invalid_click_id` where no click led here, and the forwarder's own
   */
  convert(conversion: PageConversion): Promise<ConvertResult>;
}

// Read at import, before a router rewrites the address.
const landingUrl = location.href;

/** Captures the click id of this page's address and keeps it. */
export function createTracker(options: TrackerOptions = {}): Tracker {
  const endpoint = options.endpoint ?? "/cake";
  let build: ReturnType<typeof linkBuilder> | undefined;
  const clickId = call(() => wasm.capture(landingUrl, Date.now(), location.protocol === "https:"));
  return {
    clickId,
    link: (parts) =>
      call(() => {
        build ??= linkBuilder(new wasm.LinkBuilder(), wasm.LinkBuilder.capacity(), wasm.moduleMemory());
        return build(parts);
      }),
    async convert(conversion) {
      const response = await fetch(`${endpoint}/conversions`, {
        method: "POST",
        body: JSON.stringify({ clickId: clickId ?? "", ...conversion }),
        keepalive: true,
      });
      const answer = await response.json();
      if (!response.ok) throw new CakeError(answer.error);
      return answer;
    },
  };
}
