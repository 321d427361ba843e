/** A store in memory: for a forwarder inside a page's own process, and for tests. */
import {
  type Asked,
  type ClockNow,
  type DueAfter,
  dueAfterSettling,
  type EventFilter,
  isUntried,
  type Latest,
  type LookedUp,
  least,
  mendedTimes,
  type NewClaim,
  type NewEvent,
  newRow,
  type OutboxStore,
  type Purged,
  type Row,
  type RowFilter,
  type StoredState,
} from "./store.js";

/** The whole content of a store, as plain values that `structuredClone` and IndexedDB accept. */
export interface StoreSnapshot {
  readonly rows: readonly Row[];
  readonly claims: readonly (readonly [claim: string, id: string, atMs: number])[];
  readonly webhooks: readonly (readonly [id: string, digest: string, atMs: number])[];
  readonly meta: readonly (readonly [name: string, text: string])[];
}

/** The store of a process. */
export class MemoryStore implements OutboxStore {
  readonly #rows = new Map<string, Row>();
  readonly #claims = new Map<string, { id: string; at: number }>();
  readonly #webhooks = new Map<string, { digest: string; at: number }>();
  readonly #meta = new Map<string, string>();
  #numbers = 0;
  #changes = 0;
  /** The undo steps of the transaction in progress. */
  #undo: (() => void)[] | undefined;

  constructor(snapshot?: StoreSnapshot) {
    if (snapshot === undefined) return;
    for (const row of snapshot.rows) {
      this.#rows.set(row.id, { ...row, order_key: row.order_key ?? "", kind: row.kind ?? "conversion" });
      this.#numbers = Math.max(this.#numbers, row.number);
    }
    for (const [claim, id, at] of snapshot.claims) this.#claims.set(claim, { id, at });
    for (const [id, digest, at] of snapshot.webhooks) this.#webhooks.set(id, { digest, at });
    for (const [name, text] of snapshot.meta) this.#meta.set(name, text);
  }

  /** A number that grows with each change. */
  get changes(): number {
    return this.#changes;
  }

