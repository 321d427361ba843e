/**
 * A forwarder in front of a faulty CAKE, killed by SIGKILL again and again while clients send it events. The recorded
 * conversions are read from the sandbox's own rows, on disk. No cron sweeps here: only the outbox's own alarms wake it.
 */
import { randomUUID } from "node:crypto";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../js/bin/workerd.ts";
import { root } from "../../scripts/build.ts";
import {
  API_KEY,
  CLOCK_SPEED,
  type ForwarderHost,
  fixture,
  HOST,
  type Killable,
  OFFER,
  prepareForwarder,
  type ShardNumbers,
  startForwarder,
  startSandbox,
} from "./hosts.ts";
import { makeClicks, post, put, read, sleep, struck, untilSettled } from "./requests.ts";
import { keptTwice, type Recorded, recorded } from "./rows.ts";
import { spellings } from "./spellings.ts";

/** The options of a run. */
export interface ChaosOptions {
  /** @default "workerd" */
  readonly host?: ForwarderHost;
  readonly events: number;
  readonly clients: number;
  /** The share of calls to CAKE that fail, by every kind of fault in the sandbox. */
  readonly faultShare: number;
  /** The number of kills of the forwarder: seven of eight while events are accepted, the others while they are delivered. */
  readonly kills: number;
  /** Does CAKE deduplicate by unique id? */
  readonly deduplicates: boolean;
  /** The share of events that are corrected, half of them twice. @default 0 */
  readonly correctedShare?: number;
  /**
   * The numbers of shards of each release, in sequence. In workerd two releases run at once, and each kill moves more
   * objects and requests to the later one. A Node process has one release at a time.
   * @default four shards, all the time
   */
  readonly releases?: readonly ShardNumbers[];
  /** The share of events that are sent twice at once; as many are repeated at the end. @default 0 */
  readonly repeatedShare?: number;
  /** How long to wait for the last event. */
  readonly patienceMs: number;
  /** How long CAKE stays faulty after the last event was accepted. */
  readonly healAfterMs: number;
  /** Called when CAKE is no longer faulty. From then on the run mostly waits for events that are due late. */
  readonly onRecovery?: () => void;
  /** Receives the progress. */
  readonly tell?: (line: string) => void;
}

/** The results of a run. */
export interface ChaosReport {
  /** Events answered 202. */
  readonly accepted: number;
  readonly recorded_once: number;
  readonly recorded_twice: number;
  /** Events that were accepted but never recorded. */
  readonly lost: number;
  /** Events and claims that are in two shards. */
  readonly kept_twice: number;
  /** Events that were repeated at the end and not recognised. */
  readonly forgotten: number;
  /** Recorded events that the forwarder does not know as delivered: refused, dead or still waiting. */
  readonly undelivered: number;
  /** Events and corrections whose attempts are used up. */
  readonly dead: number;
  /** How long CAKE was faulty. See {@link isTooSlow}. */
  readonly faulty_s: number;
  /** Corrections answered 202 that appear once in the rows, behind the corrections sent before them. */
  readonly corrections: number;
  readonly corrections_applied_once: number;
  readonly corrections_twice: number;
  readonly corrections_lost: number;
  /**
   * Conversions whose corrections were applied in another order, or whose totals are not the sum of the accepted ones.
   */
  readonly corrections_out_of_order: number;
  readonly kills: number;
  readonly upstream_faults: number;
  /** Requests of clients that got no answer and were repeated. */
  readonly client_retries: number;
  readonly seconds: number;
  /** The places outside where the API key was found: always empty. */
  readonly leaks: readonly string[];
}

/** The share of the kills that fall while events are accepted. */
const EARLY = 7 / 8;
/** How often the number of accepted events is looked at: at random moments, so that a kill may hit any step. */
const POLL_MS = 20;
/** The longest time before a kill after the last event was accepted. */
const LATE_MS = 1_000;

/**
 * Was CAKE faulty for longer than an event's attempts last? Then events may have used them up as they should, and what
 * is lost says nothing: the machine is too slow for so many events. The schedule of 75.7 h is a fifth shorter at the least
 * (`src/delivery/schedule.rs`), and a thousandth by the run's clock.
 */
export function isTooSlow({ dead, faulty_s }: Pick<ChaosReport, "dead" | "faulty_s">): boolean {
  return dead > 0 && faulty_s >= (75.7 * 3_600 * 0.8) / CLOCK_SPEED;
}

