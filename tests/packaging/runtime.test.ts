/** The packed tarball, installed into a folder of its own, as a user gets it. */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { install, pack } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-pack-"));
const { files } = pack();

beforeAll(() => void install(home));
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("the tarball holds what is imported, and nothing of the workshop", () => {
  for (const file of [
    "dist/entry/edge.inline.js",
    "dist/wasm/edge_bg.wasm",
    "dist/page/page.js",
    "dist/page/cake-edge.js",
    "dist/page/cake-edge-frame.js",
    "dist/page/attach.js",
    "examples/shopify/custom-pixel.js",
    "dist/page/index.d.ts",
    "dist/edge/index.d.ts",
    "LICENSE-MIT",
    "README.md",
  ]) {
    expect(files).toContain(file);
  }
  expect(
    files.filter(
      (file) =>
        !/^(dist\/|docs\/|examples\/|workers\/|(frame|link|page|report|slim|forwarder|sandbox)\/((memory|node)\/)?package\.json$|LICENSE|README|CHANGELOG|SECURITY|ARCHITECTURE|CONTRIBUTING|package\.json)/.test(
          file,
        ),
    ),
  ).toEqual([]);
});

test("Node imports it and builds a link", () => {
  writeFileSync(
    join(home, "use.mjs"),
    `import { createTrackingLink } from "cake-edge";
     console.log(createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 }));`,
  );
  const printed = execFileSync(process.execPath, ["use.mjs"], { cwd: home, encoding: "utf8" });
  expect(printed).toBe("https://track.yournetwork.com/?a=1&c=2\n");
});

// The Node that runs the tests, and the system's Node where it is another one; Deno and Bun.
const onPath = (process.env["PATH"] ?? "").split(delimiter).map((path) => join(path, "node"));
const found = [process.execPath, ...onPath].filter((node) => existsSync(node)).map((node) => realpathSync(node));
const nodes = [...new Set(found)].filter((node) => {
  const [major = 0, minor = 0] = execFileSync(node, ["--version"], { encoding: "utf8" })
    .slice(1)
    .split(".")
    .map(Number);
  return major > 20 || (major === 20 && minor >= 19);
});
const bin = join(process.cwd(), "node_modules", ".bin");
const runtimes: [string, ...string[]][] = [
  ...nodes.map((node): [string] => [node]),
  [join(bin, "deno"), "run", "--node-modules-dir=manual", "--allow-net=127.0.0.1", "--allow-read"],
  [join(bin, "bun")],
];

test.each(runtimes)("%s imports it and calls an account through its own fetch", (runtime, ...options) => {
  writeFileSync(
    join(home, "call.mjs"),
    `import { createServer } from "node:http";
     import { createCakeClient } from "cake-edge";
     const server = createServer((request, response) => {
       const id = new URL(request.url, "http://x").searchParams.get("click_id");
       response.end(JSON.stringify({ response: { total_rows: 1, clicks: [{ click_id: id ?? "listed", offer_id: 1, affiliate_id: 2 }] } }));
     }).listen(0, "127.0.0.1", async () => {
       const cake = createCakeClient({ baseUrl: "http://127.0.0.1:" + server.address().port, apiKey: "key-of-a-test" });
       console.log(JSON.stringify(await cake.getClick("abc")));
       for await (const { clickId } of cake.listClicks()) console.log(clickId);
       server.closeAllConnections();
       server.close();
     });`,
  );
  const printed = execFileSync(runtime, [...options, "call.mjs"], { cwd: home, encoding: "utf8", timeout: 20_000 });
  expect(printed).toBe('{"clickId":"abc","offerId":1,"affiliateId":2}\nlisted\n');
});

test("a forwarder and a sandbox in one Node process bring a conversion home", () => {
  writeFileSync(
    join(home, "both.mjs"),
    `import { createForwarderInProcess } from "cake-edge/forwarder/memory";
     import { createSandbox } from "cake-edge/sandbox/memory";
     const apiKey = "key-of-a-test";
     const sandbox = createSandbox({ apiKey });
     const forwarder = createForwarderInProcess({
       baseUrl: "http://127.0.0.1", apiKey, fetch: sandbox.fetch, log() {},
       operatorSecret: "5f0c4bd2a9e6417380cd1e2fa7b49638",
     });
     const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
     const clickId = new URL(click.headers.get("location")).searchParams.get("reqid");
     const answer = await forwarder.fetch(new Request("https://shop.example/cake/conversions?wait=1", {
       method: "POST",
       headers: { origin: "https://shop.example", "content-type": "application/json" },
       body: JSON.stringify({ clickId, offerId: 12345, uniqueId: "ORD-1" }),
     }));
     const { state, attempts, conversionId } = await answer.json();
     console.log(answer.status, state, attempts, conversionId);`,
  );
  const printed = execFileSync(process.execPath, ["both.mjs"], { cwd: home, encoding: "utf8", timeout: 20_000 });
  expect(printed).toMatch(/^202 delivered 1 \d+\n$/);
});
