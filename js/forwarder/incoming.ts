/** What is told of requests that no code of ours sends: shops' webhooks and networks' postbacks. */
/** What became of a webhook or a postback. */
export type IncomingOutcome =
  | "accepted"
  | "duplicate"
  /** The order is known with other fields: the first ones count. */
  | "changed"
  /** A sale of no click of ours. */
  | "no_click_id"
  | "test"
  /** Nothing to count, for the reason that stands beside it. */
  | "ignored"
  /** A refund, which has become a correction. */
  | "refund"
  | "refund_duplicate"
  /** A refund that cannot be handed on: there is no account to send corrections to. */
  | "refund_not_taken"
  /** A conversion that breaks a rule, by its code. */
  | "refused"
  /** The site's own mapping threw, or brought no good conversion. */
  | "map_failed"
  | "signature_refused"
  | "secret_refused"
  | "ping";

/** A shop's webhook. */
export interface WebhookLine {
  readonly event: "webhook";
  readonly shop: string;
  readonly topic: string;
  readonly outcome: IncomingOutcome;
  /** Why. */
  readonly code?: string;
  /** The event that it has become, or is a repetition of. */
  readonly id?: string;
  /** Why the sale has no revenue: it is in another currency, or its amount is none. */
  readonly revenueLeftOut?: "currency" | "amount";
  /** Of a sale that its page has told before: is the shop's money sent? Not where CAKE may have the sale. */
  readonly moneyUsed?: boolean;
  /** A person should look. */
  readonly alert?: true;
}

/** A network's postback. Neither its query nor its secret is told. */
export interface PostbackLine {
  readonly event: "postback";
  readonly postback: string;
  readonly outcome: IncomingOutcome;
  readonly code?: string;
  readonly id?: string;
}

/** Counts of the last day by name and outcome, as they are told by a shard. */
export type Tallies = Record<string, Record<string, number>>;

/** Adds a count, where its word is that of a webhook or a postback; says whether it is. */
export function addTally(word: string, count: number, webhooks: Tallies, postbacks: Tallies): boolean {
  const [, kind, name = "", outcome = ""] = /^(webhooks|postbacks)\/([^/]+)\/(.+)$/.exec(word) ?? [];
  if (kind === undefined) return false;
  const tallies = kind === "webhooks" ? webhooks : postbacks;
  tallies[name] ??= {};
  tallies[name][outcome] = (tallies[name][outcome] ?? 0) + count;
  return true;
}
