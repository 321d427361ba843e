/**
 * The forwarder in workerd, in front of a CAKE of plain Node with realistic answers. It gets bad events among good
 * ones, and clicks with several orders where CAKE does not deduplicate.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../js/bin/workerd.ts";
import { FakeCake, type Reply } from "../fake-cake/reply.ts";
import { type RunningCake, startFakeCake } from "../fake-cake/server.ts";
import { type ForwarderHost, type Killable, prepareForwarder, startForwarder } from "./hosts.ts";
import { post, sleep, untilSettled } from "./requests.ts";

const HOST = "127.0.0.1";
const OFFER = 12_345;

/** The options of a run with bad events. */
export interface PoisonOptions {
  /** @default "workerd" */
  readonly host?: ForwarderHost;
  readonly good: number;
  /** The number of events that CAKE always answers 403. */
  readonly refused: number;
  /** The number of events that CAKE always answers 500. */
  readonly failing: number;
  /** The number of events that CAKE always answers 429, with a Retry-After of a day. */
  readonly limited: number;
  /** Do the bad events come before the good ones? Otherwise all events are in random order. */
  readonly inFront: boolean;
  /** The speed of the outbox's clock, as a multiple of real time. */
  readonly clockSpeed: number;
  readonly tell?: (line: string) => void;
}

/** How long good events waited, from 202 to CAKE, in seconds of the outbox's clock. */
export interface PoisonReport {
  readonly good: number;
  readonly delivered: number;
  readonly p50_s: number;
  readonly p95_s: number;
  readonly max_s: number;
}

/** Sends bad and good events, and measures how long the good ones wait. */
export async function poison(options: PoisonOptions): Promise<PoisonReport> {
  const { good, refused, failing, limited, inFront, clockSpeed, tell = () => undefined } = options;
  return inFrontOf({ host: options.host, deduplicates: true, clockSpeed }, async ({ cake, origin }) => {
    const make = (count: number) => Array.from({ length: count }, () => newEvent(randomUUID()));
    const [goods, forbidden, broken, capped] = [make(good), make(refused), make(failing), make(limited)];
    const uniqueIds = (events: readonly Event[]) => events.map(({ uniqueId }) => uniqueId);
    await cake.answer({ uniqueIds: uniqueIds(forbidden), replies: [{ status: 403 }], forever: true });
    await cake.answer({ uniqueIds: uniqueIds(broken), replies: [{ status: 500 }], forever: true });
    const limit: Reply = { status: 429, headers: { "retry-after": "86400" } };
    await cake.answer({ uniqueIds: uniqueIds(capped), replies: [limit], forever: true });
    const bad = [...forbidden, ...broken, ...capped];
    const order = inFront ? [...shuffled(bad), ...goods] : shuffled([...bad, ...goods]);
    const acceptedMs = new Map<string, number>();
    await handOver(origin, order, 16, (event) => acceptedMs.set(event.uniqueId, Date.now()));
    tell(`${order.length} events accepted`);
    const isGood = new Set(uniqueIds(goods));
    // Ten minutes of the outbox's clock, and some more.
    const end = Date.now() + 900_000 / clockSpeed;
    let waits: number[] = [];
    while (waits.length < good && Date.now() < end) {
      await sleep(250);
      const first = new Map<string, number>();
      for (const { asked, uniqueId, atMs } of await cake.seen()) {
        if (asked === "record" && isGood.has(uniqueId) && !first.has(uniqueId)) first.set(uniqueId, atMs);
      }
      waits = [...first].map(([uniqueId, atMs]) => Math.max(0, atMs - (acceptedMs.get(uniqueId) ?? atMs)));
    }
    waits.sort((a, b) => a - b);
    const at = (share: number) => {
      // An event that never arrived counts as an endless wait.
      const ms = waits[Math.ceil(share * good) - 1];
      return ms === undefined ? Number.POSITIVE_INFINITY : Math.round((ms * clockSpeed) / 100) / 10;
    };
    return { good, delivered: waits.length, p50_s: at(0.5), p95_s: at(0.95), max_s: at(1) };
  });
}

/** The options of a run with several orders of a click. */
export interface OrdersOptions {
  /** @default "workerd" */
  readonly host?: ForwarderHost;
  readonly clicks: number;
  readonly ordersPerClick: number;
  /** The number of kills of the forwarder. */
  readonly kills: number;
  readonly tell?: (line: string) => void;
}

/** The outcomes of the orders. */
export interface OrdersReport {
  readonly accepted: number;
  readonly recorded_once: number;
  readonly recorded_twice: number;
  readonly lost: number;
  readonly undelivered: number;
}

