/** That `npx cake-edge init` writes no secret where git takes it up: it asks git where the file is, at the end of links. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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
  return run({}, ...args);
}
function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, "init", "--no-install", ...args], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}
/** Puts a file into the project, as its user would have. */
function put(file: string, text: string): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), text);
}
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const has = (file: string) => existsSync(join(folder, file));
/** A repository in the project's folder, or in one below it. */
function repository(below = "."): void {
  mkdirSync(join(folder, below), { recursive: true });
  spawnSync("git", ["init", "--quiet"], { cwd: join(folder, below) });
}
/** Makes git track a file. */
function track(file: string, at = "."): void {
  expect(spawnSync("git", ["add", "--force", file], { cwd: join(folder, at) }).status).toBe(0);
}
const LINES = "node_modules\n.wrangler\n.dev.vars\n.env\n.env.local\n";

test("a file that git tracks gets its secret with a warning", () => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { "@sveltejs/kit": "3.2.0" } }));
  put(".env", "PUBLIC_A=1\n");
  const git = (...args: string[]) => spawnSync("git", args, { cwd: folder });
  git("init", "-q");
  expect(init("--capture", "--yes").stdout).not.toContain("warning");
  put(".env", "PUBLIC_A=1\n");
  git("add", "-f", ".env");
  expect(init("--capture", "--yes").stdout).toContain("warning   git tracks .env");
});

/** What git would take up of the project. */
function taken(): string[] {
  const git = (...args: string[]) => spawnSync("git", args, { cwd: folder, encoding: "utf8" }).stdout;
  return git("ls-files", "--others", "--exclude-standard").split("\n").filter(Boolean);
}

test.each([
  ["/.dev.vars\n", true],
  [".dev.vars/\n", true],
  ["/forwarder/.dev.vars\n", true],
  [".dev.vars\n!.dev.vars\n", true],
  [".dev.vars\n!.dev.*\n", true],
  ["*.vars\n!.dev.vars", true],
  ["#.dev.vars\n.dev.vars.local\n", true],
  [" .dev.vars\n", true],
  [".dev.vars\n!.dev.vars.example\n", false],
  ["!.dev.vars\n**/.dev.vars \n", false],
  ["\uFEFF.dev.vars\r\n", false],
])("with the .gitignore %j git takes up no secret", (gitignore, isAdded) => {
  for (const isRepository of [true, false]) {
    folder = mkdtempSync(join(home, "project-"));
    if (isRepository) spawnSync("git", ["init", "--quiet"], { cwd: folder });
    put(".gitignore", gitignore);
    expect(init("--forwarder", "--capture", "--yes").status).toBe(0);
    expect(existsSync(join(folder, "forwarder/.dev.vars"))).toBe(true);
    const lines = read(".gitignore").slice(gitignore.length).split(/\r?\n/);
    expect(lines.includes(".dev.vars"), read(".gitignore")).toBe(isAdded);
    spawnSync("git", ["init", "--quiet"], { cwd: folder });
    expect(taken().filter((path) => path.includes(".dev.vars"))).toEqual([]);
    const second = read(".gitignore");
    init("--forwarder", "--capture", "--yes");
    expect(read(".gitignore")).toBe(second);
  }
});

