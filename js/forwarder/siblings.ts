/** The other events that an answer of CAKE's may be about: those of the same click, and those of the same conversion. */
import type { ResolvedOptions } from "./options.js";
import { type KnownBefore, RecentConversions } from "./recent-conversions.js";
import type { Shard, Sibling } from "./shard.js";
import type { OutboxStore, Row } from "./store.js";

/** The dependencies of {@link Siblings}. */
export interface SiblingsDeps {
  readonly options: ResolvedOptions;
  readonly store: OutboxStore;
  /** The forwarder's other shards. */
  readonly peers: () => readonly Pick<Shard, "siblings">[];
  readonly isNotRecorded: (row: Row) => boolean;
}

/** The siblings of a shard's events. */
export class Siblings {
  readonly #deps: SiblingsDeps;
  readonly #recent: RecentConversions;
  #peerCount: number | undefined;

  constructor(deps: SiblingsDeps) {
    this.#deps = deps;
    this.#recent = new RecentConversions(deps.store);
  }

  /** Those in this shard: of an offer and click, and of a conversion. */
  own(order: string, conversionId?: number): readonly Sibling[] {
    const { store } = this.#deps;
    const same = conversionId === undefined ? [] : this.#rowsWith(conversionId);
    return [...store.siblings(order), ...same].map((row) => this.#siblingOf(row));
  }

  /** Those in all shards. */
  async all({ id, order_key }: Row, conversionId?: number): Promise<readonly Sibling[]> {
    const peers = await Promise.all(this.#deps.peers().map((peer) => peer.siblings(order_key, conversionId)));
    return [...this.own(order_key, conversionId), ...peers.flat()].filter((sibling) => sibling.id !== id);
  }

  /** The conversions that are known before a request is sent. A shard asks its peers once a second at most. */
  knownBefore(): KnownBefore {
    this.#peerCount ??= this.#deps.peers().length;
    return this.#recent.known(Date.now(), 1_000 * this.#peerCount);
  }

  /**
   * The other events of a conversion that CAKE names as this event's. The conversion counts as this event's from now on,
   * unless there are others. Where CAKE deduplicates, other shards are not asked about a conversion that is new.
   */
  async othersOf(
    row: Row,
    conversionId: number,
    { isDeduplicated, before }: { readonly isDeduplicated: boolean; readonly before: KnownBefore },
  ): Promise<readonly Sibling[]> {
    const isOther = (sibling: Sibling) => sibling.id !== row.id;
    // An event that has met the conversion since the request was sent is in memory.
    const same = conversionId > before.here ? this.#recentRows(conversionId) : this.#rowsWith(conversionId);
    const own = same.map((each) => this.#siblingOf(each)).filter(isOther);
    const isMet = own.length > 0;
    if (isMet) {
      // Where CAKE deduplicates, only an event of the same click matters, and it may be in another shard.
      const { clickId } = this.#siblingOf(row);
      if (own.some((sibling) => !isDeduplicated || sibling.clickId === clickId)) return own;
    } else {
      this.met(row.id, conversionId);
      if (isDeduplicated && before.anywhere !== undefined && conversionId > before.anywhere) return [];
    }
    const peers = await Promise.all(this.#deps.peers().map((peer) => peer.siblings("", conversionId)));
    const others = peers.flat().filter(isOther);
    if (!isMet && others.length > 0) this.#recent.forget(conversionId);
    return [...own, ...others];
  }

  /** Notes whose conversion it is. */
  met(id: string, conversionId: number): void {
    this.#recent.note(conversionId, id, Date.now());
  }

  #rowsWith(conversionId: number): readonly Row[] {
    return [...this.#deps.store.withConversion(conversionId), ...this.#recentRows(conversionId)];
  }

  /** The event that has met the conversion, which may not be stored yet. */
  #recentRows(conversionId: number): readonly Row[] {
    const id = this.#recent.find(conversionId);
    const row = id === undefined ? undefined : this.#deps.store.find(id);
    return row === undefined ? [] : [{ ...row, conversion_id: conversionId }];
  }

  #siblingOf(row: Row): Sibling {
    const { options, isNotRecorded } = this.#deps;
    const { uniqueId = "", clickId = "" } = JSON.parse(row.text) as { uniqueId?: string; clickId?: string };
    return {
      id: row.id,
      isNotRecorded: isNotRecorded(row),
      isDelivered: row.state === "delivered",
      conversionId: row.conversion_id,
      acceptedMs: Math.floor(row.accepted_ms / options.clockSpeed),
      uniqueId: String(uniqueId),
      clickId: String(clickId),
    };
  }
}
