/** What a handler asks of a shard, and what a shard tells: in this process, or in a Durable Object elsewhere. */
import type { ForwarderCode } from "./answer.js";
import type { PostbackLine, WebhookLine } from "./incoming.js";
import type { EventFilter, EventKind, NewEvent, Row, RowFilter, StoredState } from "./store.js";

/** Where an event stands. */
export type ConversionState = StoredState | "paused";

/** What a caller may know of an event. */
export interface Status {
  readonly id: string;
  readonly state: ConversionState;
  readonly attempts: number;
  /** Why it is not delivered. */
  readonly code?: string;
  /** CAKE's id of the conversion, where it told one. */
  readonly conversionId?: number;
  /** May CAKE have recorded it all the same? */
  readonly isInDoubt?: true;
  /** When it was accepted, ISO 8601 in UTC. */
  readonly acceptedAt: string;
}

/** What an outbox makes of an event that is handed to it. */
export type Acceptance =
  | {
      readonly id: string;
      readonly state: ConversionState;
      readonly duplicate: boolean;
      /** A backend's money for an event that a page has handed over before: will it be sent? Not where CAKE may have the event. */
      readonly moneyUsed?: boolean;
    }
  | {
      readonly refusal: ForwarderCode;
      /** Whose claim of the click stands in the way. */
      readonly holder?: string;
    };

/** Takes what callers with a secret hand over, one by one, as the JSON of a body. */
export interface Intake {
  /** Takes a conversion. @throws CakeError where it breaks a rule */
  convert(body: string): Promise<Acceptance>;
  /**
   * Takes a correction; `undefined` where its conversion must be known here and is not, `unavailable` where there is no
   * account to send it to.
   *
   * @throws CakeError where it breaks a rule
   */
  correct(body: string, mustBeKnown: boolean): Promise<Acceptance | "unavailable" | undefined>;
}

/** What stands in the way of an event whose claim another has made. */
export function claimedBy(kind: EventKind | undefined): "click_converted" | "correction_conflict" {
  return kind === "correction" ? "correction_conflict" : "click_converted";
}

/** Who has made a claim. */
export interface Claim {
  /** The event that it is made for. */
  readonly id: string;
  readonly isNew: boolean;
}

/** An event of the same click and offer. */
export interface Sibling {
  readonly id: string;
  /** Is it certain that CAKE has not recorded it? */
  readonly isNotRecorded: boolean;
  /** Is it certain that CAKE has? */
  readonly isDelivered: boolean;
  readonly conversionId: number | null;
}

/** Events that came in one request. */
export interface AcceptRequest {
  readonly events: readonly NewEvent[];
  /** The signed request that they came in. */
  readonly webhook?: { readonly id: string; readonly digest: string } | undefined;
  /** How many shards have handed them on before. @default 0 */
  readonly hops?: number | undefined;
}

/** What a shard is asked to keep, each in one shard alone. An event counts by its conversion: its corrections lie with it. */
export type KeyKind = "event" | "claim" | "webhook";

/** Something to be kept. */
export interface ShardKey {
  /** A conversion's id, a claim, a webhook's id. */
  readonly key: string;
  /** In hexadecimal: it says which shard is the key's. An event's is its id. */
  readonly hash: string;
}

/** A shard wants to keep keys, and asks another that may have them. */
export interface Search {
  readonly kind: KeyKind;
  /** The number of the shard that asks. */
  readonly keeper: number;
  readonly keys: readonly ShardKey[];
}

/** What it is told of each (`src/delivery/shards.rs`). */
export type Reply = "known" | "unknown" | "held" | "unpromised";

/** What an operator sees of a shard. */
export interface ShardReport {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where none waits. */
  readonly oldestMs: number | null;
  /** Outcomes by hour since 1970 and state. */
  readonly hours: readonly { readonly hour: number; readonly state: string; readonly count: number }[];
  readonly bytes: number;
  /** Of what is refused, dead or cancelled, how much CAKE may have recorded all the same. */
  readonly inDoubt: number;
  /** How many of the events are corrections, by state. */
  readonly corrections: Readonly<Record<StoredState, number>>;
  /** Why no event is sent at present; null where that is not so. */
  readonly hold: Hold | null;
}

