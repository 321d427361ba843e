/**
 * The gate in front of an outbox: how Workers and other shards reach the shard, also while the number of shards
 * changes. It asks, holds and passes on keys as the core decides (`src/delivery/shards.rs`). So no two shards keep one
 * event, one claim or one webhook's id.
 */
import { call } from "../error.js";
import { elapsed } from "../timer.js";
import { core } from "./core.js";
import { hash } from "./hash.js";
import type { Outbox } from "./outbox.js";
import {
  type Acceptance,
  type AcceptRequest,
  type Cancellation,
  type Claim,
  claimedBy,
  type KeyKind,
  type Reply,
  type Search,
  type Shard,
  type ShardKey,
  type ShardReport,
  type Sibling,
  type Status,
} from "./shard.js";
import type { ShardLayout } from "./shard-map.js";
import { conversionOf, type EventFilter, type NewEvent, type Row, type RowFilter } from "./store.js";

/** The most shards that pass one request on. More happens only during several releases at once. */
const MAX_HOPS = 4;

/** How long a request is retried while other shards hold its keys. After that, the answer is 503. */
const PATIENCE_MS = 5_000;
const AGAIN_MS = 50;

/** The dependencies of a gate. */
export interface GateDeps {
  readonly outbox: Outbox;
  readonly layout: ShardLayout;
  /** This shard's number; `undefined` where the shard has none, and keeps everything that it is asked to keep. */
  readonly own: number | undefined;
  /** Another shard by its number. */
  readonly peer: (number: number) => Shard;
}

/** The place of a key: here, or the shard with that number. */
type Place = "here" | number;

/** A gate. */
export class Gate implements Shard {
  readonly #outbox: Outbox;
  readonly #layout: ShardLayout;
  readonly #own: number | undefined;
  readonly #peer: (number: number) => Shard;
  /** The keys held while other shards are asked, each with a promise of its release. */
  readonly #held = new Map<string, Promise<void>>();

  constructor({ outbox, layout, own, peer }: GateDeps) {
    this.#outbox = outbox;
    this.#layout = layout;
    this.#own = own;
    this.#peer = peer;
  }

