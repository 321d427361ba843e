/**
 * Orders of before a shop's settings changed, and orders of another shop under the same key. An order that is a
 * conversion under a key of before goes on under it: no other conversion is made of it, and its refunds go there.
 */
import { isCakeError } from "../error.js";
import type { Span, Spans } from "./key-settings.js";
import { type Incoming, MAX_ORDERS, type Reading, settle } from "./orders.js";
import { areIdsShared, type Platform, type ResolvedShop, shareIds } from "./shops.js";
import type { KnownConversion, OrderRef, Settled } from "./store.js";

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
  /** When the shop, and others, had which settings. */
  readonly spans: Spans;
}

/** What an order's keys of now lead to. */
export interface Now {
  readonly isSold: boolean;
  /** Has one of them another shop's order? Nothing is told of it then. */
  readonly isOthers: boolean;
}

/** A shop as it was before. */
export function formersOf(shop: ResolvedShop, former: readonly string[]): readonly ResolvedShop[] {
  const { offerId, uniqueId, idPrefix } = shop.keys;
  return former.map(shop.under).filter(({ keys }) => {
    const isSame = keys.offerId === offerId && keys.uniqueId === uniqueId && keys.idPrefix === idPrefix;
    return !(isSame && !keys.isMapped);
  });
}

/**
 * Says whose order is known under a shop's keys where another shop had keys that may be equal: the shop's own if it is of
 * the order's click, or from a time when no other shop had them. `undefined` where no other shop had them.
 */
export function findOwner(
  platform: Platform,
  keys: ResolvedShop["keys"],
  { own, others }: Spans,
): ((settled: Settled, claim: string | undefined) => boolean) | undefined {
  const keysOf = (span: Span) => JSON.parse(span.keys) as ResolvedShop["keys"];
  const theirs = others.filter((span) => shareIds({ platform, keys: keysOf(span) }, { platform, keys }));
  if (theirs.length === 0) return undefined;
  const text = JSON.stringify(keys);
  const mine = own.filter((span) => span.keys === text);
  return ({ conversion, toldMs }, claim) => {
    if (claim !== undefined && conversion?.isOfOtherClick === false) return true;
    const atMs = conversion === undefined ? toldMs : conversion.acceptedMs;
    const isIn = ({ sinceMs = Number.NEGATIVE_INFINITY, untilMs = Number.POSITIVE_INFINITY }: Span) =>
      atMs !== undefined && sinceMs <= atMs && atMs <= untilMs;
    return mine.some(isIn) && !theirs.some(isIn);
  };
}

/** Looks for the order by the settings of now. */
export async function findNow(reading: Reading, webhook: Searched, incoming: Incoming): Promise<Now> {
  const { sold, isOthers } = await search(reading, webhook, incoming);
  return { isSold: sold !== undefined, isOthers };
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
  { body, isMapped, spans }: Searched,
  incoming: Incoming,
): Promise<{ readonly sold?: FormerKey; readonly unsold: readonly FormerKey[]; readonly isOthers: boolean }> {
  const { platform } = incoming;
  const { order, outcome } = verdict;
  // A refund's own id is no order's.
  const asksMap = (isMapped || shop.keys.isMapped) && outcome !== "refund";
  const ids = [...(order?.uniqueIds ?? []), order?.link, order?.alias].filter((id) => id !== undefined);
  if (asksMap) ids.push(...shop.reader().orderIds(body));
  const { offerId } = shop.keys;
  // Under an id that another shop's order may have had, the order of the same click is meant.
  const clickId = areIdsShared({ platform, keys: shop.keys }) ? shop.reader().orderClick(body) : undefined;
  const isOwn = findOwner(platform, shop.keys, spans);
  const open: OrderRef[] = ids.map((uniqueId) => ({ offerId, uniqueId }));
  const seen = new Set<string>();
  const unsold: FormerKey[] = [];
  let isOthers = false;
  for (let next = open.shift(); next !== undefined && seen.size < MAX_ORDERS; next = open.shift()) {
    const name = `${next.offerId}|${next.uniqueId}`;
    if (seen.has(name)) continue;
    seen.add(name);
    const claim = clickId === undefined ? undefined : claimOf({ clickId, ...next }, incoming);
    const settled = await settle(
      { platform, ...next, facts: "", isMapped: false, ifUnknown: "known", claim },
      incoming,
    );
    if (settled === undefined) continue;
    if (isOwn !== undefined && isTold(settled) && !isOwn(settled, claim)) {
      isOthers = true;
      continue;
    }
    if (settled.conversion?.isOfOtherClick === true) continue;
    const { isKnown, conversion, links, soldAs } = settled;
    const key = { ...next, conversion };
    // A shard of an older release does not say how it ended: in doubt it counts.
    if (isKnown && conversion?.isUnrecorded !== true) return { sold: key, unsold, isOthers };
    unsold.push(key);
    // Notes lead from the order's own ids to what a mapping has made of it.
    if (shop.keys.isMapped) open.push(...links);
    else if (soldAs !== "") open.push({ offerId, uniqueId: soldAs });
  }
  return { unsold, isOthers };
}

/** Is anything known of the order, be it a refund before its sale? */
function isTold({ isKnown, facts, toldMs }: Settled): boolean {
  return isKnown || facts !== "" || toldMs !== undefined;
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
