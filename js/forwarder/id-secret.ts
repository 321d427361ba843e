/**
 * What the ids of all shards are made with: a secret, so that nobody computes an event's id from an order's number, and
 * the account's text. With them the first shard keeps the settings of keys, those of before too.
 */
import { type Held, noteSenders, type Sender } from "./key-settings.js";
import type { OutboxStore } from "./store.js";

/** The name under which a store keeps the secret. */
export const SECRET = "id secret";
const SENDERS = "key settings";
/** How many retentions the settings of before are kept: an order that still changes is kept longer than one. */
const KEPT_TIMES = 2;

/**
 * A sandbox, the one address of `http:` (`src/host.rs`), is an account of its own: what it was sent does not count as
 * sent to CAKE.
 */
const accountName = (account: string) => (account.startsWith("http:") ? "sandbox account" : "account");

/** What a store has for the ids, each null where it has none yet. */
export interface IdParts {
  readonly secret: string | null;
  /** The text that the outbox's account had when the outbox was first used. */
  readonly account: string | null;
}

/** What a store has, for the account that has this text now. */
export function findIdParts(store: Pick<OutboxStore, "getMeta">, account: string): IdParts {
  return { secret: store.getMeta(SECRET), account: store.getMeta(accountName(account)) };
}

/**
 * Returns what a store has, and keeps there what it lacks: `others` of another store, a new secret, and the account as it
 * is now. That account's address may change later, and its events are the same events.
 */
export function keepIdParts(
  store: Pick<OutboxStore, "getMeta" | "setMeta">,
  account: string,
  others?: IdParts,
): { readonly [Name in keyof IdParts]: string } {
  const own = findIdParts(store, account);
  const secret = own.secret ?? others?.secret ?? newSecret();
  const kept = own.account ?? others?.account ?? account;
  if (own.secret === null) store.setMeta(SECRET, secret);
  if (own.account === null && kept !== "") store.setMeta(accountName(account), kept);
  return { secret, account: kept };
}

/**
 * Notes under which settings shops and postbacks make their keys from now on. Returns those of before, as JSON: a list
 * for each of `senders`, and behind them the {@link Spans} where there are any. It never fails: without the memory, an
 * order of before is a new one.
 */
export function keepSenders(
  store: Pick<OutboxStore, "getMeta" | "setMeta">,
  senders: string,
  nowMs: number,
  retentionMs: number,
  setFromMs: number,
): string {
  try {
    const before = store.getMeta(SENDERS) ?? "";
    const given = JSON.parse(senders) as readonly Sender[];
    const { text, former, spans } = noteSenders(before, given, nowMs, KEPT_TIMES * retentionMs, setFromMs);
    if (text !== before && (given.length > 0 || before !== "")) store.setMeta(SENDERS, text);
    return JSON.stringify(spans.length > 0 ? [...former, spans] : former);
  } catch {
    return "[]";
  }
}

/** For each of `senders`, what senders beside it had before; see {@link Noted.held}. Nothing is noted. */
export function findHeld(
  store: Pick<OutboxStore, "getMeta">,
  senders: readonly Sender[],
  nowMs: number,
  retentionMs: number,
): readonly (readonly Held[])[] {
  return noteSenders(store.getMeta(SENDERS) ?? "", senders, nowMs, KEPT_TIMES * retentionMs).held;
}

function newSecret(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(32)), (byte) => byte.toString(16)).join(".");
}
