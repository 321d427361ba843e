/** The interface between a handler and a shard. The shard is in this process, or in a Durable Object elsewhere. */
import type { ForwarderCode } from "./answer.js";
import type { PostbackLine, WebhookLine } from "./incoming.js";
import type {
  EventFilter,
  EventKind,
  NewEvent,
  OrderRef,
  OrderUpdate,
  Row,
  RowFilter,
  Settled,
  StoredState,
} from "./store.js";

/** The state of an event as callers see it. */
export type ConversionState = StoredState | "paused";

/** The status of an event as a caller may see it. */
export interface Status {
  readonly id: string;
  readonly state: ConversionState;
  readonly attempts: number;
  /** The reason why the event is not delivered. */
  readonly code?: string | undefined;
  /** CAKE's id of the conversion, if CAKE returned one. */
  readonly conversionId?: number | undefined;
  /** May CAKE have recorded the event in spite of its state? */
  readonly isInDoubt?: true | undefined;
  /** The time of acceptance, ISO 8601 in UTC. */
  readonly acceptedAt: string;
}

/** The outbox's answer to a new event. */
export type Acceptance =
  | {
      readonly id: string;
      readonly state: ConversionState;
      readonly duplicate: boolean;
      /**
       * A backend's money for an event that a page has already reported: will it be sent? Not if CAKE may have the
       * event.
       */
      readonly moneyUsed?: boolean | undefined;
      /** What came of a shop's update. */
      readonly settled?: Settled | undefined;
    }
  | {
      readonly refusal: ForwarderCode;
      /** The event that already holds the claim. */
      readonly holder?: string | undefined;
    };

/** Accepts conversions, and what shops tell of orders, from callers with a secret, one by one. */
export interface Intake {
  /**
   * The key of the conversion that a body makes, and its click as a claim.
   *
   * @throws CakeError where the conversion breaks a rule
   */
  keyOf(body: string): OrderRef & { readonly claim: string };
  /**
   * Accepts a conversion, as the JSON of a body, with what a webhook tells of its order.
   *
   * @throws CakeError where the conversion breaks a rule
   */
  convert(body: string, update?: OrderUpdate): Promise<Acceptance>;
  /** Accepts what a webhook tells of an order. */
  updateOrder(update: OrderUpdate): Promise<Acceptance>;
  /** Cancels an event whose order is a conversion under other settings; returns whether it is not sent any more. */
  withdraw(id: string): Promise<boolean>;
  /** Is there an account to receive corrections? */
  takesCorrections(): boolean;
}

/** The refusal of an event whose claim belongs to another event. */
export function claimedBy(kind: EventKind | undefined): "click_converted" | "correction_conflict" {
  return kind === "correction" ? "correction_conflict" : "click_converted";
}

/** The holder of a claim. */
export interface Claim {
  /** The event that holds the claim. */
  readonly id: string;
  readonly isNew: boolean;
}

/** An event of the same click and offer. */
export interface Sibling {
  readonly id: string;
  /** Is it certain that CAKE has not recorded the event? */
  readonly isNotRecorded: boolean;
  /** Is it certain that CAKE has recorded the event? */
  readonly isDelivered: boolean;
  readonly conversionId: number | null;
  /** In milliseconds since 1970. */
  readonly acceptedMs: number;
  /** Empty for a correction. */
  readonly uniqueId: string;
  readonly clickId: string;
}

/** Events that came in one request. */
export interface AcceptRequest {
  readonly events: readonly NewEvent[];
  /** The signed request that contained the events. */
  readonly webhook?: { readonly id: string; readonly digest: string } | undefined;
  /** The number of shards that have already passed the request on. @default 0 */
  readonly hops?: number | undefined;
}

/** The kinds of keys; one shard alone keeps each key. A correction is kept in the shard of its conversion. */
export type KeyKind = "event" | "claim" | "webhook";

/** A key to keep. */
export interface ShardKey {
  /** A conversion's id, a claim, or a webhook's id. */
  readonly key: string;
  /** The hash in hexadecimal; it decides the key's shard. The hash of an event is its id. */
  readonly hash: string;
}

/** A shard that wants to keep keys asks another shard that may have them. */
export interface Search {
  readonly kind: KeyKind;
  /** The number of the shard that asks. */
  readonly keeper: number;
  readonly keys: readonly ShardKey[];
}

/** The answer for one key (`src/delivery/shards.rs`). */
export type Reply = "known" | "unknown" | "held" | "unpromised";

/** An operator's view of a shard. */
export interface ShardReport {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where no event waits. */
  readonly oldestMs: number | null;
  /** Outcomes by hour since 1970 and state. */
  readonly hours: readonly { readonly hour: number; readonly state: string; readonly count: number }[];
  readonly bytes: number;
  /** The number of refused, dead or cancelled events that CAKE may have recorded. */
  readonly inDoubt: number;
  /** The number of corrections, by state. */
  readonly corrections: Readonly<Record<StoredState, number>>;
  /** The reason why the shard sends nothing at present, or little of some offers; null where it sends. */
  readonly hold: Hold | null;
}

