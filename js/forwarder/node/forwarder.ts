/** A forwarder in one process: opens its shards, and answers requests until it is closed or its disk fails. */
import { CakeError } from "../../error.js";
import { checkNoMore, checkRequest, limitArguments, namesOf, refuse, stringOption } from "../../option.js";
import { failure, Refusal } from "../answer.js";
import { handle } from "../handler.js";
import type { IdParts } from "../id-secret.js";
import { ADDRESS_HEADER } from "../network.js";
import { type ForwarderOptions, resolveOptions } from "../options.js";
import { createIds } from "../setup.js";
import { shardLayout } from "../shard-map.js";
import { checkHeld } from "../shops.js";
import { sweepAll } from "../sweep.js";
import { failed, problemOf, takeFolder } from "./folder.js";
import { createLimit, type RateLimitOptions } from "./rate-limit.js";
import { NodeShard } from "./shard.js";

/** The options of a forwarder in a Node process. */
export interface NodeOptions extends ForwarderOptions {
  /**
   * The folder of the outbox's rows, on a local disk. It is created if it is missing, and belongs to one process at a
   * time.
   */
  readonly folder: string;
  /**
   * The number of shards, from 1 to 64. Each is a database file, and sends up to five requests to CAKE at once. The key
   * of an event decides its shard, so {@link formerShards} must name the previous numbers, which the folder remembers.
   * @default 4
   */
  readonly shards?: number | undefined;
  /**
   * The previous numbers of {@link shards}, the latest first, at most four. Events, claims and webhook ids are looked
   * up by these numbers too. Without a number that is still needed, the forwarder does not open, and the error says
   * until when.
   * @default [] (the number was never changed)
   */
  readonly formerShards?: readonly number[] | undefined;
  /** The limit of requests for each caller's address. @default no limit */
  readonly rateLimit?: RateLimitOptions | undefined;
}

/** The names of the options that only this host has. */
export const NODE_NAMES = namesOf<Exclude<keyof NodeOptions, keyof ForwarderOptions>>({
  folder: true,
  shards: true,
  formerShards: true,
  rateLimit: true,
});

/** The interval of the sweep, as of the Worker's cron trigger. */
const SWEEP_MS = 300_000;

/** A forwarder in this process. */
export interface NodeForwarder {
  /**
   * Answers a request, such as a POST to `https://shop.example/cake/conversions`. The URL must be the public one, as
   * the caller used it. `address` is the caller's address, for limits; it is not stored.
   */
  fetch(request: Request, address?: string): Promise<Response>;
  /**
   * Resolves with `outbox_failed` when the disk has failed. Later requests are answered 503, and no event is sent. End
   * the process then, and let a supervisor start it again. Every event that was answered 202 is on the disk.
   */
  readonly failed: Promise<CakeError>;
  /**
   * Closes the forwarder. Later requests are answered 503. Requests and attempts under way end, and are stored; then
   * the folder is free. That takes as long as the slowest request to CAKE, `timeoutMs` at most. Rejects with
   * `outbox_failed` where another program holds a shard's file, so that the outcome of an attempt is not stored: its
   * event is treated as in doubt at the next start.
   */
  close(): Promise<void>;
}

/**
 * Opens a forwarder on its folder, and delivers the events that wait there.
 *
 * @throws CakeError `missing_api_key`, `weak_secret`, `placeholder_text`, `invalid_base_url`, `invalid_domain`,
 * `invalid_field`; `outbox_in_use`, `outbox_failed`, `wrong_runtime`
 * @example
 * const forwarder = openForwarder({
 *   folder: "/var/lib/cake-edge",
 *   baseUrl: process.env.CAKE_BASE_URL,
 *   apiKey: process.env.CAKE_API_KEY,
 *   operatorSecret: process.env.CAKE_OPERATOR_SECRET,
 * });
 */
