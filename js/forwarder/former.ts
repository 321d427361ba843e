/**
 * Orders of before a shop's settings changed. An order that is a conversion under a key of that time goes on under it:
 * no other conversion is made of it, and its refunds go there.
 */
import { isCakeError } from "../error.js";
import { type Incoming, MAX_ORDERS, type Reading, settle } from "./orders.js";
import { areIdsShared, type Platform, type ResolvedShop, shareIds } from "./shops.js";
import type { KnownConversion, OrderRef } from "./store.js";

/** A key that an order may have had. */
interface FormerKey extends OrderRef {
  readonly conversion: KnownConversion | undefined;
}

/** What is known of an order under settings of before. */
export interface Former {
  /** Those under which it is a conversion. */
  readonly sold?: Reading & FormerKey;
  /** Keys under which it is none, or one that CAKE has surely not recorded. Refunds may wait there. */
  readonly unsold: readonly FormerKey[];
}

/** A signed webhook, for a search of its order. */
export interface Searched {
  readonly body: Uint8Array;
  /** Is the site's own mapping asked about it, whatever its topic is? */
  readonly isMapped: boolean;
}

/**
 * A shop as it was before. Left out are the settings whose ids another shop has now: what is known there may be that
 * shop's order.
 */
export function formersOf(
  platform: Platform,
  shop: ResolvedShop,
  all: readonly ResolvedShop[],
  former: readonly string[],
): readonly ResolvedShop[] {
  const { offerId, uniqueId, idPrefix } = shop.keys;
  return former.map(shop.under).filter(({ keys }) => {
    const isNowOther = all.some((each) => each !== shop && shareIds({ platform, keys: each.keys }, { platform, keys }));
    const isSame = keys.offerId === offerId && keys.uniqueId === uniqueId && keys.idPrefix === idPrefix;
    return !isNowOther && !(isSame && !keys.isMapped);
  });
}

/** Is the order a conversion by the settings of now? */
export async function isSold(reading: Reading, webhook: Searched, incoming: Incoming): Promise<boolean> {
  return (await search(reading, webhook, incoming)).sold !== undefined;
}

/** Looks for the order by the settings of before, the latest first. */
export async function findFormer(formers: readonly Reading[], webhook: Searched, incoming: Incoming): Promise<Former> {
  const unsold: FormerKey[] = [];
  for (const reading of formers) {
    const found = await search(reading, webhook, incoming);
    if (found.sold !== undefined) return { sold: { ...reading, ...found.sold }, unsold: [] };
    unsold.push(...found.unsold);
  }
  return { unsold };
}

async function search(
  { shop, verdict }: Reading,
  { body, isMapped }: Searched,
  incoming: Incoming,
): Promise<{ readonly sold?: FormerKey; readonly unsold: readonly FormerKey[] }> {
  const { platform } = incoming;
  const { order, sale, outcome } = verdict;
  // A refund's own id is no order's.
  const asksMap = (isMapped || shop.keys.isMapped) && outcome !== "refund";
  const ids = [...(order?.uniqueIds ?? []), ...(order?.link === undefined ? [] : [order.link])];
  if (asksMap) ids.push(...shop.reader().orderIds(body));
  const { offerId } = shop.keys;
  // Under an id that another shop's order may have had, the order of the same click is meant.
  const clickId = areIdsShared({ platform, keys: shop.keys }) ? sale?.conversion.clickId : undefined;
  const open: OrderRef[] = ids.map((uniqueId) => ({ offerId, uniqueId }));
  const seen = new Set<string>();
  const unsold: FormerKey[] = [];
  for (let next = open.shift(); next !== undefined && seen.size < MAX_ORDERS; next = open.shift()) {
    const name = `${next.offerId}|${next.uniqueId}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const claim = clickId === undefined ? undefined : claimOf({ clickId, ...next }, incoming);
    const settled = await settle(
      { platform, ...next, facts: "", isMapped: false, ifUnknown: "known", claim },
      incoming,
    );
    if (settled === undefined || settled.conversion?.isOfOtherClick === true) continue;
    const { isKnown, conversion, links, soldAs } = settled;
    const key = { ...next, conversion };
    // A shard of an older release does not say how it ended: in doubt it counts.
    if (isKnown && conversion?.isUnrecorded !== true) return { sold: key, unsold };
    unsold.push(key);
    // Notes lead from the order's own ids to what a mapping has made of it.
    if (shop.keys.isMapped) open.push(...links);
    else if (soldAs !== "") open.push({ offerId, uniqueId: soldAs });
  }
  return { unsold };
}

/** The claim of a click; `undefined` where no such conversion can be, such as one of a mapping's unknown offer. */
function claimOf(conversion: object, { intake }: Incoming): string | undefined {
  try {
    return intake.keyOf(JSON.stringify(conversion)).claim;
  } catch (thrown) {
    if (isCakeError(thrown) && thrown.code !== "internal") return undefined;
    throw thrown;
  }
}
