/** A forwarder in one process: its shards on their files, and who may ask it. */
import type { CakeError } from "../../error.js";
import { integerOption, refuse, stringOption } from "../../option.js";
import { failure, Refusal } from "../answer.js";
import { handle } from "../handler.js";
import { ADDRESS_HEADER } from "../network.js";
import { type ForwarderOptions, resolveOptions } from "../options.js";
import { createIds } from "../setup.js";
import { sweepAll } from "../sweep.js";
import { failed, problemOf, takeFolder } from "./folder.js";
import { createLimit, type RateLimitOptions } from "./rate-limit.js";
import { NodeShard } from "./shard.js";

/** A forwarder's options, where the outbox is in files. */
export interface NodeOptions extends ForwarderOptions {
  /**
   * The folder of the outbox's rows, on a disk of this machine; made where it is missing. One process has it at a time.
   */
  readonly folder: string;
  /**
   * How many shards share the work, each a database and up to five requests to CAKE at once. Choose once: an event is
   * looked for in the shard that its key falls into.
   * @default 4
   */
  readonly shards?: number;
  /** How many requests a caller's address may send. @default no limit */
  readonly rateLimit?: RateLimitOptions;
}

/** The options of {@link NodeOptions} that the others have not. */
const NODE_NAMES = ["folder", "shards", "rateLimit"];

/** As often as the Worker's cron trigger. */
const SWEEP_MS = 300_000;

/** A forwarder in this process. */
export interface NodeForwarder {
  /**
   * Answers a request, such as a POST to `https://shop.example/cake/conversions`. Its URL is the one that the caller
   * used, before any proxy. `address` is the caller's, for limits; it is not stored.
   */
  fetch(request: Request, address?: string): Promise<Response>;
  /**
   * Resolves where the disk has failed, with `outbox_failed`. Every request is answered 503 then, and nothing is sent:
   * end the process, and let it be started again. What was answered 202 is on the disk.
   */
  readonly failed: Promise<CakeError>;
  /**
   * Ends it: requests that come now are answered 503, what is under way ends and is stored, and the folder is another
   * process's. It takes as long as the slowest request to CAKE, `timeoutMs` at most.
   */
  close(): Promise<void>;
}

/**
 * Opens a forwarder on its folder, and sends what waits there.
 *
 * @throws CakeError `missing_api_key`, `weak_secret`, `placeholder_text`, `invalid_base_url`, `invalid_domain`,
 * `invalid_field`; `outbox_in_use`, `outbox_failed`, `wrong_runtime`
 * @example
 * const forwarder = openForwarder({
 *   folder: "/var/lib/cake-edge",
 *   baseUrl: "https://yourdomain.cakemarketing.com",
 *   apiKey: process.env.CAKE_API_KEY,
 *   operatorSecret: process.env.CAKE_OPERATOR_SECRET,
 * });
 */
export function openForwarder(options: NodeOptions): NodeForwarder {
  const resolved = resolveOptions(options, NODE_NAMES);
  const { rateLimit } = options;
  const name = stringOption("folder", options.folder);
  if (name.trim() === "") refuse("folder", "is missing: a folder for the outbox's rows, on a disk of this machine");
  const limit = rateLimit === undefined ? undefined : createLimit(rateLimit);
  const folder = takeFolder(name, integerOption("shards", options.shards, 1, 64) ?? 4);

  let state: "open" | "closing" | "failed" = "open";
  let tell: (error: CakeError) => void;
  const hasFailed = new Promise<CakeError>((resolve) => {
    tell = resolve;
  });
  const shards: NodeShard[] = [];
  const outboxes = () => shards.map(({ outbox }) => outbox);
  const release = () => {
    for (const shard of shards) shard.release();
    folder.release();
  };
  /** What is in memory may be ahead of that shard's disk: nothing more is sent or promised, by any shard. */
  const fail = (thrown: unknown) => {
    if (state === "failed") return;
    state = "failed";
    clearInterval(sweeper);
    for (const outbox of outboxes()) outbox.stop();
    tell(failed(thrown, `the outbox in ${name} cannot be written`));
  };
  const sweeper = setInterval(() => void sweepAll(outboxes()).catch(() => undefined), SWEEP_MS);
  sweeper.unref();
  try {
    for (const file of folder.files) {
      const peers = () => outboxes().filter((_, index) => folder.files[index] !== file);
      shards.push(new NodeShard({ file, options, moreNames: NODE_NAMES, peers, onFailure: fail }));
    }
  } catch (thrown) {
    clearInterval(sweeper);
    release();
    throw problemOf(thrown, name);
  }
  const setup = { options: resolved, shards: outboxes(), idOf: createIds(outboxes()), limit };
  for (const shard of shards) shard.wake();

  const underWay = new Set<Promise<Response>>();
  let closing: Promise<void> | undefined;
  const close = async () => {
    if (state === "open") state = "closing";
    clearInterval(sweeper);
    // Who waits for the outcome is answered first.
    while (underWay.size > 0) await Promise.race(underWay);
    if (state === "closing") await Promise.allSettled(outboxes().map((outbox) => outbox.close()));
    release();
  };
  return {
    fetch(request, address = "") {
      if (state !== "open") return Promise.resolve(unavailable());
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
}

/** What a caller says of its own address is not believed. */
function withAddress(request: Request, address: string): Request {
  if ((request.headers.get(ADDRESS_HEADER) ?? "") === address) return request;
  const headers = new Headers(request.headers);
  headers.set(ADDRESS_HEADER, address);
  return new Request(request, { headers });
}

function unavailable(): Response {
  return failure(new Refusal("outbox_unavailable", "the forwarder stops: try again", { "retry-after": "1" }));
}