/** The reason why a shard sends nothing, or little of some offers. */
export interface Hold {
  /**
   * `key_refused`: CAKE, or a firewall in front of it, refuses the key, the account or the forwarder's address.
   * `wrong_address`: every event gets 404, so the address is wrong. `outage` or `limited`: CAKE fails or limits requests,
   * so the shard pauses for a while. `slow`: CAKE takes long for the {@link offers} alone, so their events have some of
   * the connections, and the others go on.
   */
  readonly reason: "key_refused" | "wrong_address" | "outage" | "limited" | "slow";
  /** The time of the next attempt, ISO 8601 in UTC; null where no time is set. */
  readonly until: string | null;
  /** The offers that `slow` concerns; 0 stands for all corrections. */
  readonly offers?: readonly number[] | undefined;
}

/** The result of an operator's cancellation. */
export type Cancellation = "cancelled" | "delivered" | "under_way" | "unknown";

/**
 * A shard as a handler uses it: in this process, or in a Durable Object elsewhere. A shard that lacks a key asks the
 * other shards that may have it, unless another shard asks (`isAsked`).
 */
export interface Shard {
  accept(request: AcceptRequest): Promise<readonly Acceptance[]>;
  /** Makes a claim for an event of another shard; returns the event that holds the claim. `hash` is the claim's. */
  claim(claim: string, id: string, hash?: string, hops?: number): Promise<Claim>;
  /** Takes back a claim of that event, if the claim has at least that age; returns whether it did. */
  unclaim(claim: string, id: string, leastAgeMs: number, isAsked?: boolean): Promise<boolean>;
  /** The holder of a claim; empty where nothing holds it. */
  findClaim(claim: string, isAsked?: boolean): Promise<string>;
  /** Does the shard have that event, and does the event hold the claim? */
  holds(id: string, claim: string, isAsked?: boolean): Promise<boolean>;
  /**
   * Takes the click of an event that has ended and that CAKE has certainly not recorded, for another event; returns
   * whether it did. The event that has lost its click is not sent again.
   */
  release(id: string, claim: string, isAsked?: boolean): Promise<boolean>;
  /** Says of each key whether this shard has it, and whether it would keep the key without asking. */
  seek(search: Search): Promise<readonly Reply[]>;
  /** The events of a click and offer that CAKE does not deduplicate, in this shard alone. */
  siblings(order: string, conversionId?: number): Promise<readonly Sibling[]>;
  /** Waits until the events are finished, for at most `ms` milliseconds. */
  wait(ids: readonly string[], ms: number, isAsked?: boolean): Promise<readonly (Status | undefined)[]>;
  report(): Promise<ShardReport>;
  list(filter: RowFilter): Promise<readonly Row[]>;
  /** Sends failed and cancelled events again, at most {@link MAX_REPLAYED}; returns their number. */
  replay(what: { readonly id: string } | EventFilter, isAsked?: boolean): Promise<number>;
  /** Cancels an event: it is not sent any more. */
  cancel(id: string, reason: string, isAsked?: boolean): Promise<Cancellation>;
  /**
   * Notes a signed request whose events are in other shards; returns whether its id belongs to this body alone. `hash`
   * is the id's.
   */
  webhook(id: string, digest: string, hash?: string, hops?: number): Promise<boolean>;
  /**
   * The secret for the ids of all shards; with an account's text, `SECRET|ACCOUNT`: the account's text when the outbox
   * was first used. With senders, as JSON, `SECRET|ACCOUNT|FORMER`: the keys that each of them had before, as JSON. Only
   * the first shard is asked.
   */
  idSecret(account?: string, senders?: string): Promise<string>;
  /**
   * Counts an operator's secret, right or wrong; returns for how many milliseconds secrets of this caller are ignored.
   */
  signIn(caller: string, isRight: boolean): Promise<number>;
  /** Ends an operator's session. `expiresMs` is its expiry in real time. */
  endSession(session: string, expiresMs: number): Promise<void>;
  isSessionEnded(session: string): Promise<boolean>;
  /** Adds one to a counter of this hour, by its word. Only the first shard is asked. */
  tally(word: string): Promise<void>;
  /** Wakes the shard, deletes rows past their retention, and returns a report. */
  sweep(): Promise<ShardReport>;
}

/** The code of an event that has lost its click to another one. */
export const CLICK_LOST = "click_converted" satisfies ForwarderCode;

/** The most events that one call of `replay` sends. */
export const MAX_REPLAYED = 1_000;

/** A line of the log. */
export type LogLine = ConversionLine | OperatorLine | WebhookLine | PostbackLine;

/** An action of an operator, or of somebody who tries to be one. */
export interface OperatorLine {
  readonly event: "operator";
  readonly action: "sign_in" | "sign_out" | "replay" | "cancel";
  /** `limited`: after too many wrong secrets, further ones are ignored. */
  readonly outcome: "done" | "refused" | "limited";
  readonly by?: "bearer" | "browser" | undefined;
  /** The number of events that it concerned. */
  readonly count?: number | undefined;
  /** A person should look at it. */
  readonly alert?: true | undefined;
}

/** One change of an event's state. */
export interface ConversionLine {
  readonly event: EventKind;
  /** The hash of the event's key. */
  readonly id: string;
  readonly state: ConversionState;
  readonly code: string;
  readonly attempt: number;
  /** May CAKE have recorded the event in spite of its state? */
  readonly isInDoubt?: true | undefined;
  /** A person must act: the key is refused, or the domain is wrong. */
  readonly alert?: true | undefined;
  /** Why CAKE was never reached, in the platform's words, without a key and a URL. */
  readonly cause?: string | undefined;
}
