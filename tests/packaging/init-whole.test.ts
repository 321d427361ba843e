/** That `npx cake-edge init` writes all of its files or none, and asks for the consent that it lacks. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-init-"));
let folder = "";
let cli = "";

beforeAll(() => {
  cli = join(install(home), "dist/bin/cake-edge.js");
  chmodSync(home, 0o755);
});
beforeEach(fresh);
afterAll(() => rmSync(home, { recursive: true, force: true }));

function fresh(): void {
  folder = mkdtempSync(join(home, "project-"));
}
/** Root may write everywhere: it runs the command as somebody else. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;
const AS_NOBODY = isRoot
  ? ["--import", `data:text/javascript,process.setgroups([]);process.setgid(${NOBODY});process.setuid(${NOBODY})`]
  : [];

function init(args: readonly string[], { limit = "", env = {} } = {}) {
  const { status, stdout, stderr } = spawnSync(
    "bash",
    ["-c", `${limit} exec "$@"`, "bash", process.execPath, ...(limit === "" ? AS_NOBODY : []), cli, "init", ...args],
    {
      cwd: folder,
      encoding: "utf8",
      input: "",
      env: { ...process.env, HOME: folder, ...env },
    },
  );
  return { status, stdout, stderr };
}
/** Puts a file into the project, as its user would have. */
function put(file: string, text: string): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), text);
}
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const all = () => readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
/** Each file of the folder with its mode, and with its text or what it links to. */
const picture = () =>
  all().map((file) => {
    const path = join(folder, file);
    const stats = lstatSync(path);
    const text = stats.isFile() ? readFileSync(path, "utf8") : stats.isSymbolicLink() ? readlinkSync(path) : "";
    return [file, stats.mode, text];
  });
/** Gives all to the user who runs the command. */
function give(): void {
  if (isRoot) for (const file of ["", ...all()]) lchownSync(join(folder, file), NOBODY, NOBODY);
}

const SVELTE = `{ "name": "x", "dependencies": { "@sveltejs/kit": "3.2.0" } }`;
const long = (start: string) => start + "#".repeat(4_070);