test("no secret is written where git would take it up", () => {
  for (const [isRepository, files, rule] of [
    [true, { ".gitignore": "dist" }, undefined],
    [false, { ".gitignore": "dist" }, undefined],
    [true, { ".gitignore": ".dev.vars\n!.dev.vars\n" }, ".gitignore:2:!.dev.vars"],
    [true, { ".gitignore": ".dev.vars\n", "forwarder/.gitignore": "!.dev.vars" }, "forwarder/.gitignore:1:!.dev.vars"],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    if (isRepository) spawnSync("git", ["init", "--quiet"], { cwd: folder });
    for (const [file, text] of Object.entries(files)) put(file, text);
    // Nobody answers the question, which is a no.
    const { status, stdout } = init("--forwarder");
    expect(status).toBe(1);
    const told = `left      forwarder/.dev.vars: git does not ignore it${rule ? ` (${rule})` : ""}, so its secrets`;
    expect(stdout).toContain(told);
    expect(stdout).toContain("then run this command again\n  | .dev.vars\n");
    expect(existsSync(join(folder, "forwarder/.dev.vars"))).toBe(false);
  }
  // A rule from elsewhere is as good.
  folder = mkdtempSync(join(home, "project-"));
  spawnSync("git", ["init", "--quiet"], { cwd: folder });
  put(".gitignore", "dist");
  put(".git/info/exclude", ".dev.*");
  expect(init("--forwarder").stdout).toContain("written   forwarder/.dev.vars");
  expect(taken()).not.toContain("forwarder/.dev.vars");
});

test.each(["forwarder", "site"])("in %s, a repository of its own, git has its own rules", (below) => {
  const part = below === "site" ? "--capture" : "--forwarder";
  repository();
  repository(below);
  const { status, stdout } = init(part, "--yes");
  expect(status).toBe(1);
  expect(stdout).toContain(`left      ${below}/.dev.vars: git does not ignore it, so its secrets`);
  expect(stdout).toContain(`by this line in ${below}/.gitignore, then run this command again\n  | /.dev.vars\n`);
  expect(has(`${below}/.dev.vars`)).toBe(false);
  put(`${below}/.gitignore`, "/.dev.vars\n");
  expect(init(part, "--yes")).toMatchObject({ status: 0, stdout: expect.not.stringMatching(/git (does|tracks)/) });
  // What the inner repository tracks is told, though the outer one knows nothing of it.
  track(".dev.vars", below);
  expect(init(part, "--yes").stdout).toContain(
    `warning   git tracks ${below}/.dev.vars, so its secrets go where the repository goes: git -C ${below} rm --cached .dev.vars\n`,
  );
});

test("a file of secrets that is a link is what it leads to", () => {
  repository();
  put("config/dev.txt", "");
  mkdirSync(join(folder, "forwarder"));
  symlinkSync("../config/dev.txt", join(folder, "forwarder/.dev.vars"));
  const { status, stdout } = init("--forwarder", "--yes");
  expect(status).toBe(1);
  expect(stdout).toContain("by this line in .gitignore, then run this command again\n  | /config/dev.txt\n");
  expect(read("config/dev.txt")).toBe("");
  track("config/dev.txt");
  expect(init("--forwarder", "--yes").stdout).toContain("git -C config rm --cached dev.txt\n");
  // Next's, and one that is ignored where it is.
  put("package.json", `{ "dependencies": { "next": "16.4.6" } }`);
  put("shared.conf", "");
  symlinkSync("shared.conf", join(folder, ".env.local"));
  expect(init("--capture", "--yes").stdout).toContain("  | /shared.conf\n");
  put(".gitignore", `${LINES}shared.conf\n`);
  expect(init("--capture", "--yes").status).toBe(0);
  expect(read("shared.conf")).toContain("CAKE_COOKIE_SECRET=");
});

test("a folder that is a link is where it leads to", () => {
  repository();
  mkdirSync(join(folder, "shared/fwd"), { recursive: true });
  mkdirSync(join(folder, "apps/site"), { recursive: true });
  symlinkSync("../../shared/fwd", join(folder, "apps/site/forwarder"));
  const args = ["--forwarder", "--yes", "--dir", "apps/site"];
  const { status, stdout } = init(...args);
  expect(status).toBe(1);
  expect(stdout).toContain(
    "by this line in ../../.gitignore, then run this command again\n  | /shared/fwd/.dev.vars\n",
  );
  expect(has("shared/fwd/.dev.vars")).toBe(false);
  put(".gitignore", "/shared/fwd/.dev.vars\n");
  expect(init(...args).status).toBe(0);
  expect(taken()).not.toContain("shared/fwd/.dev.vars");
  // --dir itself may be a link.
  symlinkSync("apps/site", join(folder, "link"));
  expect(init("--forwarder", "--yes", "--dir", "link").stdout).not.toMatch(/git (does|tracks)/);
});

test("where git does not tell, no secret is written, and what git says is shown", () => {
  for (const [env, words] of [
    [{ GIT_TEST_ASSUME_DIFFERENT_OWNER: "1" }, /^ {2}\| fatal: detected dubious ownership[\s\S]*safe\.directory /m],
    [{ GIT_DIR: "nowhere" }, /^ {2}\| fatal: not a git repository: 'nowhere'/m],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    repository();
    put("package.json", `{ "dependencies": { "@sveltejs/kit": "3.2.0" } }`);
    put(".env", "PUBLIC_A=1\n");
    track(".env");
    const { status, stdout } = run(env, "--forwarder", "--capture", "--yes");
    expect(status).toBe(1);
    for (const file of ["forwarder/.dev.vars", ".env"]) {
      expect(stdout).toContain(`left      ${file}: git does not tell whether it takes it up.`);
    }
    expect(stdout).toMatch(words);
    expect([has("forwarder/.dev.vars"), read(".env")]).toEqual([false, "PUBLIC_A=1\n"]);
  }
});

test("without git, the .gitignore of each folder is read as git reads it", () => {
  for (const [files, isWritten] of [
    [{}, true],
    [{ "forwarder/.gitignore": "!.dev.vars\n" }, false],
    [{ "forwarder/.gitignore": "!.dev.vars\n.dev.vars\n" }, true],
    [{ "forwarder/.gitignore": "!.dev*\n" }, false],
  ] as const) {
    for (const isRepository of [true, false]) {
      folder = mkdtempSync(join(home, "project-"));
      if (isRepository) repository();
      for (const [file, text] of Object.entries(files)) put(file, text);
      const { status, stdout } = run({ PATH: "" }, "--forwarder", "--yes");
      expect([status, has("forwarder/.dev.vars")]).toEqual(isWritten ? [0, true] : [1, false]);
      if (!isWritten) expect(stdout).toContain("git does not ignore it (forwarder/.gitignore), so its secrets");
    }
  }
});

test("git reads no .gitignore that is a link, which is told", () => {
  for (const [isRepository, target] of [
    [true, "shared"],
    [false, "shared"],
    [true, "nowhere"],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    if (isRepository) repository();
    put("shared", LINES);
    symlinkSync(target, join(folder, ".gitignore"));
    const { status, stdout } = init("--forwarder", "--yes");
    expect(status).toBe(1);
    expect(stdout).toContain("warning   .gitignore is a link, which git does not read: make it a file\n");
    expect([has("forwarder/.dev.vars"), read("shared"), has("nowhere")]).toEqual([false, LINES, false]);
  }
});

test("a file that has its secrets is told, too, where git takes it up", () => {
  repository();
  init("--forwarder", "--capture", "--yes");
  put(".gitignore", "dist\n");
  put(".env.production", `CAKE_COOKIE_SECRET=${/CAKE_COOKIE_SECRET=(.*)/.exec(read("site/.dev.vars"))?.[1]}\n`);
  put(".env.test", "PUBLIC_A=1\n");
  track("site/.dev.vars");
  // Nobody answers the question about .gitignore, which is a no.
  const { stdout } = init("--forwarder", "--capture");
  expect(stdout).toContain("as it is  forwarder/.dev.vars\n");
  for (const file of ["forwarder/.dev.vars", ".env.production"]) {
    expect(stdout).toContain(`warning   ${file}: git does not ignore it, so its secrets would go`);
  }
  expect(stdout).toContain("warning   git tracks site/.dev.vars, so its secrets go");
  expect(stdout).not.toContain(".env.test");
});

test.each([
  ["a bare repository", "init", "--bare", "--quiet"],
  ["a repository that GIT_DIR names", "init", "--quiet"],
])("in %s the lines of .gitignore do", (name, ...args) => {
  const isNamed = name.includes("GIT_DIR");
  const store = isNamed ? mkdtempSync(join(home, "store-")) : folder;
  spawnSync("git", args, { cwd: store });
  const env = isNamed ? { GIT_DIR: join(store, ".git"), GIT_WORK_TREE: folder } : {};
  expect(run(env, "--forwarder", "--capture", "--yes")).toMatchObject({ status: 0 });
  expect(has("forwarder/.dev.vars")).toBe(true);
  if (!isNamed) return;
  spawnSync("git", ["add", "--force", "site/.dev.vars"], { cwd: folder, env: { ...process.env, ...env } });
  expect(run(env, "--capture", "--yes").stdout).toContain("warning   git tracks site/.dev.vars");
});
