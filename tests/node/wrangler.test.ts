/** `workers/forwarder` as wrangler bundles and serves it: its configuration, and the files that it leaves on disk. */
import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { freePort } from "../../js/bin/workerd.ts";
import { spellings } from "../chaos/spellings.ts";

const KEY = "CANARY-wrangler-key-3fa2c1";
const OPERATOR = "0123456789-abcdefghijklmnopqrstuvwxyz";

// Inside the repository, where `cake-edge/forwarder` is this package itself.
mkdirSync("target", { recursive: true });
const home = mkdtempSync(join("target", "wrangler-"));
for (const file of ["index.ts", "wrangler.jsonc"]) cpSync(join("workers/forwarder", file), join(home, file));
afterAll(() => rmSync(home, { recursive: true, force: true }));

const environment = {
  ...process.env,
  WRANGLER_SEND_METRICS: "false",
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  // wrangler's local traces record outbound URLs, including the key.
  X_LOCAL_OBSERVABILITY: "false",
  CI: "1",
};

/** Every file below a folder that contains a secret, in any encoding. */
function holding(folder: string, secret: string): string[] {
  const files = globSync("**/*", { cwd: folder, withFileTypes: true }).filter((entry) => entry.isFile());
  return files
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => {
      const text = readFileSync(file, "latin1");
      return spellings(secret).some((spelling) => text.includes(spelling));
    });
}

test("the Worker bundles, with its bindings, and without a secret", () => {
  const { status, stdout } = spawnSync("wrangler", ["deploy", "--dry-run", "--outdir", "out"], {
    cwd: home,
    encoding: "utf8",
    env: { ...environment, CAKE_API_KEY: KEY },
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/env\.OUTBOX \(CakeOutbox\)\s+Durable Object/);
  expect(stdout).toMatch(/env\.RATE_LIMIT .*Rate Limit/);
  expect(readFileSync(join(home, "wrangler.jsonc"), "utf8")).toMatch(/"traces": \{ "enabled": false \}/);
  expect(existsSync(join(home, "out/index.js"))).toBe(true);
  expect(holding(join(home, "out"), KEY)).toEqual([]);
});

test("the Worker of the queues bundles, with the queues that its configuration names", () => {
  const folder = join(home, "queues");
  mkdirSync(folder);
  for (const file of ["index.ts", "wrangler.jsonc"]) cpSync(join("workers/queues", file), join(folder, file));
  const { status, stdout } = spawnSync("wrangler", ["deploy", "--dry-run", "--outdir", "out"], {
    cwd: folder,
    encoding: "utf8",
    env: environment,
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/env\.CONVERSIONS \(cake-conversions\)\s+Queue/);
  expect(stdout).toMatch(/env\.REFUSED \(cake-refused\)\s+Queue/);
  expect(stdout).toMatch(/env\.FORWARDER \(cake-forwarder\)\s+Worker/);
});

test("served by wrangler it delivers, sweeps, and leaves the key nowhere", async () => {
  const asked: string[] = [];
  const cake = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    response.end('{"request_status":"Success","conversion":{"conversion_id":7}}');
  });
  await new Promise<void>((resolve) => cake.listen(0, "127.0.0.1", resolve));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  writeFileSync(
    join(home, ".dev.vars"),
    `CAKE_API_KEY=${KEY}\nCAKE_OPERATOR_SECRET=${OPERATOR}\nCAKE_BASE_URL=http://127.0.0.1:${(cake.address() as AddressInfo).port}\n`,
  );
  const args = ["dev", "--ip", "127.0.0.1", "--port", String(port), "--inspector-port", "0"];
  const wrangler = spawn("wrangler", [...args, "--show-interactive-dev-session=false", "--test-scheduled"], {
    cwd: home,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own: workerd is a child of wrangler.
    detached: true,
  });
  let output = "";
  for (const stream of [wrangler.stdout, wrangler.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  try {
    const health = () =>
      fetch(`${origin}/cake/health`).then(
        (response) => response.status,
        () => 0,
      );
    await expect.poll(health, { timeout: 30_000, interval: 200 }).toBe(200);
    const response = await fetch(`${origin}/cake/conversions?wait=1`, {
      method: "POST",
      headers: { origin, "content-type": "text/plain" },
      body: '{"clickId":"a","offerId":1,"uniqueId":"u"}',
    });
    const told = await response.text();
    expect([response.status, JSON.parse(told)]).toMatchObject([202, { state: "delivered", conversionId: 7 }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(KEY);
    expect((await fetch(`${origin}/__scheduled`)).status).toBe(200);
    const counts = await fetch(`${origin}/cake/operator/counts`, { headers: { authorization: `Bearer ${OPERATOR}` } });
    expect(await counts.json()).toMatchObject({ counts: { delivered: 1 } });
    for (const spelling of spellings(KEY)) expect(told + output).not.toContain(spelling);
    expect(output).toContain('"state":"delivered"');
    // wrangler's state: rows, traces, caches.
    expect(existsSync(join(home, ".wrangler"))).toBe(true);
    expect(holding(join(home, ".wrangler"), KEY)).toEqual([]);
  } finally {
    if (wrangler.pid !== undefined) process.kill(-wrangler.pid, "SIGKILL");
    cake.closeAllConnections();
    cake.close();
  }
});
