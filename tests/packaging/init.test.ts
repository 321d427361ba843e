/** `npx cake-edge init`, from the packed tarball: the files that it writes, and the files that it leaves unchanged. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-init-"));
let folder = "";
let cli = "";

beforeAll(() => {
  cli = join(install(home), "dist/bin/cake-edge.js");
});
beforeEach(() => {
  folder = mkdtempSync(join(home, "project-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

function init(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "init", "--no-install", ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const manifest = () => JSON.parse(read("package.json"));

test("an empty folder gets a forwarder, with secrets that are its owner's", () => {
  const { status, stdout } = init("--forwarder");
  expect(status).toBe(0);
  expect(readdirSync(join(folder, "forwarder")).sort()).toEqual([
    ".dev.vars",
    "dev.js",
    "worker.js",
    "wrangler.dev.jsonc",
    "wrangler.jsonc",
  ]);
  expect(read("forwarder/.dev.vars")).toMatch(
    /^CAKE_API_KEY=[0-9a-f]{64}\nCAKE_OPERATOR_SECRET=[0-9a-f]{64}\nCAKE_SIGNING_SECRETS=whsec_\S{44}\n$/,
  );
  expect(statSync(join(folder, "forwarder/.dev.vars")).mode & 0o077).toBe(0);
  expect(read(".gitignore").split("\n")).toContain(".dev.vars");
  expect(manifest()).toMatchObject({
    dependencies: { "cake-edge": expect.stringMatching(/^\^\d/) },
    devDependencies: { wrangler: expect.stringMatching(/^\^4/) },
  });
  // The output shows no secret.
  for (const [secret] of read("forwarder/.dev.vars").matchAll(/[0-9a-f]{64}/g)) expect(stdout).not.toContain(secret);
});

test("a second run changes nothing, and makes no other secret", () => {
  init("--forwarder", "--capture", "--page", "--sandbox");
  const before = read("forwarder/.dev.vars") + read("site/.dev.vars");
  const { status, stdout } = init("--forwarder", "--capture", "--page", "--sandbox");
  expect(status).toBe(0);
  expect(stdout).not.toMatch(/^(written|changed)/m);
  expect(read("forwarder/.dev.vars") + read("site/.dev.vars")).toBe(before);
});

test("what stands there is shown with its difference, and changed only where that was agreed", () => {
  const standing = `{ "name": "mine", "type": "module", "scripts": { "forwarder": "echo mine" }, "dependencies": { "hono": "^4.0.0" } }`;
  writeFileSync(join(folder, "package.json"), standing);
  writeFileSync(join(folder, ".gitignore"), "dist");
  const asked = init("--forwarder");
  expect(asked.stdout).toMatch(/^changed {3}package\.json\n[\s\S]*^ {2}\+ .*"cake-edge"/m);
  expect(asked.stdout).toMatch(/^left {6}package\.json$/m);
  expect(read("package.json")).toBe(standing);
  expect(read(".gitignore")).toBe("dist");

  expect(init("--forwarder", "--yes").status).toBe(0);
  expect(manifest()).toMatchObject({
    name: "mine",
    scripts: { forwarder: "echo mine" },
    dependencies: { hono: "^4.0.0", "cake-edge": expect.stringMatching(/^\^/) },
  });
  expect(read(".gitignore")).toMatch(/^dist\nnode_modules\n/);
});

test("a file of the user's own is not written over", () => {
  init("--capture", "--yes");
  writeFileSync(join(folder, "site/worker.js"), "// mine\n");
  init("--capture", "--yes");
  expect(read("site/worker.js")).toBe("// mine\n");
});

test.each([
  [{ next: "16.4.6" }, ["proxy.js", "app/cake-edge.jsx", ".env.local"]],
  [{ next: "^15.0.0" }, ["middleware.js", "app/cake-edge.jsx"]],
  [{ "@sveltejs/kit": "3.2.0", vite: "8.3.8" }, ["src/hooks.server.js", "src/lib/cake-edge.js", ".env"]],
  [{ vite: "8.3.8" }, ["src/cake-edge.js", "site/worker.js"]],
  [{}, ["public/landing.html", "site/worker.js"]],
])("a project with %o gets its framework's files", (devDependencies, files) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", devDependencies }));
  expect(init("--page", "--capture", "--yes").status).toBe(0);
  for (const file of files) expect(existsSync(join(folder, file)), file).toBe(true);
});

test("a command that cannot be right is refused in one sentence", () => {
  for (const [args, sentence] of [
    [[], /say what you want: --page, --capture, --forwarder, --sandbox/],
    [["--page", "--framework", "rails"], /--framework must be one of wrangler, next, sveltekit, vite, not "rails"/],
    [["--pages"], /Unknown option '--pages': did you mean --page\?/],
    [["--page", "--dir", "a", "--dir", "b"], /--dir is given twice/],
  ] as const) {
    const { status, stderr } = init(...args);
    expect(status).toBe(2);
    expect(stderr).toMatch(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
  }
  writeFileSync(join(folder, "package.json"), "{");
  expect(init("--page").stderr).toMatch(/package\.json is not JSON/);
});