/** Why a shard sends nothing. */
export interface Hold {
  /**
   * CAKE does not take the key; every event meets 404, so the address is wrong;
   * CAKE fails, or limits, and is left alone for a while.
   */
  readonly reason: "key_refused" | "wrong_address" | "outage" | "limited";
  /** When it is asked again, ISO 8601 in UTC; null where that has no time. */
  readonly until: string | null;
}

/** What became of an event that an operator wants cancelled. */
export type Cancellation = "cancelled" | "delivered" | "under_way" | "unknown";

/**
 * What a handler asks of a shard: here, or in a Durable Object elsewhere. What a shard does not have it asks the other
 * shards for that may have it, unless another shard `isAsked` so.
 */
export interface Shard {
  accept(request: AcceptRequest): Promise<readonly Acceptance[]>;
  /** Makes a claim for an event of another shard; says for which event it is made. `hash` is the claim's. */
  claim(claim: string, id: string, hash?: string, hops?: number): Promise<Claim>;
  /** Takes a claim of that event back, if it is at least so old; says whether it did. */
  unclaim(claim: string, id: string, leastAgeMs: number, isAsked?: boolean): Promise<boolean>;
  /** Is there that event, and is the claim its own? */
  holds(id: string, claim: string, isAsked?: boolean): Promise<boolean>;
  /** Says of each key whether this shard has it, and whether it would keep it without asking. */
  seek(search: Search): Promise<readonly Reply[]>;
  /** The events of a click and offer that CAKE does not deduplicate, of this shard alone. */
  siblings(order: string): Promise<readonly Sibling[]>;
  /** Waits until the events are over, or for so long. */
  wait(ids: readonly string[], ms: number, isAsked?: boolean): Promise<readonly (Status | undefined)[]>;
  report(): Promise<ShardReport>;
  list(filter: RowFilter): Promise<readonly Row[]>;
  /** Sends what has failed or was cancelled once more, at most {@link MAX_REPLAYED}; says how many that are. */
  replay(what: { readonly id: string } | EventFilter, isAsked?: boolean): Promise<number>;
  /** Sends an event no more. */
  cancel(id: string, reason: string, isAsked?: boolean): Promise<Cancellation>;
  /** Takes note of a signed request whose events are other shards'; says whether its id serves this body alone. `hash` is the id's. */
  webhook(id: string, digest: string, hash?: string, hops?: number): Promise<boolean>;
  /** The secret of all shards' ids. Only the first shard is asked. */
  idSecret(): Promise<string>;
  /** Counts an operator's secret, right or wrong; says for how many milliseconds none of this caller's is looked at. */
  signIn(caller: string, isRight: boolean): Promise<number>;
  /** Ends an operator's session, which would expire at a time of the world's. */
  endSession(session: string, expiresMs: number): Promise<void>;
  isSessionEnded(session: string): Promise<boolean>;
  /** Counts something in this hour, by its word. Only the first shard is asked. */
  tally(word: string): Promise<void>;
  /** Wakes the shard, deletes what is past its retention, reports. */
  sweep(): Promise<ShardReport>;
}

/** How many events one call of `replay` sends at most. */
export const MAX_REPLAYED = 1_000;

/** A line of the log. */
export type LogLine = ConversionLine | OperatorLine | WebhookLine | PostbackLine;

/** What an operator did, or somebody who would be one. */
export interface OperatorLine {
  readonly event: "operator";
  readonly action: "sign_in" | "sign_out" | "replay" | "cancel";
  /** `limited`: after too many wrong secrets none is looked at. */
  readonly outcome: "done" | "refused" | "limited";
  readonly by?: "bearer" | "browser";
  /** How many events it was about. */
  readonly count?: number;
  /** A person should look. */
  readonly alert?: true;
}

/** One change of an event's state. */
export interface ConversionLine {
  readonly event: EventKind;
  /** The hash of its key. */
  readonly id: string;
  readonly state: ConversionState;
  readonly code: string;
  readonly attempt: number;
  /** May CAKE have recorded it all the same? */
  readonly isInDoubt?: true;
  /** A person is needed: the key is refused, or the domain is wrong. */
  readonly alert?: true;
}
