/** Answers of CAKE's that name the conversion of another event. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, OPERATOR, SECRET, SITE } from "./forwarder-in-process.ts";

type Host = "memory" | "four files";
interface Listed {
  readonly conversion: { readonly uniqueId: string };
  readonly state: string;
  readonly isInDoubt: boolean;
  readonly upstreamMessage: string;
}

/** A forwarder whose CAKE answers every conversion by `answer`. */
function forwarder(host: Host, upstreamDedupe: boolean, answer: (uniqueId: string) => Response | Promise<Response>) {
  const alerts: string[] = [];
  const options = {
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    signingSecrets: [SECRET],
    upstreamDedupe,
    clockSpeed: 1_000,
    fetch: async (request: Request) => {
      const { pathname, searchParams } = new URL(request.url);
      const isWrite = pathname.endsWith("/2/conversion.json");
      return isWrite ? answer(searchParams.get("unique_id") ?? "") : new Response("", { status: 503 });
    },
    log: (line: object) => {
      if ("alert" in line && line.alert === true && "id" in line) alerts.push(String(line.id));
    },
  };
  let own: { fetch(request: Request): Promise<Response> };
  if (host === "memory") own = createForwarderInProcess(options);
  else {
    const folder = mkdtempSync(join(tmpdir(), "cake-edge-others-"));
    const opened = openForwarder({ ...options, folder, shards: 4 });
    own = opened;
    onTestFinished(async () => {
      await opened.close();
      rmSync(folder, { recursive: true, force: true });
    });
  }
  const ask = (path: string, init: RequestInit) => own.fetch(new Request(`${SITE}/cake/${path}`, init));
  const send = async (uniqueId: string, clickId: string) => {
    const body = JSON.stringify({ offerId: 12_345, uniqueId, clickId });
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    const answered = await ask("conversions?wait=1", { method: "POST", headers, body });
    return (await answered.json()) as { state: string; conversionId?: number };
  };
  const list = async () => {
    const answered = await ask("operator/conversions", { headers: { authorization: `Bearer ${OPERATOR}` } });
    return ((await answered.json()) as { rows: Listed[] }).rows;
  };
  return { send, list, alerts };
}

const yes = (conversionId: number) => Response.json({ request_status: "Success", conversion_id: conversionId });
const MESSAGE = "CAKE's answer names the conversion of another event";

describe.each(["memory", "four files"] as const)("in %s", (host) => {
  test.each([true, false])("a second order of the click is in doubt, with upstreamDedupe %s", async (dedupe) => {
    const { send, list, alerts } = forwarder(host, dedupe, () => yes(998_877));
    // Orders enough for each file to have one.
    const orders = Array.from({ length: 12 }, (_, index) => `O${index}`);
    expect(await send("O0", "click-1")).toMatchObject({ state: "delivered", conversionId: 998_877 });
    await Promise.all(orders.slice(1).map((order) => send(order, "click-1")));
    const delivered = (await list()).filter(({ state }) => state === "delivered");
    expect(delivered.map(({ conversion }) => conversion.uniqueId)).toEqual(["O0"]);
    const others = (await list()).filter(({ state }) => state !== "delivered");
    expect(others.map(({ isInDoubt }) => isInDoubt)).toEqual(orders.slice(1).map(() => true));
    if (dedupe) expect(new Set(others.map(({ upstreamMessage }) => upstreamMessage))).toEqual(new Set([MESSAGE]));
    expect(new Set(alerts).size).toBe(11);
  });

  test.each([true, false])("of two at once one is delivered at most, with upstreamDedupe %s", async (dedupe) => {
    const { send, list } = forwarder(host, dedupe, () => yes(998_877));
    await Promise.all(Array.from({ length: 8 }, (_, index) => send(`O${index}`, "click-1")));
    expect((await list()).filter(({ state }) => state === "delivered").length).toBeLessThanOrEqual(1);
  });

  test("an event that is sent again is its own", async () => {
    let times = 0;
    const { send, list } = forwarder(host, true, () => {
      times += 1;
      return times === 1 ? new Response("<html>", { status: 502 }) : yes(998_877);
    });
    await send("O1", "click-1");
    expect(await list()).toMatchObject([{ state: "delivered", isInDoubt: false }]);
    expect(await send("O1", "click-1")).toMatchObject({ state: "delivered", duplicate: true });
  });

  test("the numbers of an account that began anew, such as a sandbox, are nobody's where CAKE deduplicates", async () => {
    const { send } = forwarder(host, true, () => yes(998_877));
    for (const click of ["click-1", "click-2", "click-3"]) {
      expect(await send(`O-${click}`, click)).toMatchObject({ state: "delivered", conversionId: 998_877 });
    }
    expect(await send("O-again", "click-3")).not.toMatchObject({ state: "delivered" });
  });
});
