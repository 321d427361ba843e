/** A copy of a Node host's files that is put back: what waits in it may have been sent since. */
import { cpSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import { KEY, newFolder, OFFER, OPERATOR, SITE } from "./node-place.ts";

const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const CHANGES = "EventConversionChanges";

/** A forwarder on a folder in front of a sandbox, and what CAKE has and was asked. */
function site() {
  const sandbox = createSandbox({ apiKey: KEY });
  const home = newFolder();
  const asked: string[] = [];
  let isLimited = true;
  const options = {
    baseUrl: "http://127.0.0.1",
    apiKey: KEY,
    operatorSecret: OPERATOR,
    signingSecrets: [SECRET],
    shards: 1,
    clockSpeed: 1_000,
    timeoutMs: 1_000,
    log: () => undefined,
    fetch: async (request: Request) => {
      const service = new URL(request.url).pathname.split("/").at(-1) ?? "";
      asked.push(service);
      const isHeld = isLimited && service === "UpdateConversionEvents";
      return isHeld ? new Response("", { status: 429, headers: { "retry-after": "1" } }) : sandbox.fetch(request);
    },
  };
  const post = async (forwarder: ReturnType<typeof openForwarder>, path: string, event: object) => {
    const body = JSON.stringify(event);
    const headers = { "content-type": "application/json", ...(await signConversion(body, SECRET)) };
    return (await forwarder.fetch(new Request(`${SITE}/cake/${path}`, { method: "POST", headers, body }))).json();
  };
  return {
    home,
    asked,
    open: (folder: string) => openForwarder({ ...options, folder: join(home, folder) }),
    release: () => {
      isLimited = false;
    },
    sell: async (forwarder: ReturnType<typeof openForwarder>) => {
      const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
      const clickId = new URL(click.headers.get("location") ?? "").searchParams.get("reqid");
      const event = { clickId, offerId: OFFER, uniqueId: "A0", payout: "18.00", revenue: "22.00" };
      return post(forwarder, "conversions?wait=1", event);
    },
    correct: (forwarder: ReturnType<typeof openForwarder>, more: object, query = "") =>
      post(forwarder, `corrections${query}`, { offerId: OFFER, uniqueId: "A0", ...more }),
    atCake: async () => {
      const state = await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state"))).json();
      const row = (state as { conversions: Record<string, unknown>[] }).conversions.find(
        (one) => one["unique_id"] === "A0",
      );
      return [row?.["payout"], row?.["note"]];
    },
    state: async (forwarder: ReturnType<typeof openForwarder>, id: string) =>
      (await (await forwarder.fetch(new Request(`${SITE}/cake/corrections/${id}`))).json()) as { state: string },
  };
}

const ADDED = { correctionId: "r1", payoutAdded: "-5", revenueAdded: "-5" };
const TOTAL = { correctionId: "r1", payout: "10", revenue: "12" };
const LATER = { correctionId: "r2", payout: "0", revenue: "0", status: "returned" };
const FILE = "shard-0.sqlite";

const vacuum = (from: string, to: string) => {
  mkdirSync(to, { recursive: true });
  const database = new DatabaseSync(join(from, FILE));
  database.exec(`VACUUM INTO '${join(to, FILE)}'`);
  database.close();
};

test.each([
  { what: "an addition", correction: ADDED, later: undefined, expected: ["13.00", "[r1]"] },
  { what: "a total that a later one has overtaken", correction: TOTAL, later: LATER, expected: ["0.00", "[r1] [r2]"] },
])(
  "$what that waits in a copy and was delivered since is not sent again",
  async ({ correction, later, expected }) => {
    for (const way of ["a copy of the running one", "that copy over the file", "a copy of the stopped folder"]) {
      const { home, open, release, sell, correct, atCake, asked, state } = site();
      const [own, backup] = ["own", "backup"].map((name) => join(home, name)) as [string, string];
      let forwarder = open("own");
      await sell(forwarder);
      const { id } = (await correct(forwarder, correction)) as { id: string };
      if (way === "a copy of the stopped folder") {
        await forwarder.close();
        cpSync(own, backup, { recursive: true });
        forwarder = open("own");
      } else vacuum(own, backup);
      release();
      await expect.poll(() => state(forwarder, id), { timeout: 10_000 }).toMatchObject({ state: "delivered" });
      // A restart that is no copy asks for nothing.
      expect(asked).not.toContain(CHANGES);
      if (later !== undefined) await correct(forwarder, later, "?wait=1");
      await forwarder.close();
      expect(await atCake()).toEqual(expected);
      if (way === "that copy over the file") {
        for (const name of readdirSync(own)) if (/-(wal|shm)$/.test(name)) rmSync(join(own, name));
        cpSync(join(backup, FILE), join(own, FILE));
      }
      forwarder = open(way === "that copy over the file" ? "own" : "backup");
      await expect.poll(() => state(forwarder, id), { timeout: 10_000 }).toMatchObject({ state: "delivered" });
      await forwarder.close();
      expect([way, ...(await atCake())]).toEqual([way, ...expected]);
      expect(asked).toContain(CHANGES);
    }
  },
  60_000,
);

test("what waits in a copy and was not delivered is sent once it was looked for, also after one more start", async () => {
  const { home, open, release, sell, correct, atCake, asked, state } = site();
  let forwarder = open("own");
  await sell(forwarder);
  const { id } = (await correct(forwarder, ADDED)) as { id: string };
  vacuum(join(home, "own"), join(home, "backup"));
  await forwarder.close();
  await open("backup").close();
  // A folder that is moved is no copy, and this one stays one.
  renameSync(join(home, "backup"), join(home, "moved"));
  release();
  forwarder = open("moved");
  await expect.poll(() => state(forwarder, id), { timeout: 10_000 }).toMatchObject({ state: "delivered" });
  await forwarder.close();
  expect(asked.filter((service) => service === CHANGES).length).toBeGreaterThan(0);
  expect(await atCake()).toEqual(["13.00", "[r1]"]);
}, 30_000);