  /** The whole content, for storage elsewhere. */
  snapshot(): StoreSnapshot {
    return {
      rows: [...this.#rows.values()],
      claims: [...this.#claims].map(([claim, { id, at }]) => [claim, id, at] as const),
      webhooks: [...this.#webhooks].map(([id, { digest, at }]) => [id, digest, at] as const),
      meta: [...this.#meta],
    };
  }

  transaction(job: () => void): void {
    const outer = this.#undo;
    const own: (() => void)[] = [];
    this.#undo = own;
    try {
      job();
      outer?.push(...own);
    } catch (thrown) {
      for (const undo of own.reverse()) undo();
      throw thrown;
    } finally {
      this.#undo = outer;
    }
  }

  insert(events: readonly NewEvent[], nowMs: number): readonly Row[] {
    return events.map((event) => {
      const number = this.#numbers + 1;
      this.#undo?.push(() => {
        this.#numbers = number - 1;
      });
      this.#numbers = number;
      const row = newRow(number, event, nowMs);
      this.#set(this.#rows, event.id, row);
      return row;
    });
  }

  setText(id: string, text: string, order?: string): void {
    const row = this.#rows.get(id);
    if (row !== undefined) this.#set(this.#rows, id, { ...row, text, order_key: order ?? row.order_key });
  }

  find(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  lookUp(asked: readonly Asked[]): readonly LookedUp[] {
    return asked.map(({ id, claim }) => ({
      isKnown: this.#rows.has(id),
      holder: claim === undefined ? undefined : this.#claims.get(claim)?.id,
    }));
  }

  settle(rows: readonly Row[]): void {
    for (const row of rows) {
      if (this.#rows.has(row.id)) this.#set(this.#rows, row.id, { ...row, next_ms: dueAfterSettling(row) });
    }
  }

  due(nowMs: number, limit: number, { fresh, tried }: DueAfter = {}): readonly Row[] {
    const isBehind = (row: Row & { next_ms: number }) => {
      if (isUntried(row)) return row.number > (fresh?.number ?? 0);
      const [dueMs, lastMs] = [row.next_ms, tried?.next_ms ?? Number.NEGATIVE_INFINITY];
      return dueMs > lastMs || (dueMs === lastMs && row.number > (tried?.number ?? 0));
    };
    return this.#waiting()
      .filter((row) => isDue(row, nowMs) && isBehind(row))
      .slice(0, limit);
  }

  dueUnfailed(nowMs: number, limit: number, from: "newest" | number): readonly Row[] {
    const due = this.#waiting().filter((row) => isDue(row, nowMs) && row.code === "" && row.attempts === 0);
    if (from === "newest") return due.reverse().slice(0, limit);
    const at = Math.floor(from * due.length);
    return [...due.slice(at), ...due.slice(0, at)].slice(0, limit);
  }

  nextDue(nowMs: number): number | null {
    return least(this.#waiting().map((row) => (isDue(row, nowMs) ? Math.min(row.next_ms, nowMs) : row.next_ms)));
  }

  dueAfter(atMs: number): number | null {
    const later = this.#waiting().filter((row) => row.next_ms > atMs && !isUntried(row));
    return least(later.map(({ next_ms }) => next_ms));
  }

  oldestPending(): number | null {
    const waiting = this.#waiting();
    return waiting.length === 0 ? null : Math.min(...waiting.map((row) => row.accepted_ms));
  }

  list({ before = Number.POSITIVE_INFINITY, limit, ...filter }: RowFilter): readonly Row[] {
    return [...this.#rows.values()]
      .filter((row) => row.number < before && isMeant(row, filter))
      .sort((a, b) => b.number - a.number)
      .slice(0, limit);
  }

  siblings(order: string): readonly Row[] {
    return [...this.#rows.values()].filter((row) => row.order_key === order && order !== "");
  }

  withConversion(conversionId: number): readonly Row[] {
    return this.#withConversions().filter((row) => row.conversion_id === conversionId);
  }

  highestConversion(): number {
    return Math.max(0, ...this.#withConversions().map((row) => row.conversion_id ?? 0));
  }

  #withConversions(): readonly Row[] {
    return [...this.#rows.values()].filter(({ order_key, kind }) => order_key !== "" && kind === "conversion");
  }

  findClaim(claim: string): { readonly id: string; readonly atMs: number } | undefined {
    const made = this.#claims.get(claim);
    return made && { id: made.id, atMs: made.at };
  }

  claim(claims: readonly NewClaim[], nowMs: number): void {
    for (const { claim, id } of claims) this.setClaim(claim, id, nowMs);
  }

  setClaim(claim: string, id: string, nowMs: number): void {
    this.#set(this.#claims, claim, { id, at: nowMs });
  }

  unclaim(claim: string): void {
    this.#set(this.#claims, claim, undefined);
  }

  findWebhook(webhookId: string): string | undefined {
    return this.#webhooks.get(webhookId)?.digest;
  }

  webhook(webhookId: string, digest: string, nowMs: number): string {
    const known = this.findWebhook(webhookId);
    if (known === undefined) this.#set(this.#webhooks, webhookId, { digest, at: nowMs });
    return known ?? digest;
  }

  stateCounts(): ReadonlyMap<StoredState, number> {
    return countStates(this.#rows.values());
  }

  correctionCounts(): ReadonlyMap<StoredState, number> {
    return countStates([...this.#rows.values()].filter(({ kind }) => kind === "correction"));
  }

  getMeta(name: string): string | null {
    return this.#meta.get(name) ?? null;
  }

  setMeta(name: string, text: string | null): void {
    this.#set(this.#meta, name, text ?? undefined);
  }

  purge(changedBeforeMs: number, webhooksBeforeMs: number): Purged {
    for (const [id, { at }] of this.#webhooks) if (at < webhooksBeforeMs) this.#set(this.#webhooks, id, undefined);
    for (const [claim, { at }] of this.#claims) if (at < changedBeforeMs) this.#set(this.#claims, claim, undefined);
    const isPast = ({ next_ms, accepted_ms, changed_ms }: Row) =>
      next_ms === null && accepted_ms < changedBeforeMs && changed_ms < changedBeforeMs;
    const past = [...this.#rows.values()].filter(isPast);
    for (const { id } of past) this.#set(this.#rows, id, undefined);
    return { gone: countStates(past), isDone: true };
  }

  inDoubt(): number {
    return [...this.#rows.values()].filter((row) => row.is_in_doubt === 1 && row.next_ms === null).length;
  }

  latest(): Latest {
    const tried = this.#waiting().filter((row) => !isUntried(row));
    return {
      acceptedMs:
        [...this.#rows.values()].reduce<Row | undefined>(
          (last, row) => (last === undefined || row.number > last.number ? row : last),
          undefined,
        )?.accepted_ms ?? 0,
      dueMs: Math.max(0, ...tried.map((row) => row.next_ms)),
    };
  }

  mendTimes(clock: ClockNow): void {
    for (const row of this.#rows.values()) {
      const mended = mendedTimes(row, clock);
      if (mended !== row) this.#set(this.#rows, row.id, mended);
    }
    const { nowMs, setFromMs, wasUnset } = clock;
    for (const [claim, { id, at }] of wasUnset ? this.#claims : []) {
      if (at < setFromMs) this.#set(this.#claims, claim, { id, at: nowMs });
    }
  }

  bytes(): number {
    return 0;
  }

  /** Sets a key of a map; `undefined` deletes it. */
  #set<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
    this.#changes += 1;
    const before = map.get(key);
    this.#undo?.push(() => put(map, key, before));
    put(map, key, value);
  }

  #waiting(): (Row & { next_ms: number })[] {
    const isWaiting = (row: Row): row is Row & { next_ms: number } => row.next_ms !== null;
    return [...this.#rows.values()].filter(isWaiting).sort((a, b) => a.next_ms - b.next_ms || a.number - b.number);
  }
}

/** Is an event due that waits? */
function isDue(row: Row & { next_ms: number }, nowMs: number): boolean {
  return row.next_ms <= nowMs || isUntried(row);
}

function put<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}

function countStates(rows: Iterable<Row>): Map<StoredState, number> {
  const counts = new Map<StoredState, number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}

function isMeant(row: Row, { state, kind, offerId, code, isInDoubt, sinceMs, untilMs }: EventFilter): boolean {
  return (
    (state === "failed" ? row.state === "refused" || row.state === "dead" : (state ?? row.state) === row.state) &&
    (kind ?? row.kind) === row.kind &&
    (offerId ?? row.offer_id) === row.offer_id &&
    (code ?? row.code) === row.code &&
    (isInDoubt ?? row.is_in_doubt === 1) === (row.is_in_doubt === 1) &&
    row.accepted_ms >= (sinceMs ?? row.accepted_ms) &&
    row.accepted_ms < (untilMs ?? Number.POSITIVE_INFINITY)
  );
}