/** Answers of a faulty CAKE to one order, before a good answer. */
const TROUBLES: readonly Reply[] = [
  { wire: "reset" },
  { wire: "reset", records: true },
  { body: "<html>", type: "text/html" },
  { body: "<html>", type: "text/html", records: true },
  { status: 503 },
  { status: 500, records: true },
  { status: 429 },
];

/** Sends several orders of each click to a CAKE that counts every repetition, and kills the forwarder meanwhile. */
export async function orders(options: OrdersOptions): Promise<OrdersReport> {
  const { clicks, ordersPerClick, kills, tell = () => undefined } = options;
  return inFrontOf(
    { host: options.host, deduplicates: false, clockSpeed: 1_000 },
    async ({ cake, origin, secret, restart }) => {
      const all = Array.from({ length: clicks }, () => randomUUID()).flatMap((clickId) =>
        Array.from({ length: ordersPerClick }, () => newEvent(clickId)),
      );
      for (const { uniqueId } of all) {
        const count = Math.floor(Math.random() * 3);
        const replies = Array.from(
          { length: count },
          () => TROUBLES[Math.floor(Math.random() * TROUBLES.length)] ?? {},
        );
        if (count > 0) await cake.answer({ uniqueIds: [uniqueId], replies });
      }
      let isOver = false;
      const handing = handOver(origin, shuffled(all), 8, () => undefined).then(() => {
        isOver = true;
      });
      for (let killed = 0; killed < kills || !isOver; ) {
        await sleep(300 + Math.random() * 500);
        if (killed >= kills) continue;
        await restart();
        killed += 1;
        tell(`killed ${killed} times`);
      }
      await handing;
      const { delivered = 0 } = await untilSettled(origin, secret, 120_000, tell);
      const recorded = await cake.recorded();
      const times = all.map(({ uniqueId }) => recorded.filter((each) => each.uniqueId === uniqueId).length);
      return {
        accepted: all.length,
        recorded_once: times.filter((count) => count === 1).length,
        recorded_twice: times.filter((count) => count > 1).length,
        lost: times.filter((count) => count === 0).length,
        undelivered: all.length - delivered,
      };
    },
  );
}

interface Event {
  readonly clickId: string;
  readonly offerId: number;
  readonly uniqueId: string;
}

const newEvent = (clickId: string): Event => ({ clickId, offerId: OFFER, uniqueId: randomUUID() });

interface Place {
  readonly cake: FakeCake;
  readonly origin: string;
  readonly secret: string;
  /** Ends the forwarder by SIGKILL, and starts it again from its rows. */
  restart(): Promise<void>;
}

interface Setting {
  readonly host: ForwarderHost | undefined;
  readonly deduplicates: boolean;
  readonly clockSpeed: number;
}

/** Starts a CAKE and a forwarder in front of it; stops both at the end. */
async function inFrontOf<T>(
  { host = "workerd", deduplicates, clockSpeed }: Setting,
  work: (place: Place) => Promise<T>,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-poison-"));
  let cake: RunningCake | undefined;
  let forwarder: Killable | undefined;
  try {
    const running = await startFakeCake({ deduplicates });
    cake = running;
    await prepareForwarder(host, home);
    const port = await freePort();
    const secret = randomUUID();
    const start = () =>
      startForwarder(host, home, port, running.origin, secret, deduplicates, {
        CAKE_CLOCK_SPEED: String(clockSpeed),
        CAKE_SEVERAL_PER_CLICK: deduplicates ? "no" : "yes",
      });
    forwarder = await start();
    return await work({
      cake: new FakeCake(running.origin),
      origin: `http://${HOST}:${port}`,
      secret,
      async restart() {
        await forwarder?.stop();
        await sleep(Math.random() * 100);
        forwarder = await start();
      },
    });
  } finally {
    await forwarder?.stop();
    await cake?.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** Sends the events in order, by this number of clients; each repeats an event until the answer is 202. */
async function handOver(
  origin: string,
  events: readonly Event[],
  clients: number,
  onAccepted: (event: Event) => void,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: clients });
  let next = 0;
  const client = async () => {
    for (let event = events[next++]; event !== undefined; event = events[next++]) {
      for (;;) {
        const { status, body } = await post(origin, agent, JSON.stringify(event));
        if (status === 202) break;
        if (status !== 0 && status < 500) throw new Error(`${status}: ${body}`);
        await sleep(20 + Math.random() * 80);
      }
      onAccepted(event);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  agent.destroy();
}

function shuffled<T>(list: readonly T[]): T[] {
  const all = [...list];
  for (let index = all.length - 1; index > 0; index -= 1) {
    const other = Math.floor(Math.random() * (index + 1));
    [all[index], all[other]] = [all[other] as T, all[index] as T];
  }
  return all;
}
