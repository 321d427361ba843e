/** The processes of a run: the sandbox as CAKE, and the forwarder in workerd or in Node. */
import { cpSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { startWorkerd, type Workerd } from "../../js/bin/workerd.ts";
import { root } from "../../scripts/build.ts";
import { bundleWorker } from "../../scripts/bundle.ts";
import { startNodeForwarder } from "../node-forwarder.ts";

const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };

export const HOST = "127.0.0.1";
export const API_KEY = "CANARY-chaos-key-7f3a9";
export const SIGNING_SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
export const OFFER = 1;
/** The speed of the forwarder's clock, as a multiple of real time. */
export const CLOCK_SPEED = 1_000;

/** The host of a forwarder: workerd, or a separate Node process. */
export type ForwarderHost = "workerd" | "node";

/** A running forwarder; SIGKILL ends it. */
export interface Killable {
  stop(): Promise<unknown>;
}

/** The numbers of shards of a release. */
export interface ShardNumbers {
  readonly shards: number;
  readonly formerShards: readonly number[];
}

export function fixture(deduplicates: boolean) {
  return {
    offers: [
      {
        offer_id: OFFER,
        offer_name: "Chaos",
        landing_page: "/shop/?reqid=#reqid#",
        payout: "1.00",
        revenue: "2.00",
        deduplicates,
      },
    ],
    creatives: [{ creative_id: 1, offer_id: OFFER }],
    affiliates: [{ affiliate_id: 1, affiliate_name: "Chaos" }],
  };
}

export function startSandbox(home: string, port: number): Promise<Workerd> {
  return startWorkerd({
    program,
    home: join(home, "sandbox"),
    rows: join(home, "sandbox/rows"),
    host: HOST,
    port,
    front: "sandbox",
    logs: false,
    environment: { CAKE_API_KEY: API_KEY, CAKE_SANDBOX_LOOPBACK: "yes" },
    workers: [
      {
        name: "sandbox",
        modules: ["sandbox.js", "sandbox_bg.wasm"],
        variables: ["CAKE_API_KEY", "CAKE_SANDBOX_LOOPBACK"],
        texts: { CAKE_FIXTURE: "fixture.json" },
        durableObject: { binding: "NETWORK", className: "CakeNetwork", uniqueKey: "cake-network" },
      },
    ],
  });
}

/** Makes the forwarder's folder below `home`, and the files that it runs. */
export async function prepareForwarder(host: ForwarderHost, home: string): Promise<void> {
  mkdirSync(join(home, "forwarder/rows"), { recursive: true });
  if (host === "node") return;
  await bundleWorker("forwarder", "tests/chaos/worker.ts", join(home, "forwarder"));
  cpSync(join(root, "dist/wasm/forwarder_bg.wasm"), join(home, "forwarder/forwarder_bg.wasm"));
}

/** Starts the forwarder in front of the CAKE at `cake`. */
export function startForwarder(
  host: ForwarderHost,
  home: string,
  port: number,
  cake: string,
  secret: string,
  deduplicates: boolean,
  more: Readonly<Record<string, string>> = {},
  releases: readonly ShardNumbers[] = [{ shards: 4, formerShards: [] }],
  progress = 0,
): Promise<Killable> {
  const environment = {
    CAKE_RELEASES: JSON.stringify(releases),
    CAKE_PROGRESS: String(progress),
    CAKE_BASE_URL: cake,
    CAKE_API_KEY: API_KEY,
    CAKE_OPERATOR_SECRET: secret,
    CAKE_DEDUPLICATES: deduplicates ? "yes" : "no",
    CAKE_SEVERAL_PER_CLICK: "no",
    CAKE_CLOCK_SPEED: String(CLOCK_SPEED),
    CAKE_SIGNING_SECRETS: SIGNING_SECRET,
    ...more,
  };
  if (host === "node") return startInNode(home, port, environment, releases[Math.floor(progress)]);
  return startWorkerd({
    program,
    home: join(home, "forwarder"),
    rows: join(home, "forwarder/rows"),
    host: HOST,
    port,
    front: "forwarder",
    logs: false,
    environment,
    workers: [
      {
        name: "forwarder",
        modules: ["forwarder.js", "forwarder_bg.wasm"],
        variables: Object.keys(environment),
        durableObject: { binding: "OUTBOX", className: "CakeOutbox", uniqueKey: "cake-outbox" },
      },
    ],
  });
}

/** The options of tests/chaos/worker.ts, in a file. */
function startInNode(
  home: string,
  port: number,
  environment: Readonly<Record<string, string>>,
  numbers: ShardNumbers | undefined,
): Promise<Killable> {
  return startNodeForwarder({
    home: join(home, "forwarder"),
    environment: {
      CAKE_API_KEY: API_KEY,
      CAKE_OPERATOR_SECRET: environment["CAKE_OPERATOR_SECRET"] ?? "",
      CAKE_SIGNING_SECRETS: SIGNING_SECRET,
    },
    options: {
      port,
      ...numbers,
      baseUrl: environment["CAKE_BASE_URL"],
      upstreamDedupe: environment["CAKE_DEDUPLICATES"] === "yes",
      timeoutMs: 2_000,
      severalPerClick: environment["CAKE_SEVERAL_PER_CLICK"] === "yes",
      clockSpeed: Number(environment["CAKE_CLOCK_SPEED"]),
    },
  });
}
