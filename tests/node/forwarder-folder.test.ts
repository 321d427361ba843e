/** The folder of a forwarder in a Node process: its files, and the account whose events they keep. */
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openForwarder } from "../../dist/entry/forwarder-node.node.js";
import { KEY, newEvent, newFolder, OPERATOR, SITE } from "./node-place.ts";

const OPTIONS = { baseUrl: "http://127.0.0.1:1", apiKey: KEY, operatorSecret: OPERATOR, log: () => undefined };

test("a missing file of a shard is named, with and without the lock's file, until an empty one stands for it", async () => {
  const copies = newFolder();
  const open = (folder: string, more: object) => openForwarder({ ...OPTIONS, folder, ...more });
  for (const [number, lock] of [0, 2, 3].flatMap((each) => [true, false].map((there) => [each, there] as const))) {
    const folder = join(copies, `${number}-${lock}`);
    await open(folder, { shards: 2 }).close();
    await open(folder, { shards: 4, formerShards: [2] }).close();
    rmSync(join(folder, `shard-${number}.sqlite`));
    if (!lock) rmSync(join(folder, "lock.sqlite"));
    for (const shards of [4, 3]) {
      expect(() => open(folder, { shards, formerShards: [2] })).toThrow(
        `folder lacks shard-${number}.sqlite of the 4 files of this outbox`,
      );
    }
    writeFileSync(join(folder, `shard-${number}.sqlite`), "");
    // The number that the folder had before is remembered too.
    expect(() => open(folder, { shards: 4 })).toThrow(/formerShards must name 2 until/);
    await open(folder, { shards: 4, formerShards: [2] }).close();
  }
});

test("a shard's file under another one's name is refused", async () => {
  const folder = join(newFolder(), "rows");
  await openForwarder({ ...OPTIONS, folder, shards: 2 }).close();
  renameSync(join(folder, "shard-0.sqlite"), join(folder, "x"));
  renameSync(join(folder, "shard-1.sqlite"), join(folder, "shard-0.sqlite"));
  renameSync(join(folder, "x"), join(folder, "shard-1.sqlite"));
  expect(() => openForwarder({ ...OPTIONS, folder, shards: 2 })).toThrow(
    /folder has in shard-0\.sqlite the rows of shard-1\.sqlite/,
  );
});

test("every spelling of an account is one account", async () => {
  const folder = join(newFolder(), "rows");
  const headers = { origin: SITE, "content-type": "application/json" };
  const body = JSON.stringify(newEvent());
  const duplicates: boolean[] = [];
  for (const baseUrl of ["https://acme.example", "https://ACME.example/", "https://acme.example:443"]) {
    const forwarder = openForwarder({
      ...OPTIONS,
      folder,
      baseUrl,
      fetch: async () => new Response("", { status: 503 }),
    });
    const request = new Request(`${SITE}/cake/conversions`, { method: "POST", headers, body });
    duplicates.push(((await (await forwarder.fetch(request)).json()) as { duplicate: boolean }).duplicate);
    await forwarder.close();
  }
  expect(duplicates).toEqual([false, true, true]);
});
