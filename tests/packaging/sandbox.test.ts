/** `npx cake-edge sandbox` from the packed tarball, as a user runs it. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startSandbox } from "../sandbox-process.ts";
import { install } from "./pack.ts";

const bare = mkdtempSync(join(tmpdir(), "cake-edge-bare-"));
const full = mkdtempSync(join(tmpdir(), "cake-edge-full-"));
const cliIn = (home: string) => join(home, "node_modules/cake-edge/dist/bin/cake-edge.js");

beforeAll(() => {
  for (const home of [bare, full]) {
    install(home);
    writeFileSync(join(home, "package.json"), "{}");
  }
  // workerd as the user's own dependency: a link avoids a copy of 100 MB.
  symlinkSync(realpathSync("node_modules/workerd"), join(full, "node_modules/workerd"));
});
afterAll(() => {
  for (const home of [bare, full]) rmSync(home, { recursive: true, force: true });
});

/** The machine's own Node 20, if installed: the oldest that the package supports. */
function oldNode(): string {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    const node = join(folder, "node");
    try {
      accessSync(node, constants.X_OK);
      if (execFileSync(node, ["--version"], { encoding: "utf8" }).startsWith("v20.")) return node;
    } catch {
      // Not in this folder: try the next one.
    }
  }
  return process.execPath;
}

function run(args: readonly string[], home = full) {
  const { status, stderr, stdout } = spawnSync(oldNode(), [cliIn(home), ...args], {
    cwd: home,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stdout, stderr };
}

function complains(args: readonly string[], sentence: RegExp, home = full, expected = 2): void {
  const { status, stderr } = run(args, home);
  expect(stderr).toMatch(sentence);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(status).toBe(expected);
}

test("it serves on the oldest Node, with a fixture, a past and rows of its own", async () => {
  writeFileSync(
    join(full, "network.json"),
    `\ufeff${JSON.stringify({
      $schema: "./node_modules/cake-edge/dist/sandbox/fixture.schema.json",
      offers: [
        {
          offer_id: 9,
          offer_name: "Mine",
          landing_page: "https://shop.example/?x=1?r=#reqid#",
          payout: "1",
          revenue: "2",
        },
      ],
      creatives: [{ creative_id: 8, offer_id: 9 }],
      affiliates: [{ affiliate_id: 7, affiliate_name: "Me" }],
    })}`,
  );
  expect(existsSync(join(full, "node_modules/cake-edge/dist/sandbox/fixture.schema.json"))).toBe(true);
  const args = ["--seed", "network.json", "--history", "2d", "--clicks", "300", "--persist", "rows"];
  const sandbox = await startSandbox(args, { cli: cliIn(full), node: oldNode(), cwd: full });
  expect(sandbox.output()).toContain(`tracking link  ${sandbox.origin}/?a=7&c=8&s1=test\n`);
  expect(sandbox.output()).toContain("--seed: offers[0].landing_page has two `?`");
  expect(sandbox.output()).toMatch(/history: 300 clicks \(\d+ of bots\), \d+ conversions/);
  const response = await fetch(`${sandbox.origin}/?a=7&c=8`, { redirect: "manual" });
  expect(response.headers.get("location")).toMatch(/^https:\/\/shop\.example\/\?x=1\?r=[0-9a-f-]{36}$/);
  complains(
    ["sandbox", "--port", "0", "--persist", "rows"],
    /^cake-edge: --persist rows is in use by another sandbox, process \d+: stop it, or choose another folder\n$/,
    full,
    3,
  );
  expect(await sandbox.stop()).toBe(0);
  const again = await startSandbox(["--persist", "rows"], { cli: cliIn(full), node: oldNode(), cwd: full });
  const clicks = await fetch(`${again.origin}/api/2/click.json?api_key=sandbox-key&row_limit=1`);
  expect(await clicks.json()).toMatchObject({ response: { total_rows: 301 } });
  await again.stop();
});

test("a port in use is one clear sentence", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  complains(
    ["sandbox", "--port", String(port)],
    new RegExp(
      `^cake-edge: port ${port} is in use: stop what listens there, or choose another, such as --port ${port + 1}\n$`,
    ),
  );
  server.close();
});