/** Runs the chaos, and counts the results. */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { events, clients, faultShare, deduplicates, tell = () => undefined } = options;
  const begin = Date.now();
  const home = mkdtempSync(join(tmpdir(), "cake-edge-chaos-"));
  const running: Killable[] = [];
  const host = options.host ?? "workerd";
  try {
    mkdirSync(join(home, "sandbox/rows"), { recursive: true });
    cpSync(join(root, "dist/bin/worker/sandbox.js"), join(home, "sandbox/sandbox.js"));
    cpSync(join(root, "dist/wasm/sandbox_bg.wasm"), join(home, "sandbox/sandbox_bg.wasm"));
    writeFileSync(join(home, "sandbox/fixture.json"), JSON.stringify(fixture(deduplicates)));
    await prepareForwarder(host, home);

    const [sandboxPort, port] = [await freePort(), await freePort()];
    const sandboxOrigin = `http://${HOST}:${sandboxPort}`;
    const origin = `http://${HOST}:${port}`;
    const secret = randomUUID();
    const sandbox = await startSandbox(home, sandboxPort);
    running.push(sandbox);
    const clickIds = await makeClicks(sandboxOrigin, events);
    tell(`${events} clicks made`);
    await put(`${sandboxOrigin}/__sandbox/faults`, [
      {
        share: faultShare,
        actions: ["record_conversion", "get_click", "update_conversion_events", "event_conversion_changes"],
        latency_ms: 300,
        retry_after_s: 1,
        status: 503,
      },
    ]);

    const faultyFrom = Date.now();
    const { releases = [{ shards: 4, formerShards: [] }], repeatedShare = 0 } = options;
    let kills = 0;
    const start = () => {
      const progress = Math.min(1, kills / Math.max(1, options.kills)) * (releases.length - 1);
      return startForwarder(host, home, port, sandboxOrigin, secret, deduplicates, {}, releases, progress);
    };
    const forwarder = { now: await start() };
    running.push({ stop: () => forwarder.now.stop() });
    const leaks: string[] = [];
    const seen = (where: string, text: string) => {
      if (spellings(API_KEY).some((spelling) => text.includes(spelling))) leaks.push(where);
    };

    // The clients: each repeats an event until the answer is 202.
    const agent = new Agent({ keepAlive: true, maxSockets: clients });
    const waiting = clickIds.map((clickId) => ({ clickId, offerId: OFFER, uniqueId: randomUUID() }));
    const accepted = new Set<string>();
    // The corrections by the conversion's unique id, in the order of their acceptance.
    const corrected = new Map<string, Correction[]>();
    const repeated: string[] = [];
    const share = options.correctedShare ?? 0;
    let retries = 0;
    let areDone = false;
    const client = async () => {
      for (let event = waiting.pop(); event !== undefined; event = waiting.pop()) {
        const body = JSON.stringify(event);
        const isRepeated = Math.random() < repeatedShare;
        await Promise.all(Array.from({ length: isRepeated ? 2 : 1 }, () => handOver("conversions", body)));
        accepted.add(event.uniqueId);
        if (isRepeated) repeated.push(body);
        // At once: the conversion is seldom delivered by then.
        for (const correction of correctionsOf(event, accepted.size, share)) {
          await handOver("corrections", JSON.stringify(correction));
          corrected.set(event.uniqueId, [...(corrected.get(event.uniqueId) ?? []), correction]);
        }
      }
    };
    const handOver = async (route: string, body: string) => {
      for (;;) {
        const answer = await post(origin, agent, body, route);
        seen("an answer", answer.body);
        if (answer.status === 202) return answer.body;
        if (answer.status !== 0 && answer.status < 500) throw new Error(`${answer.status}: ${answer.body}`);
        retries += 1;
        await sleep(20 + Math.random() * 80);
      }
    };
    const all = Promise.all(Array.from({ length: clients }, client)).then(() => {
      areDone = true;
    });

    // By accepted events and not by time: so a slow machine has no more kills, which would only make it slower.
    const early = Math.ceil(options.kills * EARLY);
    while (kills < options.kills) {
      const from = ((kills + Math.random()) / early) * events;
      while (!areDone && accepted.size < from) await Promise.race([sleep(Math.random() * POLL_MS), all]);
      if (areDone) await sleep(Math.random() * LATE_MS);
      await forwarder.now.stop(); // SIGKILL
      kills += 1;
      await struck(sandboxOrigin);
      tell(`killed ${kills} times, ${accepted.size} accepted`);
      await sleep(Math.random() * 100);
      forwarder.now = await start();
    }
    await all;
    let forgotten = 0;
    const repeatAgain = async () => {
      for (let body = repeated.pop(); body !== undefined; body = repeated.pop()) {
        const { duplicate } = JSON.parse(await handOver("conversions", body)) as { duplicate: boolean };
        if (!duplicate) forgotten += 1;
      }
    };
    await Promise.all(Array.from({ length: clients }, repeatAgain));
    agent.destroy();

    // CAKE recovers: waiting events are delivered at their due time, by their alarm alone.
    await sleep(options.healAfterMs);
    const faults = await struck(sandboxOrigin);
    await put(`${sandboxOrigin}/__sandbox/faults`, []);
    const faultyMs = Date.now() - faultyFrom;
    tell(`CAKE recovers after ${Math.round(faultyMs / 1_000)} s`);
    options.onRecovery?.();
    const counts = await untilSettled(origin, secret, options.patienceMs, tell);
    seen("the operator's page", await read(`${origin}/cake/operator`, secret));
    seen("the export", await read(`${origin}/cake/operator/export.csv?state=delivered`, secret));
    await forwarder.now.stop();
    await sandbox.stop();
    running.length = 0;
    for (const file of globSync("forwarder/rows/**/*", { cwd: home, withFileTypes: true })) {
      if (!file.isFile()) continue;
      const path = join(file.parentPath, file.name);
      seen(`the rows: ${file.name}`, readFileSync(path, "latin1"));
    }

    const rows = recorded(home);
    const recordings = new Map([...rows].map(([uniqueId, { count }]) => [uniqueId, count]));
    const times = [...accepted].map((uniqueId) => recordings.get(uniqueId) ?? 0);
    const corrections = [...corrected].flatMap(([uniqueId, all]) =>
      all.map((each) => appliedIn(rows.get(uniqueId), each)),
    );
    const untrue = [...corrected].filter(([uniqueId, all]) => !isSumOf(rows.get(uniqueId), all));
    return {
      accepted: accepted.size,
      recorded_once: times.filter((count) => count === 1).length,
      recorded_twice: times.filter((count) => count > 1).length,
      lost: times.filter((count) => count === 0).length,
      kept_twice: keptTwice(home),
      forgotten,
      undelivered: accepted.size + corrections.length - (counts["delivered"] ?? 0),
      dead: counts["dead"] ?? 0,
      faulty_s: Math.round(faultyMs / 1_000),
      corrections: corrections.length,
      corrections_applied_once: corrections.filter((count) => count === 1).length,
      corrections_twice: corrections.filter((count) => count > 1).length,
      corrections_lost: corrections.filter((count) => count === 0).length,
      corrections_out_of_order: untrue.length,
      kills,
      upstream_faults: faults,
      client_retries: retries,
      seconds: Math.round((Date.now() - begin) / 1_000),
      leaks,
    };
  } finally {
    for (const each of running) await each.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

interface Correction {
  readonly correctionId: string;
  readonly offerId: number;
  readonly uniqueId: string;
  readonly payout?: string;
  readonly payoutAdded?: string;
}

/**
 * Corrections of a share of the events: one each, and every other of these events gets a second. Totals and added
 * amounts alternate.
 */
function correctionsOf(event: { readonly offerId: number; readonly uniqueId: string }, at: number, share: number) {
  const every = share === 0 ? 0 : Math.round(1 / share);
  if (every === 0 || at % every !== 0) return [];
  const { offerId, uniqueId } = event;
  const correction = (more: object): Correction => ({ correctionId: randomUUID(), offerId, uniqueId, ...more });
  const total = correction({ payout: `${10 + (at % 7)}.50` });
  const added = correction({ payoutAdded: "-0.25" });
  switch (Math.floor(at / every) % 4) {
    case 0:
      return [total, added];
    case 1:
      return [added, total];
    case 2:
      return [total];
    default:
      return [added];
  }
}

function appliedIn(row: Recorded | undefined, { correctionId }: Correction): number {
  return (row?.note ?? "").split(`[${correctionId}]`).length - 1;
}

/** Is a conversion's payout the result of its corrections in their order, and does its row list exactly these? */
function isSumOf(row: Recorded | undefined, corrections: readonly Correction[]): boolean {
  if (row === undefined) return false;
  const cents = (text: string) => Math.round(Number(text) * 100);
  let payout = 100;
  for (const { payout: total, payoutAdded: added } of corrections) {
    payout = total === undefined ? payout + cents(added ?? "0") : cents(total);
  }
  const note = corrections.map(({ correctionId }) => `[${correctionId}]`).join(" ");
  return row.payout === payout && row.note === note && row.corrections === corrections.length;
}
