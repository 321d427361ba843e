/** Starts Workers in bare workerd, and posts conversions to them. */
import { randomUUID } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { type Agent, request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { freePort, startWorkerd, type Workerd } from "../js/bin/workerd.ts";

const { default: program } = createRequire(import.meta.url)("workerd") as { default: string };

const HOST = "127.0.0.1";

/** The signing secret of every Worker here. */
export const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

const WITHOUT_WASM = ["upstream", "plain", "js-outbox", "old-rows"];

/** A running Worker: its address, and the folder of its rows. */
export interface Running {
  readonly workerd: Workerd;
  readonly origin: string;
  readonly rows: string;
}

/** Starts the Worker `home/NAME.js` over the rows of an earlier run, or over none. */
export async function start(
  home: string,
  name: string,
  upstream: string,
  rows = mkdtempSync(join(home, "rows-")),
): Promise<Running> {
  const port = await freePort();
  const keeps = name !== "plain" && name !== "upstream";
  const workerd = await startWorkerd({
    program,
    home,
    rows,
    host: HOST,
    port,
    front: "main",
    logs: true,
    environment: {
      CAKE_BASE_URL: upstream,
      CAKE_API_KEY: "a-key-for-the-bench",
      CAKE_OPERATOR_SECRET: randomUUID(),
      CAKE_SIGNING_SECRET: SECRET,
    },
    workers: [
      {
        name: "main",
        modules: [`${name}.js`, ...(WITHOUT_WASM.includes(name) ? [] : ["forwarder_bg.wasm"])],
        variables: ["CAKE_BASE_URL", "CAKE_API_KEY", "CAKE_OPERATOR_SECRET", "CAKE_SIGNING_SECRET"],
        ...(keeps ? { durableObject: { binding: "OUTBOX", className: "CakeOutbox", uniqueKey: "bench-outbox" } } : {}),
      },
    ],
  });
  return { workerd, origin: `http://${HOST}:${port}`, rows };
}

/** Posts a conversion; resolves with the answer's status. */
export function post(origin: string, agent: Agent, headers: Record<string, string>, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      `${origin}/cake/conversions`,
      {
        method: "POST",
        agent,
        headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body), ...headers },
      },
      (response) => {
        response.resume().once("end", () => resolve(response.statusCode ?? 0));
      },
    );
    sent.once("error", reject).end(body);
  });
}

/** A conversion of its own, as JSON. */
export function event(): string {
  return JSON.stringify({ clickId: randomUUID(), offerId: 12_345, uniqueId: randomUUID() });
}