  accept(request: AcceptRequest): Promise<readonly Acceptance[]> {
    const isOwn = request.events.every(({ id }) => this.#isOwn(id));
    return isOwn ? this.#outbox.accept(request) : this.#acceptWhereItBelongs(request);
  }

  async #acceptWhereItBelongs({ events, webhook, hops = 0 }: AcceptRequest): Promise<readonly Acceptance[]> {
    if (webhook !== undefined && !(await this.webhook(webhook.id, webhook.digest))) {
      return events.map(() => ({ refusal: "webhook_id_reused" }) as const);
    }
    const answers: Acceptance[] = new Array(events.length);
    // The claim of a click may belong to another shard than the event: claims are made first, one after another.
    const open: { readonly event: NewEvent; readonly place: number; readonly claim?: string }[] = [];
    for (const [place, { claim, ...event }] of events.entries()) {
      if (claim === undefined) {
        open.push({ event, place });
        continue;
      }
      const made = await this.claim(claim, event.id);
      if (made.id !== event.id) answers[place] = { refusal: claimedBy(event.kind), holder: made.id };
      else open.push({ event, place, ...(made.isNew ? { claim } : {}) });
    }
    const release = async (claim: string | undefined, id: string) => {
      if (claim !== undefined && !(await this.holds(id, claim))) await this.unclaim(claim, id, 0);
    };
    try {
      const keys = open.map(({ event }) => ({ key: conversionOf(event), hash: event.id }));
      await this.#place("event", keys, hops, async (places) => {
        const shards = new Map<Place, typeof open>();
        places.forEach((shard, index) => {
          const one = open[index];
          if (one !== undefined) shards.set(shard, [...(shards.get(shard) ?? []), one]);
        });
        await Promise.all(
          [...shards].map(async ([shard, own]) => {
            const handed = own.map(({ event }) => event);
            const given =
              shard === "here"
                ? await this.#outbox.accept({ events: handed })
                : await this.#peer(shard).accept({ events: handed, hops: hops + 1 });
            own.forEach(({ place }, index) => {
              const answer = given[index];
              if (answer !== undefined) answers[place] = answer;
            });
          }),
        );
      });
    } catch (thrown) {
      for (const { claim, event } of open) await release(claim, event.id);
      throw thrown;
    }
    for (const { claim, event, place } of open) {
      const answer = answers[place];
      // A new claim is taken back where its event was not kept.
      if (answer === undefined || "refusal" in answer || answer.duplicate) await release(claim, event.id);
    }
    return answers;
  }

  async claim(claim: string, id: string, hashed?: string, hops = 0): Promise<Claim> {
    return this.#placeOne(
      "claim",
      { key: claim, hash: hashed ?? hash(claim) },
      hops,
      () => this.#outbox.claim(claim, id),
      (shard, given) => shard.claim(claim, id, given, hops + 1),
    );
  }

  async webhook(id: string, digest: string, hashed?: string, hops = 0): Promise<boolean> {
    return this.#placeOne(
      "webhook",
      { key: id, hash: hashed ?? hash(id) },
      hops,
      () => this.#outbox.webhook(id, digest),
      (shard, given) => shard.webhook(id, digest, given, hops + 1),
    );
  }

  async seek({ kind, keeper, keys }: Search): Promise<readonly Reply[]> {
    return keys.map(({ key, hash: hashed }) => {
      const [isHere, isHeld] = [this.#outbox.has(kind, key), this.#held.has(nameOf(kind, key))];
      return call(() => this.#layout.map().reply(keeper, hashed, isHere, isHeld)) as Reply;
    });
  }

  async unclaim(claim: string, id: string, leastAgeMs: number, isAsked = false): Promise<boolean> {
    if (await this.#outbox.unclaim(claim, id, leastAgeMs)) return true;
    if (isAsked || !this.#hasFormer) return false;
    return this.#anyOf(hash(claim), (shard) => shard.unclaim(claim, id, leastAgeMs, true));
  }

  async findClaim(claim: string, isAsked = false): Promise<string> {
    const own = await this.#outbox.findClaim(claim);
    if (own !== "" || isAsked || !this.#hasFormer) return own;
    const others = await Promise.all(this.#others(hash(claim)).map((site) => this.#peer(site).findClaim(claim, true)));
    return others.find((holder) => holder !== "") ?? "";
  }

  async holds(id: string, claim: string, isAsked = false): Promise<boolean> {
    if (isAsked || this.#isOwn(id) || this.#outbox.has("row", id)) return this.#outbox.holds(id, claim);
    return this.#anyOf(id, (shard) => shard.holds(id, claim, true));
  }

  async release(id: string, claim: string, isAsked = false): Promise<boolean> {
    if (isAsked || this.#isOwn(id) || this.#outbox.has("row", id)) return this.#outbox.release(id, claim);
    return this.#anyOf(id, (shard) => shard.release(id, claim, true));
  }

  async wait(ids: readonly string[], ms: number, isAsked = false): Promise<readonly (Status | undefined)[]> {
    if (isAsked || ids.every((id) => this.#isOwn(id))) return this.#outbox.wait(ids, ms);
    const elsewhere = new Map<number, string[]>();
    for (const id of ids) {
      if (this.#outbox.has("row", id)) continue;
      for (const site of this.#others(id)) elsewhere.set(site, [...(elsewhere.get(site) ?? []), id]);
    }
    const answers = await Promise.all([
      this.#outbox.wait(ids, ms),
      ...[...elsewhere].map(([site, theirs]) => this.#peer(site).wait(theirs, ms, true)),
    ]);
    const known = new Map(answers.flat().flatMap((status) => (status ? [[status.id, status] as const] : [])));
    return ids.map((id) => known.get(id));
  }

  async replay(what: { readonly id: string } | EventFilter, isAsked = false): Promise<number> {
    if (!("id" in what) || isAsked || this.#isOwn(what.id) || this.#outbox.has("row", what.id)) {
      return this.#outbox.replay(what);
    }
    const counts = await Promise.all(this.#others(what.id).map((site) => this.#peer(site).replay(what, true)));
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async cancel(id: string, reason: string, isAsked = false): Promise<Cancellation> {
    if (isAsked || this.#isOwn(id) || this.#outbox.has("row", id)) return this.#outbox.cancel(id, reason);
    for (const site of this.#others(id)) {
      const cancelled = await this.#peer(site).cancel(id, reason, true);
      if (cancelled !== "unknown") return cancelled;
    }
    return "unknown";
  }

  siblings(order: string, conversionId?: number): Promise<readonly Sibling[]> {
    return this.#outbox.siblings(order, conversionId);
  }
  report(): Promise<ShardReport> {
    return this.#outbox.report();
  }
  list(filter: RowFilter): Promise<readonly Row[]> {
    return this.#outbox.list(filter);
  }
  idSecret(account?: string, senders?: string): Promise<string> {
    return this.#outbox.idSecret(account, senders);
  }
  signIn(caller: string, isRight: boolean): Promise<number> {
    return this.#outbox.signIn(caller, isRight);
  }
  endSession(session: string, expiresMs: number): Promise<void> {
    return this.#outbox.endSession(session, expiresMs);
  }
  isSessionEnded(session: string): Promise<boolean> {
    return this.#outbox.isSessionEnded(session);
  }
  tally(word: string): Promise<void> {
    return this.#outbox.tally(word);
  }
  sweep(): Promise<ShardReport> {
    return this.#outbox.sweep();
  }

  get #hasFormer(): boolean {
    return this.#layout.former.length > 0;
  }

  /** Is this shard the home of a key by all numbers of shards? Then the outbox decides alone. */
  #isOwn(hashed: string): boolean {
    if (this.#own === undefined) return true;
    return !this.#hasFormer && call(() => this.#layout.map().home(hashed)) === this.#own;
  }

  /** The other shards that may have a key. */
  #others(hashed: string): number[] {
    if (this.#own === undefined) return [];
    return [...call(() => this.#layout.map().sites(hashed))].filter((site) => site !== this.#own);
  }

  async #anyOf(hashed: string, ask: (shard: Shard) => Promise<boolean>): Promise<boolean> {
    for (const site of this.#others(hashed)) if (await ask(this.#peer(site))) return true;
    return false;
  }

  async #placeOne<T>(
    kind: KeyKind,
    item: ShardKey,
    hops: number,
    keep: () => Promise<T>,
    hand: (shard: Shard, hashed: string) => Promise<T>,
  ): Promise<T> {
    if (this.#isOwn(item.hash)) return keep();
    return this.#place(kind, [item], hops, ([place = "here"]) =>
      place === "here" ? keep() : hand(this.#peer(place), item.hash),
    );
  }

  /**
   * Finds the place of each key, and does the work. Keys that are kept here and may be elsewhere are held until the
   * work is done. Other keys are released before the work, because the shard that gets them asks this one.
   */
  async #place<T>(
    kind: KeyKind,
    items: readonly ShardKey[],
    hops: number,
    work: (places: readonly Place[]) => Promise<T>,
  ): Promise<T> {
    if (hops > MAX_HOPS) throw new Error("the shards do not agree on their number yet");
    const end = elapsed() + PATIENCE_MS;
    while (elapsed() < end) {
      const steps = items.map(({ key, hash: hashed }) =>
        this.#step((map, own) => map.first(own, hashed, this.#outbox.has(kind, key), hops > 0)),
      );
      const asking = items.flatMap(({ key }, index) => (steps[index]?.word === "ask" ? [nameOf(kind, key)] : []));
      const holder = asking.map((name) => this.#held.get(name)).find((held) => held !== undefined);
      if (holder !== undefined) {
        await holder;
        continue;
      }
      // In the same turn as the read of the rows: nothing happens in between.
      const held = this.#hold(asking);
      try {
        const places = await this.#ask(kind, items, steps);
        if (places !== undefined) {
          items.forEach(({ key }, index) => {
            if (places[index] !== "here") held.get(nameOf(kind, key))?.();
          });
          return await work(places);
        }
      } finally {
        for (const letGo of held.values()) letGo();
      }
      await new Promise((resolve) => setTimeout(resolve, 1 + Math.random() * AGAIN_MS));
    }
    throw new Error("another shard holds the key");
  }

  /** Asks each of the other shards once; `undefined` where one of them holds a key. */
  async #ask(kind: KeyKind, items: readonly ShardKey[], steps: readonly Step[]): Promise<Place[] | undefined> {
    const bySite = new Map<number, number[]>();
    steps.forEach(({ word, shards }, index) => {
      if (word !== "ask") return;
      for (const site of shards) bySite.set(site, [...(bySite.get(site) ?? []), index]);
    });
    const replies = items.map(() => new Map<number, Reply>());
    await Promise.all(
      [...bySite].map(async ([site, indices]) => {
        const keys = indices.flatMap((index) => items[index] ?? []);
        const given = await this.#peer(site).seek({ kind, keeper: this.#own ?? 0, keys });
        indices.forEach((index, at) => {
          replies[index]?.set(site, given[at] ?? "unpromised");
        });
      }),
    );
    const places = steps.map(({ word, shards: [shard = 0] }, index): Place | undefined => {
      if (word !== "ask") return word === "hand" ? shard : "here";
      const given = [...(replies[index] ?? [])];
      const words = given.map(([, reply]) => reply);
      const sites = new Uint32Array(given.map(([site]) => site));
      const next = stepOf(call(() => core.api().ShardMap.next(sites, words)));
      if (next.word === "again") return undefined;
      return next.word === "hand" ? next.shards[0] : "here";
    });
    return places.every((place) => place !== undefined) ? places : undefined;
  }

  #step(ask: (map: ReturnType<ShardLayout["map"]>, own: number) => string): Step {
    return stepOf(call(() => ask(this.#layout.map(), this.#own ?? 0)));
  }

  /** Holds keys; returns the function that releases each, by its name. */
  #hold(names: readonly string[]): ReadonlyMap<string, () => void> {
    return new Map(
      names.map((name) => {
        let end: () => void = () => undefined;
        const held = new Promise<void>((resolve) => {
          end = resolve;
        });
        this.#held.set(name, held);
        const letGo = () => {
          if (this.#held.get(name) === held) this.#held.delete(name);
          end();
        };
        return [name, letGo];
      }),
    );
  }
}

/** A step in the core's words. */
interface Step {
  readonly word: string;
  readonly shards: readonly number[];
}

function stepOf(words: string): Step {
  const [word = "", ...shards] = words.split(" ");
  return { word, shards: shards.map(Number) };
}

function nameOf(kind: KeyKind, key: string): string {
  return `${kind} ${key}`;
}
