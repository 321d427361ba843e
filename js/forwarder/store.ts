/** The seam between an outbox and where its rows are kept. Every method is synchronous. */

/** Where a stored event stands. A shard's pause is told on top of `pending`. */
export type StoredState = "pending" | "delivered" | "refused" | "dead";

/** An event that is handed to an outbox. */
export interface NewEvent {
  /** The hash of its key. */
  readonly id: string;
  readonly offerId: number;
  /** Its canonical text, which is its fingerprint too. */
  readonly text: string;
  /** The civil time of its acceptance in the account's zone; empty where that is not known. */
  readonly acceptedAt: string;
  /** What a page's conversion claims: its offer and click. */
  readonly claim?: string | undefined;
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
}

/** Which rows a list holds, the newest first. */
export interface RowFilter {
  readonly state?: StoredState | undefined;
  /** Only those accepted before this number. */
  readonly before?: number | undefined;
  readonly limit: number;
}

/** A store. */
export interface OutboxStore {
  /** Does all that `job` does, or nothing. */
  transaction(job: () => void): void;
  /** Keeps the events that are not known yet; says which those were, in order. */
  insert(events: readonly NewEvent[], nowMs: number): readonly boolean[];
  find(id: string): Row | undefined;
  /** Writes what came of an attempt. */
  settle(row: Row): void;
  /** What is due, the longest overdue first. */
  due(nowMs: number, limit: number): readonly Row[];
  nextDue(): number | null;
  /** When the oldest event was accepted that still waits, of the 10,000 that are due first. */
  oldestPending(): number | null;
  list(filter: RowFilter): readonly Row[];
  /** Makes the claim, unless it is made; says for which event it is made. */
  claim(claim: string, id: string, nowMs: number): string;
  /** Takes note of a webhook's id, unless it is known; says with which digest it is known. */
  webhook(webhookId: string, digest: string, nowMs: number): string;
  /** Adds to a count. */
  count(name: string, by: number): void;
  forgetCount(name: string): void;
  /** Every count by its name. */
  counts(): ReadonlyMap<string, number>;
  /** A text by its name; null where there is none. */
  getMeta(name: string): string | null;
  /** Keeps a text by its name; null forgets it. */
  setMeta(name: string, text: string | null): void;
  /** Deletes what is over and older; says how many events of each state it was. */
  purge(changedBeforeMs: number, webhooksBeforeMs: number): ReadonlyMap<StoredState, number>;
  /** Bytes on disk. */
  bytes(): number;
}
