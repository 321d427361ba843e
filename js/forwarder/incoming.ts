/** The log lines of requests that no code of ours sends: shops' webhooks and networks' postbacks. */

/** The outcome of a webhook or a postback. */
export type IncomingOutcome =
  | "accepted"
  | "duplicate"
  /** The order is known with other fields; the first ones count. */
  | "changed"
  /** A sale without a click id of ours. */
  | "no_click_id"
  | "test"
  /** There is nothing to count; `code` has the reason. */
  | "ignored"
  /** A refund, which became a correction. */
  | "refund"
  | "refund_duplicate"
  /** A refund that cannot be passed on: there is no account to receive corrections. */
  | "refund_not_taken"
  /** A conversion that breaks a rule; `code` names the rule. */
  | "refused"
  /** The site's own mapping threw, or returned an invalid conversion. */
  | "map_failed"
  | "signature_refused"
  | "secret_refused"
  | "ping";

/** The log line of a shop's webhook. */
export interface WebhookLine {
  readonly event: "webhook";
  readonly shop: string;
  readonly topic: string;
  readonly outcome: IncomingOutcome;
  /** The reason. */
  readonly code?: string | undefined;
  /** The event that the webhook became or repeats. */
  readonly id?: string | undefined;
  /** Why the sale has no revenue: its currency is another one, or its amount is unusable. */
  readonly revenueLeftOut?: "currency" | "amount" | undefined;
  /** For a sale that its page has already reported: is the shop's money sent, with the sale or as a correction? */
  readonly moneyUsed?: boolean | undefined;
  /** A person should look at it. */
  readonly alert?: true | undefined;
}

/** The log line of a network's postback, without its query and secret. */
export interface PostbackLine {
  readonly event: "postback";
  readonly postback: string;
  readonly outcome: IncomingOutcome;
  readonly code?: string | undefined;
  readonly id?: string | undefined;
}

/** Counts of the last day by name and outcome, as a shard reports them. */
export type Tallies = Record<string, Record<string, number>>;

/** Adds a count, if its word is that of a webhook or a postback; returns whether it is. */
export function addTally(word: string, count: number, webhooks: Tallies, postbacks: Tallies): boolean {
  const [, kind, name = "", outcome = ""] = /^(webhooks|postbacks)\/([^/]+)\/(.+)$/.exec(word) ?? [];
  if (kind === undefined) return false;
  const tallies = kind === "webhooks" ? webhooks : postbacks;
  tallies[name] ??= {};
  tallies[name][outcome] = (tallies[name][outcome] ?? 0) + count;
  return true;
}
