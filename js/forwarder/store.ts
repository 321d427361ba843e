/** The seam between an outbox and where its rows are kept. Every method is synchronous. */

/** Where a stored event stands. A shard's pause is told on top of `pending`. */
export type StoredState = "pending" | "delivered" | "refused" | "dead" | "cancelled";

/** What an event is. */
export type EventKind = "conversion" | "correction";

/** An event that is handed to an outbox. */
export interface NewEvent {
  /** The hash of its key. */
  readonly id: string;
  /** @default "conversion" */
  readonly kind?: EventKind | undefined;
  readonly offerId: number;
  /** Its canonical text, which is its fingerprint too. */
  readonly text: string;
  /** The civil time of its acceptance in the account's zone; empty where that is not known. */
  readonly acceptedAt: string;
  /** What a page's conversion claims: its offer and click; what a correction claims: its own id. */
  readonly claim?: string | undefined;
  /** Its offer and click, where CAKE does not deduplicate the offer; a correction's {@link orderOf}. */
  readonly order?: string | undefined;
  /** Does it come from a signed caller? */
  readonly isSigned?: boolean | undefined;
}

/** An event as it is kept. No key, address or user agent is in it. */
export interface Row {
  /** Counts the events of a shard in the order of their acceptance. */
  readonly number: number;
  readonly id: string;
  readonly offer_id: number;
  readonly text: string;
  readonly accepted_at: string;
  readonly accepted_ms: number;
  readonly state: StoredState;
  readonly attempts: number;
  /** 1: an attempt may have been recorded. */
  readonly is_in_doubt: number;
  /** When it is due; null where it is over. */
  readonly next_ms: number | null;
  /** Why it is not delivered: an error's code. */
  readonly code: string;
  /** CAKE's own words, redacted. */
  readonly upstream_message: string;
  readonly conversion_id: number | null;
  readonly changed_ms: number;
  /** Offer and click, where CAKE does not deduplicate the offer; else empty. A correction's {@link orderOf}. */
  readonly order_key: string;
  readonly kind: EventKind;
}

/** What all corrections of a conversion have in common. No offer and click reads alike. */
export function orderOf(conversionId: string): string {
  return `=${conversionId}`;
}

/** The conversion that an event is, or corrects, by its id. */
export function conversionOf({ id, kind, order = "" }: Pick<NewEvent, "id" | "kind" | "order">): string {
  return kind === "correction" ? order.slice(orderOf("").length) : id;
}

/** Which events are meant; what is absent does not matter. Times are the outbox's. */
export interface EventFilter {
  /** `failed` is refused or dead. */
  readonly state?: StoredState | "failed" | undefined;
  readonly kind?: EventKind | undefined;
  readonly offerId?: number | undefined;
  /** Why it is not delivered: an error's code. */
  readonly code?: string | undefined;
  readonly isInDoubt?: boolean | undefined;
  /** Accepted at this time or later. */
  readonly sinceMs?: number | undefined;
  /** Accepted before this time. */
  readonly untilMs?: number | undefined;
}

/** Which rows a list holds, the newest first. */
export interface RowFilter extends EventFilter {
  /** Only those accepted before this number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** What a purge has deleted. */
export interface Purged {
  /** How many events of each state. */
  readonly gone: ReadonlyMap<StoredState, number>;
  /** Is nothing left to be deleted now? */
  readonly isDone: boolean;
}

/** When a settled event is due; never at the very time of its acceptance, by which a store knows what was never tried. */
export function dueAfterSettling({ next_ms, accepted_ms }: Row): number | null {
  return next_ms === accepted_ms ? accepted_ms + 1 : next_ms;
}

/** A store. */
export interface OutboxStore {
  /** Does all that `job` does, or nothing. */
  transaction(job: () => void): void;
  /** Keeps an event that is not known yet. */
  insert(event: NewEvent, nowMs: number): void;
  /** Gives an event another text. */
  setText(id: string, text: string): void;
  find(id: string): Row | undefined;
  /** Writes what came of an attempt. */
  settle(row: Row): void;
  /** What is due, the longest overdue first. */
  due(nowMs: number, limit: number): readonly Row[];
  /**
   * What is due and has not failed yet: the shortest overdue first, or in order of acceptance from a place in the queue
   * on, from 0 to 1, and then from its beginning.
   */
  dueUnfailed(nowMs: number, limit: number, from: "newest" | number): readonly Row[];
  nextDue(): number | null;
  /** When the oldest event was accepted that still waits, of the 10,000 that are due first. */
  oldestPending(): number | null;
  list(filter: RowFilter): readonly Row[];
  /** The events of one offer and click, or the corrections of one conversion. */
  siblings(order: string): readonly Row[];
  findClaim(claim: string): { readonly id: string; readonly atMs: number } | undefined;
  /** Makes a claim that is not made yet. */
  claim(claim: string, id: string, nowMs: number): void;
  unclaim(claim: string): void;
  /** The digest that a webhook's id is known with. */
  findWebhook(webhookId: string): string | undefined;
  /** Takes note of a webhook's id, unless it is known; says with which digest it is known. */
  webhook(webhookId: string, digest: string, nowMs: number): string;
  /** How many events there are of each state; asked once, at the start. */
  stateCounts(): ReadonlyMap<StoredState, number>;
  /** How many of them are corrections. */
  correctionCounts(): ReadonlyMap<StoredState, number>;
  /** A text by its name; null where there is none. */
  getMeta(name: string): string | null;
  /** Keeps a text by its name; null forgets it. */
  setMeta(name: string, text: string | null): void;
  /**
   * Deletes what is over, and was accepted and changed before; claims and webhook ids likewise. It does a part that
   * nobody waits long for; a store may keep what is over for half of the retention longer.
   */
  purge(changedBeforeMs: number, webhooksBeforeMs: number): Purged;
  /** How many events are over, not delivered, and may be recorded all the same. */
  inDoubt(): number;
  /** Bytes on disk. */
  bytes(): number;
}
