/** The interface between an outbox and the storage of its rows. Every method is synchronous. */

/** The state of a stored event. A shard's pause is shown in place of `pending`. */
export type StoredState = "pending" | "delivered" | "refused" | "dead" | "cancelled";

/** The kind of an event. */
export type EventKind = "conversion" | "correction";

/** A new event for an outbox. */
export interface NewEvent {
  /** The hash of the event's key. */
  readonly id: string;
  /** @default "conversion" */
  readonly kind?: EventKind | undefined;
  readonly offerId: number;
  /** The canonical text of the event, which is its fingerprint too. */
  readonly text: string;
  /** The civil time of the acceptance in the account's time zone; empty where the zone is not known. */
  readonly acceptedAt: string;
  /** The claim: offer and click for a page's conversion, its own id for a correction. */
  readonly claim?: string | undefined;
  /** Offer and click, where CAKE does not deduplicate the offer; {@link orderOf} for a correction. */
  readonly order?: string | undefined;
  /** Does the event come from a signed caller? */
  readonly isSigned?: boolean | undefined;
  /** What a shop's webhook tells of the order, beside its conversion or alone. */
  readonly update?: OrderUpdate | undefined;
}

/** An order of a shop's, by the key of its conversion. */
export interface OrderRef {
  readonly offerId: number;
  readonly uniqueId: string;
}

/** What a shop's webhook tells of an order, as the core reads it (`src/delivery/shop/order_update.rs`). */
export interface OrderUpdate extends OrderRef {
  readonly platform: string;
  /** Facts in the core's own lines. */
  readonly facts: string;
  /** The unique id that the order's sale gets, unless it is decided already. */
  readonly soldAs?: string | undefined;
  /** The other orders that this one is here. */
  readonly links?: readonly OrderRef[] | undefined;
  /** May a mapping have made anything of the order? */
  readonly isMapped: boolean;
  /**
   * The conversion that the webhook makes of the order, as a canonical text, and the revenue that the built-in mapping
   * has found: the site's own mapping may have chosen another one.
   */
  readonly sale?: { readonly text?: string | undefined; readonly atMs: number; readonly found?: string | undefined };
  /** What to do where no such conversion is known. */
  readonly ifUnknown: "sent" | "kept" | "quiet" | "known";
  /** The claim of its click, where it is asked whether the conversion of that key is of this click. */
  readonly claim?: string | undefined;
}

/** What came of the update. */
export interface Settled {
  /** The correction that the update made, or the last one. */
  readonly id?: string | undefined;
  readonly outcome: "refund" | "money" | "total" | "same" | "whole" | "map" | "currency" | "unknown" | "full";
  /** Is the order's conversion known here? */
  readonly isKnown: boolean;
  /** Has CAKE the shop's money? */
  readonly isMoneyUsed: boolean;
  /** The unique id of the order's sale, where it is decided; else empty. */
  readonly soldAs: string;
  /** The other orders that this one is here, and the facts for them. */
  readonly links: readonly OrderRef[];
  readonly facts: string;
  /** The order's conversion, where it is known here. A shard of an older release says nothing of it. */
  readonly conversion?: KnownConversion | undefined;
  /** When the order was last told, where its conversion is not known here. */
  readonly toldMs?: number | undefined;
}

/** A conversion that is known here. */
export interface KnownConversion {
  readonly id: string;
  /** A shard's pause is shown in place of `pending`. */
  readonly state: StoredState | "paused";
  /** Has it ended, and has CAKE surely not recorded it? Then its order may be converted under another key. */
  readonly isUnrecorded: boolean;
  /** Is it of another click than {@link OrderUpdate.claim}? */
  readonly isOfOtherClick: boolean;
  /** By the outbox's clock. A shard of an older release does not say it. */
  readonly acceptedMs?: number | undefined;
}

/** The claim whose text is the ledger of a shop's order: the facts that webhooks have told. */
export function ledgerOf(conversionId: string): string {
  return `ledger ${conversionId}`;
}

/** A stored event. It contains no key, address or user agent. */
export interface Row {
  /** The number of the event, in the order of acceptance in its shard. */
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
  /** When the event is due; null where it is finished. */
  readonly next_ms: number | null;
  /** Why the event is not delivered: an error's code. */
  readonly code: string;
  /** CAKE's own message, redacted. */
  readonly upstream_message: string;
  readonly conversion_id: number | null;
  readonly changed_ms: number;
  /** Offer and click, where CAKE does not deduplicate the offer; {@link orderOf} for a correction; else empty. */
  readonly order_key: string;
  readonly kind: EventKind;
}