test.each([
  ["package.json", JSON.stringify({ name: "x", description: "d".repeat(3_950), scripts: { dev: "vite" } }), {}],
  [".gitignore", long("dist\n"), {}],
  // The secrets come last, once git has read the new .gitignore: what stands by then is taken back.
  [".env", long("A=1\n"), { "package.json": SVELTE, ".gitignore": "dist\n" }],
  ["forwarder/.dev.vars", long("A=1\n"), { "package.json": `{"name":"x"}` }],
  ["site/.dev.vars", long("A=1\n"), {}],
])("where %s does not fit onto the disk, no file is changed, and none is added", (path, text, others) => {
  for (const [other, its] of Object.entries(others)) put(other, its);
  put(path, text);
  const before = picture();
  // A file of more than 4 KiB cannot be written.
  const args = ["--forwarder", "--capture", "--yes", "--no-install"];
  const { status, stderr, stdout } = init(args, { limit: "ulimit -f 4;" });
  expect([status, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toMatch(new RegExp(`/${path.replaceAll(".", "\\.")} cannot be written, so nothing is changed: EFBIG`));
  expect(stdout).not.toContain("written");
  expect(picture()).toEqual(before);
  expect(init(args, { limit: "ulimit -f 4000;" }).status).toBe(0);
});

test.each([
  ["a folder that is read only", "forwarder", 0o555],
  ["the project's folder, read only", ".", 0o555],
  ["a .gitignore that is read only", ".gitignore", 0o444],
  ["a package.json that is read only", "package.json", 0o444],
  ["secrets that are read only", "forwarder/.dev.vars", 0o444],
  ["a link into a folder that is read only", "shared", 0o555],
])("with %s no file is changed, and none is added", (_, path, mode) => {
  put("forwarder/.dev.vars", "A=1\n");
  put(".gitignore", "dist\n");
  put("shared/package.json", `{"name":"x"}`);
  if (path === "shared") symlinkSync("shared/package.json", join(folder, "package.json"));
  else put("package.json", `{"name":"x"}`);
  give();
  chmodSync(join(folder, path), mode);
  const before = picture();
  const { status, stderr, stdout } = init(["--forwarder", "--capture", "--yes", "--no-install"]);
  expect([status, stderr.trim().split("\n").length]).toEqual([1, 1]);
  expect(stderr).toMatch(/cannot be written, so nothing is changed: EACCES/);
  expect(stdout).not.toContain("written");
  expect(picture()).toEqual(before);
  chmodSync(join(folder, path), 0o755);
});

// In a folder with the sticky bit a file of another owner can be written, and none takes its place.
test.runIf(isRoot)("where a file cannot be replaced, what is replaced already is put back", () => {
  for (const [path, target] of [
    ["forwarder/.dev.vars", undefined],
    [".env", "held/.env"],
  ] as const) {
    fresh();
    put("package.json", SVELTE);
    put(".gitignore", "dist\n");
    give();
    lchownSync(folder, NOBODY, NOBODY);
    put(target ?? path, "A=1\n");
    if (target !== undefined) symlinkSync(target, join(folder, path));
    chmodSync(join(folder, target ?? path, ".."), 0o1777);
    chmodSync(join(folder, path), 0o666);
    const before = picture();
    const { status, stderr } = init(["--forwarder", "--capture", "--yes", "--no-install"]);
    expect(stderr).toMatch(/cannot be written, so nothing is changed: EPERM/);
    expect([status, picture()]).toEqual([1, before]);
  }
});

test("a file keeps its mode, and a link stays one", () => {
  put("shared/package.json", `{"name":"x"}`);
  symlinkSync("shared/package.json", join(folder, "package.json"));
  put(".gitignore", "dist\n");
  give();
  chmodSync(join(folder, "shared/package.json"), 0o640);
  expect(init(["--forwarder", "--yes", "--no-install"])).toMatchObject({ status: 0, stderr: "" });
  expect(readlinkSync(join(folder, "package.json"))).toBe("shared/package.json");
  expect(read("shared/package.json")).toContain("wrangler");
  expect(statSync(join(folder, "shared/package.json")).mode & 0o777).toBe(0o640);
  expect(all().filter((file) => file.includes("~"))).toEqual([]);
});

test("two paths that lead to one file of secrets both count", () => {
  put("forwarder/.dev.vars", "A=1\n");
  mkdirSync(join(folder, "site"));
  symlinkSync("../forwarder/.dev.vars", join(folder, "site/.dev.vars"));
  give();
  expect(init(["--forwarder", "--capture", "--yes", "--no-install"]).status).toBe(0);
  expect(read("forwarder/.dev.vars")).toMatch(
    /^A=1\nCAKE_API_KEY=.+\nCAKE_OPERATOR_SECRET=[\s\S]+\nCAKE_COOKIE_SECRET=/,
  );
  expect(read("forwarder/.dev.vars").match(/CAKE_COOKIE_SECRET=/g)).toHaveLength(1);
});

test("a device is not replaced by a file", () => {
  put("package.json", SVELTE);
  symlinkSync("/dev/null", join(folder, ".env"));
  give();
  expect(init(["--capture", "--yes", "--no-install"]).status).toBe(1);
  expect(statSync("/dev/null").isFile()).toBe(false);
  expect(readlinkSync(join(folder, ".env"))).toBe("/dev/null");
});

test.each([
  [["--forwarder"], { name: "x" }, "cake-edge and wrangler"],
  [["--capture"], { name: "x" }, "cake-edge and wrangler"],
  [["--sandbox"], { name: "x" }, "cake-edge"],
  [["--page"], { dependencies: { wrangler: "^4.0.0" } }, "cake-edge"],
  [["--forwarder"], { dependencies: { "cake-edge": "^1.0.0" } }, "wrangler"],
])("without a terminal %o installs nothing in vain, and says what it waits for", (args, manifest, lacking) => {
  put("package.json", JSON.stringify(manifest));
  put("bin/npm", "#!/bin/sh\necho npm was called\n");
  chmodSync(join(folder, "bin/npm"), 0o755);
  give();
  for (const more of [[], ["--no-install"]]) {
    const { status, stdout, stderr } = init([...args, ...more], {
      env: { PATH: `${join(folder, "bin")}:${process.env["PATH"]}` },
    });
    expect([status, stderr]).toEqual([1, ""]);
    expect(stdout).toContain(
      "left      package.json: without a terminal nobody can agree, so give --yes to change what stands",
    );
    expect(stdout).toContain(`\n  this command again with --yes: package.json does not name ${lacking}\n`);
    expect(stdout).not.toMatch(/npm was called|npm install$/m);
    expect(JSON.parse(read("package.json"))).toEqual(manifest);
  }
});

test("what else is left without a terminal is told by its name, and ends with status 1", () => {
  put("package.json", `{"dependencies":{"cake-edge":"^1.0.0"},"devDependencies":{"wrangler":"^4.0.0"}}`);
  put(".gitignore", "dist\n");
  put("site/.dev.vars", "A=1\n");
  give();
  const { status, stdout } = init(["--capture", "--no-install"]);
  expect(status).toBe(1);
  expect(stdout).toContain("left      .gitignore, site/.dev.vars: without a terminal nobody can agree");
  // These it names already.
  expect(stdout).toMatch(/^ {2}npm install$/m);
  expect(init(["--capture", "--yes", "--no-install"]).status).toBe(0);
  expect(init(["--capture", "--no-install"]).status).toBe(0);
});
