/** Hands over to the outbox what a shop's webhook says of an order: under each of its ids, and where those lead. */
import { Refusal } from "./answer.js";
import type { IncomingOutcome, WebhookLine } from "./incoming.js";
import type { Acceptance, Intake } from "./shard.js";
import type { Platform, ResolvedShop, WebhookConversion } from "./shops.js";
import type { OrderRef, OrderUpdate, Settled } from "./store.js";

/** A verdict of the core. */
export interface Verdict {
  readonly outcome: "sale" | "refund" | "no_click_id" | "test" | "ignored" | "ping" | "signature_refused";
  readonly reason?: string | undefined;
  readonly sale?: {
    readonly conversion: WebhookConversion;
    readonly paidAtMs?: number;
    readonly revenueLeftOut?: "currency" | "amount" | undefined;
  };
  readonly order?: WebhookOrder | undefined;
}

/** What a webhook says of an order, beside its sale or without one. */
export interface WebhookOrder {
  /** The unique ids that the order may be told by, the one for its sale first. */
  readonly uniqueIds: readonly string[];
  /** May another webhook of the order lack some of its ids, or tell others? */
  readonly isTied?: boolean;
  readonly asOfMs: number;
  readonly facts?: string;
  /** Do the facts take anything back? */
  readonly takes: boolean;
  readonly ifUnknown: OrderUpdate["ifUnknown"];
  /** Why it is ignored where it changes nothing. */
  readonly unchanged?: string;
  /** The unique id that the order has besides. */
  readonly link?: string;
  /** Another id of the same payment, which other webhooks may tell alone. */
  readonly alias?: string;
}

/** A webhook as the settings of a shop read it. */
export interface Reading {
  readonly shop: ResolvedShop;
  readonly verdict: Verdict;
}

/** A webhook on its way to the outbox. */
export interface Incoming {
  readonly platform: Platform;
  readonly shop: ResolvedShop;
  readonly intake: Intake;
  readonly logOutcome: LogOutcome;
}

export type LogOutcome = (outcome: IncomingOutcome, more?: Partial<WebhookLine>) => Promise<Response>;

/** What came of an update, over all its ids. `unavailable`: there is no account to correct it in. */
export type Outcome = Settled | "unavailable";

/**
 * Has a mapping made a conversion of this order before, under the same unique id in another offer? One order is one sale:
 * the first conversion counts. This one is noted before it is accepted: a webhook right behind it finds the note.
 */
export async function isSoldElsewhere(sold: OrderRef, ids: readonly string[], incoming: Incoming): Promise<boolean> {
  const { platform, shop } = incoming;
  const ask = (ref: OrderRef, more: Pick<OrderUpdate, "ifUnknown" | "links">) =>
    settle({ platform, ...ref, facts: "", isMapped: true, ...more }, incoming);
  for (const uniqueId of ids) {
    const own: OrderRef = { offerId: shop.keys.offerId, uniqueId };
    const order = await ask(own, { ifUnknown: "quiet", links: [sold] });
    for (const link of [...(order?.isKnown === true ? [own] : []), ...(order?.links ?? [])]) {
      if (link.uniqueId !== sold.uniqueId) continue;
      if (link.offerId === sold.offerId) break;
      const settled = await ask(link, { ifUnknown: "known" });
      if (settled?.isKnown === true && settled.conversion?.isUnrecorded !== true) return true;
    }
  }
  return false;
}

/**
 * The unique id of the sale of an order that is told under several ids: the one that was decided first, by another
 * webhook or by the order's page. Each id leads to it from then on, also what was told of the order under it before.
 */
export async function soldAs({ uniqueIds, ifUnknown }: WebhookOrder, incoming: Incoming): Promise<string> {
  const { platform, shop } = incoming;
  const { offerId, isMapped } = shop.keys;
  const ask = (uniqueId: string, more: Pick<OrderUpdate, "ifUnknown" | "soldAs" | "facts">) =>
    settle({ platform, offerId, uniqueId, isMapped, ...more }, incoming);
  let [sold = ""] = uniqueIds;
  const walk = async (how: OrderUpdate["ifUnknown"]) => {
    let isFound = false;
    const facts = new Map<string, string>();
    // The sale's own id last: another webhook decides at an id that both tell.
    const open = [...uniqueIds].reverse();
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      if (facts.has(next)) continue;
      const settled = await ask(next, { ifUnknown: how, soldAs: sold, facts: "" });
      facts.set(next, settled?.facts ?? "");
      const decided = settled?.soldAs ?? "";
      isFound ||= decided !== "";
      if (decided === "" || decided === sold) continue;
      sold = decided;
      open.push(sold);
    }
    for (const [uniqueId, told] of facts) {
      if (uniqueId !== sold && told !== "") await ask(sold, { ifUnknown: how, facts: told });
    }
    return isFound;
  };
  // What is no conversion here, and will be none, leaves nothing behind.
  if (ifUnknown !== "known" || (await walk("known"))) await walk("quiet");
  return sold;
}

