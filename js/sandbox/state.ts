/** A row of one of the network's tables. */
export type SandboxRow = Record<string, string | number | null>;

/** A row of the postback log. */
export type FiredPostback = {
  readonly postback_id: number;
  readonly conversion_id: number;
  readonly url: string;
  /** The HTTP status of the answer; null where none came. */
  readonly status: number | null;
};

/** What `GET /__sandbox/state` answers: rows, newest first, at most 100 of each. */
export interface SandboxState {
  readonly clicks: readonly SandboxRow[];
  readonly conversions: readonly SandboxRow[];
  readonly postbacks: readonly FiredPostback[];
}