/** The order key that all corrections of a conversion share. It is never equal to an offer and click. */
export function orderOf(conversionId: string): string {
  return `=${conversionId}`;
}

/** The id of the conversion that an event is or corrects. */
export function conversionOf({ id, kind, order = "" }: Pick<NewEvent, "id" | "kind" | "order">): string {
  return kind === "correction" ? order.slice(orderOf("").length) : id;
}

/** A filter of events; an absent field matches all. Times are the outbox's. */
export interface EventFilter {
  /** `failed` is refused or dead. */
  readonly state?: StoredState | "failed" | undefined;
  readonly kind?: EventKind | undefined;
  readonly offerId?: number | undefined;
  /** Why the event is not delivered: an error's code. */
  readonly code?: string | undefined;
  readonly isInDoubt?: boolean | undefined;
  /** Accepted at this time or later. */
  readonly sinceMs?: number | undefined;
  /** Accepted before this time. */
  readonly untilMs?: number | undefined;
}

/** The rows of a list, the newest first. */
export interface RowFilter extends EventFilter {
  /** Only events with a number below this one. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** The result of a purge. */
export interface Purged {
  /** The number of deleted events of each state. */
  readonly gone: ReadonlyMap<StoredState, number>;
  /** Is nothing left to delete now? */
  readonly isDone: boolean;
}

/** Was an event never tried? It is due at exactly the time of its acceptance, and at once, whatever the clock was then. */
export function isUntried({ next_ms, accepted_ms }: Row): boolean {
  return next_ms === accepted_ms;
}

/**
 * When a settled event is due. Its time is never that of an untried one.
 */
export function dueAfterSettling(row: Row): number | null {
  return isUntried(row) ? row.accepted_ms + 1 : row.next_ms;
}

/** The outbox's clock. */
export interface ClockNow {
  readonly nowMs: number;
  /** A clock before this time is not set. */
  readonly setFromMs: number;
  /** The longest time that an event waits. */
  readonly longestWaitMs: number;
  /** Has it been set since something was dated? */
  readonly wasUnset: boolean;
}

/** The row with its times mended; the row itself where they need no mending. See {@link OutboxStore.mendTimes}. */
export function mendedTimes(row: Row, clock: ClockNow): Row {
  const { nowMs, setFromMs } = clock;
  if (nowMs < setFromMs) {
    const isTooLate = row.next_ms !== null && row.next_ms > nowMs + clock.longestWaitMs && !isUntried(row);
    // Its other times may be right.
    return isTooLate ? { ...row, next_ms: nowMs + 1 } : row;
  }
  return mendedAge(row.next_ms === null ? row : mendedAhead({ ...row, next_ms: row.next_ms }, clock, row), clock);
}

/** Mends what a clock that was ahead has told of a waiting event. */
function mendedAhead(row: Row & { next_ms: number }, { nowMs, longestWaitMs }: ClockNow, same: Row): Row {
  const { next_ms, accepted_ms, changed_ms, accepted_at, is_in_doubt } = row;
  if (changed_ms <= nowMs && accepted_ms <= nowMs && next_ms <= nowMs + longestWaitMs) return same;
  // Where an attempt may be recorded, the date that it had is needed to find it.
  const isAhead = accepted_ms > nowMs && is_in_doubt === 0;
  const accepted = isAhead ? nowMs : accepted_ms;
  return {
    ...row,
    accepted_ms: accepted,
    accepted_at: isAhead ? "" : accepted_at,
    next_ms: isUntried(row) ? accepted : nowMs + 1,
    changed_ms: Math.min(changed_ms, nowMs),
  };
}

/** Mends the age of an event that was accepted before the clock was set: the next purge would forget it. */
function mendedAge(row: Row, { nowMs, setFromMs, wasUnset }: ClockNow): Row {
  if (!wasUnset || row.accepted_ms >= setFromMs) return row;
  const changed_ms = Math.max(row.changed_ms, nowMs);
  if (row.is_in_doubt === 1) return { ...row, changed_ms };
  return { ...row, next_ms: isUntried(row) ? nowMs : row.next_ms, accepted_ms: nowMs, changed_ms };
}

/** The earliest of these times. */
export function least(times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** The row of a new event. */
export function newRow(number: number, event: NewEvent, nowMs: number): Row {
  return {
    number,
    id: event.id,
    offer_id: event.offerId,
    text: event.text,
    accepted_at: event.acceptedAt,
    accepted_ms: nowMs,
    state: "pending",
    attempts: 0,
    is_in_doubt: 0,
    next_ms: nowMs,
    code: "",
    upstream_message: "",
    conversion_id: null,
    changed_ms: nowMs,
    order_key: event.order ?? "",
    kind: event.kind ?? "conversion",
  };
}

/** An event and a claim to look up. */
export type Asked = Pick<NewEvent, "id" | "claim">;

/** What a store has of an event's id and a claim. */
export interface LookedUp {
  readonly isKnown: boolean;
  /** The event that holds the claim. */
  readonly holder: string | undefined;
}

/** A claim, and the event that makes it. */
export interface NewClaim {
  readonly claim: string;
  readonly id: string;
}

/** The latest times of a store. */
export interface Latest {
  readonly acceptedMs: number;
  readonly dueMs: number;
}

/** The last due events that were read: one that was never tried, and one that was. */
export interface DueAfter {
  readonly fresh?: Row;
  readonly tried?: Row;
}

/** A store. */
export interface OutboxStore {
  /** Does everything in `job`, or nothing. */
  transaction(job: () => void): void;
  /** Stores new events, and returns their rows. */
  insert(events: readonly NewEvent[], nowMs: number): readonly Row[];
  /** Replaces the text of an event, and the key of its order where one is given. */
  setText(id: string, text: string, order?: string): void;
  find(id: string): Row | undefined;
  /** Is there an event with each id, and which event holds each claim? One read for all. */
  lookUp(asked: readonly Asked[]): readonly LookedUp[];
  /** Writes the results of attempts. */
  settle(rows: readonly Row[]): void;
  /** Due events, the longest overdue first; behind those of an earlier call. */
  due(nowMs: number, limit: number, after?: DueAfter): readonly Row[];
  /**
   * Due events without a failed attempt. With `newest`, the shortest overdue comes first. With a number from 0 to 1,
   * the list begins at that place in the order of acceptance, and continues from the order's beginning.
   */
  dueUnfailed(nowMs: number, limit: number, from: "newest" | number): readonly Row[];
  /** When the next event is due. One that was never tried is due now, whatever the clock was at its acceptance. */
  nextDue(nowMs: number): number | null;
  /** When the next event is due of those that wait for a time after that one. */
  dueAfter(atMs: number): number | null;
  /** The acceptance time of the oldest event that still waits, among the 10,000 events due first. */
  oldestPending(): number | null;
  list(filter: RowFilter): readonly Row[];
  /** The events of one offer and click, or the corrections of one conversion. */
  siblings(order: string): readonly Row[];
  /** The conversions of offers without deduplication that are delivered as this conversion of CAKE's. */
  withConversion(conversionId: number): readonly Row[];
  /** The highest id for which {@link OutboxStore.withConversion} finds any; 0 without one. */
  highestConversion(): number;
  findClaim(claim: string): { readonly id: string; readonly atMs: number } | undefined;
  /** Makes new claims. */
  claim(claims: readonly NewClaim[], nowMs: number): void;
  /** Makes a claim, or gives it another holder and the age of a new one. */
  setClaim(claim: string, id: string, nowMs: number): void;
  unclaim(claim: string): void;
  /** The digest stored with a webhook's id. */
  findWebhook(webhookId: string): string | undefined;
  /** Stores a webhook's id unless it is known; returns the digest stored with it. */
  webhook(webhookId: string, digest: string, nowMs: number): string;
  /** The number of events of each state; called once, at the start. */
  stateCounts(): ReadonlyMap<StoredState, number>;
  /** The number of corrections of each state. */
  correctionCounts(): ReadonlyMap<StoredState, number>;
  /** A text by its name; null for an unknown name. */
  getMeta(name: string): string | null;
  /** Stores a text under a name; null deletes the text. */
  setMeta(name: string, text: string | null): void;
  /**
   * Deletes finished events that were accepted and changed before a time, and claims and webhook ids likewise. Each
   * call does a small part, so that nobody waits long. A store may keep finished events for half of the retention
   * longer.
   */
  purge(changedBeforeMs: number, webhooksBeforeMs: number): Purged;
  /** The number of finished events that are not delivered and may be recorded. */
  inDoubt(): number;
  /** The acceptance time of the last event, and the latest due time of one that was tried; 0 without one. */
  latest(): Latest;
  /**
   * Mends times that come from a clock that was wrong. Of one that was ahead: a waiting event that changed in the
   * future, or is due later than the longest wait, is due now. Was it never sent, it counts as accepted now. Of one that
   * was not set yet: what it dated counts as accepted and changed now, waiting or over. By a clock that is not set, only
   * the time at which an event is due is mended.
   */
  mendTimes(clock: ClockNow): void;
  /** Bytes on disk. */
  bytes(): number;
}
