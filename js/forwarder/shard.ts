/** What a handler asks of a shard, and what a shard tells: an outbox in this process, or a Durable Object elsewhere. */
import type { ForwarderCode } from "./answer.js";
import type { NewEvent, Row, RowFilter, StoredState } from "./store.js";

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
  /** When it was accepted, ISO 8601 in UTC. */
  readonly acceptedAt: string;
}

/** What an outbox makes of an event that is handed to it. */
export type Acceptance =
  | { readonly id: string; readonly state: ConversionState; readonly duplicate: boolean }
  | { readonly refusal: ForwarderCode };

/** Events that came in one request. */
export interface AcceptRequest {
  readonly events: readonly NewEvent[];
  /** The signed request that they came in. */
  readonly webhook?: { readonly id: string; readonly digest: string } | undefined;
}

/** What an operator sees of a shard. */
export interface ShardReport {
  readonly counts: Readonly<Record<ConversionState, number>>;
  /** How long the oldest event has waited, in milliseconds; null where none waits. */
  readonly oldestMs: number | null;
  /** Outcomes by hour since 1970 and state. */
  readonly hours: readonly { readonly hour: number; readonly state: string; readonly count: number }[];
  readonly bytes: number;
}

/** What a handler asks of a shard: an outbox here, or a Durable Object elsewhere. */
export interface Shard {
  accept(request: AcceptRequest): Promise<readonly Acceptance[]>;
  /** Makes a claim for an event of another shard; says for which event it is made. */
  claim(claim: string, id: string): Promise<string>;
  /** Waits until the events are over, or for so long. */
  wait(ids: readonly string[], ms: number): Promise<readonly (Status | undefined)[]>;
  report(): Promise<ShardReport>;
  list(filter: RowFilter): Promise<readonly Row[]>;
  /** Sends what is over once more; says how many that are. */
  replay(what: { readonly id: string } | { readonly state: StoredState }): Promise<number>;
  /** Wakes the shard, deletes what is past its retention, reports. */
  sweep(): Promise<ShardReport>;
}

/** One state change, for the log. */
export interface LogLine {
  readonly event: "conversion";
  /** The hash of its key. */
  readonly id: string;
  readonly state: ConversionState;
  readonly code: string;
  readonly attempt: number;
  /** A person is needed: the key is refused, or the domain is wrong. */
  readonly alert?: true;
}