export function openForwarder(options: NodeOptions): NodeForwarder;
export function openForwarder(options: NodeOptions, ...more: unknown[]): NodeForwarder {
  checkNoMore("openForwarder", 1, more);
  const resolved = resolveOptions(options, NODE_NAMES);
  const { rateLimit } = options;
  const name = stringOption("folder", options.folder);
  if (name.trim() === "") refuse("folder", "is missing: a folder for the outbox's rows, on a disk of this machine");
  const limit = rateLimit === undefined ? undefined : createLimit(rateLimit);
  const layout = shardLayout(options);
  const folder = takeFolder(name, layout, resolved.retentionMs);

  let state: "open" | "closing" | "failed" = "open";
  let resolveFailure: (error: CakeError) => void;
  const hasFailed = new Promise<CakeError>((resolve) => {
    resolveFailure = resolve;
  });
  const shards: NodeShard[] = [];
  const outboxes = () => shards.map(({ outbox }) => outbox);
  const gates = () => shards.map(({ gate }) => gate);
  const release = () => {
    for (const shard of shards) shard.release();
    folder.release();
  };
  /** The memory of a shard may be ahead of its disk: no shard sends or promises anything from here on. */
  const fail = (thrown: unknown) => {
    if (state === "failed") return;
    state = "failed";
    clearInterval(sweeper);
    for (const outbox of outboxes()) outbox.stop();
    resolveFailure(failed(thrown, `the outbox in ${name} cannot be written`));
  };
  const sweeper = setInterval(() => void sweepAll(gates()).catch(() => undefined), SWEEP_MS);
  sweeper.unref();
  try {
    for (const [own, file] of folder.files.entries()) {
      const { note } = folder;
      const deps = { file, options, moreNames: NODE_NAMES, own, layout, note, shards: gates, onFailure: fail };
      shards.push(new NodeShard(deps));
    }
    // A file that was begun anew gets what the others have.
    const kept = shards.map(({ idParts }) => idParts);
    let known: IdParts = {
      secret: kept.find(({ secret }) => secret !== null)?.secret ?? null,
      account: kept.find(({ account }) => account !== null)?.account ?? null,
    };
    for (const shard of shards) known = shard.opened(known);
    checkHeld(resolved.shops, shards[0]?.findHeld(resolved.senders) ?? []);
  } catch (thrown) {
    clearInterval(sweeper);
    release();
    throw problemOf(thrown, name, true);
  }
  const setup = { options: resolved, shards: gates(), layout, ids: createIds(gates(), resolved), limit };
  for (const shard of shards) shard.wake();

  const underWay = new Set<Promise<Response>>();
  let closing: Promise<void> | undefined;
  const close = async () => {
    if (state === "open") state = "closing";
    clearInterval(sweeper);
    // Callers with `wait=1` still need deliveries: their answers come first. A body may never end.
    await within(resolved.timeoutMs, Promise.allSettled(underWay));
    const unstored = state === "closing" ? await Promise.all(outboxes().map((outbox) => outbox.close())) : [];
    release();
    const held = unstored.flatMap((count, number) => (count === 0 ? [] : [`${count} of shard-${number}.sqlite`]));
    if (held.length === 0) return;
    const rule = `another program holds a file of the outbox in ${name}, so outcomes of attempts are not stored: ${held.join(", ")}. Their events are in doubt at the next start`;
    throw new CakeError({ code: "outbox_failed", rule });
  };
  const forwarder: NodeForwarder = {
    async fetch(request, address = "") {
      checkRequest(request);
      if (typeof address !== "string") refuse("address", "must be text");
      if (state !== "open") return unavailable();
      const answer = handle(withAddress(request, address), () => setup).finally(() => underWay.delete(answer));
      underWay.add(answer);
      return answer;
    },
    failed: hasFailed,
    close() {
      closing ??= close();
      return closing;
    },
  };
  return limitArguments(forwarder, { close: 0 }, "async");
}

/** Waits for work, for that time at most. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const end = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, end]);
  clearTimeout(timer);
}

/** The request with the caller's address, in place of the one that the caller may have written itself. */
function withAddress(request: Request, address: string): Request {
  if ((request.headers.get(ADDRESS_HEADER) ?? "") === address) return request;
  const headers = new Headers(request.headers);
  headers.set(ADDRESS_HEADER, address);
  return new Request(request, { headers });
}

function unavailable(): Response {
  return failure(new Refusal("outbox_unavailable", "the forwarder stops: try again", { "retry-after": "1" }));
}
