/** A purchase, with the data of shop, forwarder and network about it. */
import type { Accepted, ForwarderState } from "./forwarder.js";
import type { ConversionRow, FiredPostback, Network } from "./network.js";
import type { Order } from "./visit.js";

export interface Purchase {
  readonly order: Order;
  /** The purchase in the forwarder. */
  readonly accepted: Accepted | undefined;
  /** The purchase's rows in the network: one, if all goes well. */
  readonly conversions: readonly ConversionRow[];
  readonly postback: FiredPostback | undefined;
}

/** The states in the picture of the forwarder's state machine. */
export type Place = "accepted" | "retrying" | Exclude<ForwarderState, "pending">;

/** Orders, newest first, with all data about each. */
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

/** The order's state in the forwarder; undefined where the forwarder does not have it. */
export function placeOf({ accepted }: Purchase): Place | undefined {
  if (accepted?.state !== "pending") return accepted?.state;
  return accepted.attempts > 0 ? "retrying" : "accepted";
}

/** The state of the postback, in words. */
export function postbackWords(postback: FiredPostback | undefined): string {
  if (postback === undefined) return "none";
  if (postback.state === "delivered") return `answered ${postback.status}`;
  if (postback.state === "due") return "on its way";
  return postback.state.replace("_", " ");
}
