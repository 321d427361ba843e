/** `npx cake-edge forwarder` from the packed tarball, as whoever installed it meets it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startFakeCake } from "../fake-cake/server.ts";
import { startNodeForwarder } from "../node-forwarder.ts";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-forwarder-"));
const cli = join(home, "node_modules/cake-edge/dist/bin/cake-edge.js");
const OPERATOR = "5f0c4bd2a9e6417380cd1e2fa7b49638";
const environment = { CAKE_API_KEY: "key-of-a-test", CAKE_OPERATOR_SECRET: OPERATOR };

beforeAll(() => {
  install(home);
  writeFileSync(join(home, "package.json"), `{ "type": "module" }`);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("it serves, delivers, stops, and knows what it has delivered when it starts again", async () => {
  const cake = await startFakeCake();
  try {
    const options = { baseUrl: cake.origin, origins: ["https://shop.example"], shards: 2 };
    const event = JSON.stringify({ clickId: "abc-1", offerId: 12_345, uniqueId: "ORD-1" });
    for (const [duplicate, query] of [
      [false, "?wait=1"],
      [true, ""],
    ] as const) {
      const forwarder = await startNodeForwarder({ home, options, environment, cli });
      const answer = await fetch(`${forwarder.origin}/cake/conversions${query}`, {
        method: "POST",
        headers: { origin: "https://shop.example", "content-type": "application/json" },
        body: event,
      });
      expect(await answer.json()).toMatchObject({ state: "delivered", duplicate });
      expect(await forwarder.stop("SIGTERM")).toBe(0);
    }
  } finally {
    await cake.close();
  }
});

test("the worked configuration is one that it takes, once it names the account", async () => {
  const options = JSON.parse(readFileSync(join(home, "node_modules/cake-edge/workers/node/forwarder.json"), "utf8"));
  writeFileSync(join(home, "worked.json"), JSON.stringify(options));
  const unchanged = spawnSync(process.execPath, [cli, "forwarder", "--config", "worked.json"], {
    cwd: home,
    encoding: "utf8",
    env: { ...process.env, ...environment },
  });
  expect(unchanged.stderr).toBe(
    "cake-edge forwarder: placeholder_text: baseUrl is a manual's placeholder: set your own domain\n",
  );
  expect(unchanged.status).toBe(2);
  const forwarder = await startNodeForwarder({
    home,
    options: { ...options, baseUrl: "https://acme.cakemarketing.com", folder: "worked", port: 0 },
    environment,
    cli,
    args: ["--host", "127.0.0.1"],
  });
  expect(await forwarder.stop("SIGTERM")).toBe(0);
});

test("the worked unit and Dockerfile start the file that the package has, with the options that the command knows", () => {
  for (const file of ["cake-forwarder.service", "Dockerfile"]) {
    const text = readFileSync(join(home, "node_modules/cake-edge/workers/node", file), "utf8");
    const [, path = "none"] = /(node_modules\/cake-edge\/\S+?\.js)/.exec(text) ?? [];
    expect(existsSync(join(home, path))).toBe(true);
    const { stdout } = spawnSync(process.execPath, [cli, "forwarder", "--help"], { encoding: "utf8" });
    for (const option of text.match(/(?<=[" ])--(config|host)\b/g) ?? ["none"]) expect(stdout).toContain(`${option} `);
    for (const [variable] of text.matchAll(/CAKE_[A-Z_]+(?=_FILE)/g)) expect(stdout).toContain(variable);
  }
});

test("a Node without node:sqlite imports it, and says which Node is needed where it is used", () => {
  writeFileSync(
    join(home, "old.mjs"),
    `import { openForwarder } from "cake-edge/forwarder/node";
     try {
       await openForwarder({ folder: "old", baseUrl: "http://127.0.0.1:1", apiKey: "key-of-a-test", operatorSecret: "${OPERATOR}" }).close();
       console.log("opened");
     } catch ({ code, message }) {
       console.log(code + ": " + message);
     }`,
  );
  const onPath = (process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "node"));
  const nodes = [process.execPath, ...onPath.filter((node) => existsSync(node)).map((node) => realpathSync(node))];
  for (const node of new Set(nodes)) {
    const has = execFileSync(node, ["-p", "process.getBuiltinModule?.('node:sqlite') !== undefined"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const printed = execFileSync(node, ["old.mjs"], {
      cwd: home,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    if (has.trim() === "true") expect(printed).toBe("opened\n");
    else expect(printed).toMatch(/^wrong_runtime: .*node:sqlite.*: use Node 22\.13 or newer\n$/);
  }
});
