/** The packed tarball, installed into a folder of its own, as a user meets it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const home = mkdtempSync(join(tmpdir(), "cake-edge-pack-"));
let files: string[] = [];

beforeAll(() => {
  const packed = execFileSync("npm", ["pack", "--json", "--pack-destination", home], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
  });
  const [tarball] = Object.values(JSON.parse(packed)) as { filename: string; files: { path: string }[] }[];
  files = tarball?.files.map(({ path }) => path) ?? [];
  const installed = join(home, "node_modules", "cake-edge");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(home, tarball?.filename ?? ""), "--strip-components=1", "-C", installed]);
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

test("the tarball holds what is imported, and nothing of the workshop", () => {
  for (const file of [
    "dist/entry/edge.node.js",
    "dist/wasm/edge_bg.wasm",
    "dist/wasm/page_bg.wasm",
    "dist/edge/index.d.ts",
    "LICENSE-MIT",
    "README.md",
  ]) {
    expect(files).toContain(file);
  }
  expect(files.filter((file) => !/^(dist\/|LICENSE|README|CHANGELOG|package\.json)/.test(file))).toEqual([]);
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
