/** A purchase, with all that shop, forwarder and network tell of it. */
import type { Accepted, ForwarderState } from "./forwarder.js";
import type { ConversionRow, FiredPostback, Network } from "./network.js";
import type { Order } from "./visit.js";

export interface Purchase {
  readonly order: Order;
  /** As the forwarder has it. */
  readonly accepted: Accepted | undefined;
  /** As the network has it: one, if all goes well. */
  readonly conversions: readonly ConversionRow[];
  readonly postback: FiredPostback | undefined;
}

/** The places of the forwarder's state machine. */
export type Place = "accepted" | "retrying" | Exclude<ForwarderState, "pending">;

/** Orders, newest first, with all that is known of each. */
export function purchasesOf(
  orders: readonly Order[],
  accepted: ReadonlyMap<string, Accepted>,
  state: Network["state"],
): readonly Purchase[] {
  return orders
    .map((order) => {
      const { id, uniqueId } = order;
      const conversions = state?.conversions.filter(({ unique_id }) => unique_id === uniqueId) ?? [];
      return {
        order,
        accepted: id === undefined ? undefined : (accepted.get(id) ?? { id, state: "pending" as const, attempts: 0 }),
        conversions,
        postback: state?.postbacks.find(({ conversion_id }) => conversion_id === conversions[0]?.conversion_id),
      };
    })
    .reverse();
}

/** Where it is in the forwarder; undefined where it is not there. */
export function placeOf({ accepted }: Purchase): Place | undefined {
  if (accepted?.state !== "pending") return accepted?.state;
  return accepted.attempts > 0 ? "retrying" : "accepted";
}

/** What became of the postback, in words. */
export function postbackWords(postback: FiredPostback | undefined): string {
  if (postback === undefined) return "none";
  if (postback.state === "delivered") return `answered ${postback.status}`;
  if (postback.state === "due") return "on its way";
  return postback.state.replace("_", " ");
}