test("a bad fixture is one clear sentence that names the place", () => {
  writeFileSync(
    join(full, "bad.json"),
    '{"offers":[{"offer_id":1,"offer_name":"x","landing_page":"/","payout":18,"revenue":"1"}]}',
  );
  complains(
    ["sandbox", "--seed", "bad.json"],
    /^cake-edge: --seed bad\.json: offers\[0\]\.payout: must be text, and is `18`/,
  );
  writeFileSync(join(full, "bad.json"), "{");
  complains(["sandbox", "--seed", "bad.json"], /^cake-edge: --seed bad\.json: EOF while parsing/);
  complains(["sandbox", "--seed", "none.json"], /^cake-edge: --seed none\.json cannot be read: ENOENT\n$/);
});

test("a missing workerd is one clear sentence that says what to install", () => {
  complains(
    ["sandbox"],
    /^cake-edge: workerd, which the sandbox runs in, is not installed: run `npm install --save-dev workerd@1\.\d+\.\d+`, then this command again; or without a project `npx -p cake-edge -p workerd@1\.\d+\.\d+ cake-edge sandbox`\n$/,
    bare,
  );
  for (const [lock, add] of [
    ["pnpm-lock.yaml", "pnpm add --save-dev"],
    ["yarn.lock", "yarn add --dev"],
    ["bun.lock", "bun add --dev"],
  ] as const) {
    writeFileSync(join(bare, lock), "");
    complains(["sandbox"], new RegExp(`run \`${add} workerd@1`), bare);
    rmSync(join(bare, lock));
  }
});

test("options that are none, and values that are none, are one clear sentence", () => {
  complains(
    ["serve"],
    /^cake-edge: there is no command "serve"; there are init, sandbox, forwarder, doctor, report, postbacks, corrections, clicks, conversions\n$/,
  );
  complains(["sandbox", "--color"], /^cake-edge: Unknown option '--color'/);
  complains(["sandbox", "--prot", "1"], /^cake-edge: Unknown option '--prot': did you mean --port\?;/);
  complains(["sandbx"], /^cake-edge: there is no command "sandbx": did you mean sandbox\?\n$/);
  complains(
    ["sandbox", "--seed", "a.json", "--seed", "b.json"],
    /^cake-edge: --seed is given twice: it counts once\n$/,
  );
  for (const host of ["https://Partner.example/x", "https://partner.example"]) {
    complains(
      ["sandbox", "--allow", host],
      /^cake-edge: --allow must be hosts alone, .+: did you mean partner\.example\?\n$/,
    );
  }
  complains(["sandbox", "--port", "http"], /^cake-edge: --port must be a whole number from 0 to 65535, not "http"\n$/);
  complains(
    ["sandbox", "--history", "30w"],
    /^cake-edge: --history must be a whole number from 1 to 3650, not "30w"\n$/,
  );
  complains(["sandbox", "--clicks", "5"], /^cake-edge: --clicks and --history-seed go with --history/);
  complains(["sandbox", "--token", "short"], /^cake-edge: --token must have at least 16 characters\n$/);
  complains(["sandbox", "--persist", "package.json"], /^cake-edge: --persist package\.json cannot be written: \w+\n$/);
});

test("the help names every option, and the version is the package's", () => {
  const { status, stdout } = run(["--help"]);
  expect(status).toBe(0);
  for (const option of ["port", "host", "persist", "seed", "history", "clicks", "key", "token", "allow"]) {
    expect(stdout).toContain(`--${option} `);
  }
  expect(run(["--version"]).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("help and the version come by every name that people try", () => {
  for (const args of [["-h"], ["--help"], ["help"], ["sandbox", "-h"], ["help", "sandbox"]]) {
    expect(run(args)).toMatchObject({ status: 0, stdout: expect.stringContaining("Usage: cake-edge sandbox") });
  }
  for (const args of [
    ["doctor", "-h"],
    ["help", "doctor"],
  ]) {
    expect(run(args)).toMatchObject({ status: 0, stdout: expect.stringContaining("Usage: cake-edge doctor") });
  }
  for (const args of [["-v"], ["--version"]]) expect(run(args).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("an address in brackets is one, and an address of another machine is not a port in use", async () => {
  const sandbox = await startSandbox(["--host", "[::1]"], { cli: cliIn(full), node: oldNode(), cwd: full });
  expect(sandbox.origin).toMatch(/^http:\/\/\[::1\]:\d+$/);
  expect((await fetch(`${sandbox.origin}/?a=67890&c=12`, { redirect: "manual" })).status).toBe(302);
  await sandbox.stop();
  complains(["sandbox", "--host", "192.0.2.1"], /^cake-edge: --host 192\.0\.2\.1 is not an address of this machine/);
  complains(
    ["sandbox", "--host", "nobody.invalid"],
    /^cake-edge: --host nobody\.invalid is not an address of this machine/,
  );
});