/** Hands over what a webhook says of an order, without making a conversion of it. */
export async function updateOrder(order: WebhookOrder, incoming: Incoming): Promise<Outcome> {
  const { platform, shop, intake } = incoming;
  if (!intake.takesCorrections()) return "unavailable";
  const { offerId, isMapped } = shop.keys;
  const [first = ""] = order.uniqueIds;
  const facts = await withAliasFacts(order, first, incoming);
  const of = (uniqueId: string, ifUnknown: OrderUpdate["ifUnknown"]): OrderUpdate => ({
    ...{ platform, offerId, uniqueId, facts, isMapped, ifUnknown },
    ...(order.link === undefined ? {} : { links: [{ offerId, uniqueId: order.link }] }),
  });
  // A mapping may have made anything of the order, or nothing.
  const ifUnknown = isMapped && order.ifUnknown !== "known" ? "quiet" : order.ifUnknown;
  if (order.link !== undefined && ifUnknown !== "quiet") {
    // Which of the two ids has the sale? Where none has, the correction waits for it.
    const outcome = await updateAll([of(first, "quiet")], incoming);
    if (outcome === "unavailable" || outcome.isKnown) return outcome;
  }
  return updateAll([of(first, ifUnknown)], incoming);
}

/** The facts of an order, and those that were told under its other id alone. That id leads to the order from now on. */
async function withAliasFacts({ alias, facts = "", ifUnknown }: WebhookOrder, first: string, incoming: Incoming) {
  if (alias === undefined) return facts;
  const { offerId, isMapped } = incoming.shop.keys;
  const settled = await settle(
    {
      ...{ platform: incoming.platform, offerId, uniqueId: alias, facts: "", isMapped },
      ...{ ifUnknown: ifUnknown === "known" ? ifUnknown : "quiet", links: [{ offerId, uniqueId: first }] },
    },
    incoming,
  );
  return [facts, settled?.facts ?? ""].filter((text) => text !== "").join("\n");
}

/** Updates orders, and the orders that they are besides. `first` is done already. */
export async function updateAll(
  orders: readonly OrderUpdate[],
  incoming: Incoming,
  first?: Acceptance,
): Promise<Outcome> {
  let best: Outcome = "unavailable";
  const weigh = (settled: Settled | undefined) => {
    if (settled === undefined) return;
    const weight = (of: Settled) => OUTCOMES.indexOf(of.outcome);
    if (best === "unavailable" || weight(settled) > weight(best)) best = settled;
  };
  if (first !== undefined) weigh(settledOf(first));
  const open = [...orders];
  const known = new Set<string>();
  for (let next = open.shift(); next !== undefined && known.size < MAX_ORDERS; next = open.shift()) {
    const settled = await settle(next, incoming);
    weigh(settled);
    known.add(`${next.offerId}|${next.uniqueId}`);
    if (settled === undefined) continue;
    const { links, facts } = settled;
    const { platform, isMapped } = next;
    // Where the sale is found, nothing waits for it elsewhere.
    const ifUnknown = settled.isKnown && next.ifUnknown !== "known" ? "quiet" : next.ifUnknown;
    for (const link of links) {
      if (!known.has(`${link.offerId}|${link.uniqueId}`)) open.push({ platform, ifUnknown, isMapped, facts, ...link });
    }
  }
  return best;
}

export async function settle(update: OrderUpdate, { intake }: Incoming): Promise<Settled | undefined> {
  return settledOf(await intake.updateOrder(update));
}

function settledOf(result: Acceptance): Settled | undefined {
  if ("refusal" in result)
    throw new Refusal(result.refusal, "too many events wait: try again later", { "retry-after": "60" });
  return result.settled;
}

/** The outcomes of an update, the one that counts most last. */
const OUTCOMES: readonly Settled["outcome"][] = [
  "unknown",
  "whole",
  "money",
  "same",
  "map",
  "currency",
  "total",
  "refund",
  "full",
];

/** The most orders that one webhook leads to. */
export const MAX_ORDERS = 16;
