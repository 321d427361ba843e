/** A mistake of the caller's ends every command with status 2, and the table of statuses is the same in the help and in the docs. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { EXIT_STATUSES } from "../../dist/bin/usage.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const home = mkdtempSync(join(tmpdir(), "cake-edge-exit-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

function run(...args: string[]) {
  const { PATH } = process.env;
  const CAKE_API_KEY = "k3y-ABCDEF-12345678";
  const cli = join(root, "dist/bin/cake-edge.js");
  const options = { cwd: home, encoding: "utf8", env: { PATH, CAKE_API_KEY }, timeout: 30_000 } as const;
  return spawnSync(process.execPath, [cli, ...args], options);
}

/** Every command, as the program itself lists them. */
const [, list = ""] = /there are (.*)\n/.exec(run("zzz").stderr) ?? [];
const names = list.split(", ");

test("there are commands", () => {
  expect(names).toContain("postbacks");
  expect(names).toContain("sandbox");
  expect(names.length).toBeGreaterThan(7);
});

test.each(names)("a usage error of %s is status 2, in one sentence", (name) => {
  for (const args of [["--colour", "red"], ["surplus"], ["--key", "secret-key-of-mine"]]) {
    // The sandbox's key is its own.
    if (name === "sandbox" && args[0] === "--key") args[1] = " ";
    const { status, stderr } = run(name, ...args);
    expect(stderr.trim().split("\n"), `${name} ${args.join(" ")}`).toHaveLength(1);
    expect(stderr).toMatch(/^cake-edge/);
    expect(stderr).not.toContain("secret-key-of-mine");
    expect(status, stderr).toBe(2);
  }
});

test("a file or setting that is wrong is status 2 as well, and so is no command", () => {
  writeFileSync(join(home, "empty.csv"), "");
  for (const args of [
    [],
    ["sandbx"],
    ["sandbox", "--seed", "none.json"],
    ["sandbox", "--port", "http"],
    ["init"],
    ["doctor"],
    ["doctor", "--site", "shop"],
    ["forwarder"],
    ["forwarder", "--config", "none.json"],
    ["report"],
    ["report", "--orders", "none.csv", "--conversions", "none.json"],
    ["clicks"],
    ["conversions", "--from", "2026-01-01"],
    ["clicks", "--from", "2026-02-30", "--to", "2026-03-01", "--csv", "--base-url", "https://a.example"],
    ["postbacks"],
    ["postbacks", "--file", "none.csv"],
    ["postbacks", "--file", "empty.csv"],
    ["corrections"],
    ["corrections", "--file", "none.csv"],
  ]) {
    const { status, stderr } = run(...args);
    expect(status, `${args.join(" ")}: ${stderr}`).toBe(2);
  }
});

test("a manual's host is no account's", () => {
  const june = ["--from", "2026-06-01", "--to", "2026-06-02"];
  for (const args of [
    ["doctor"],
    ["clicks", ...june, "--csv"],
    ["conversions", ...june, "--pages", "pages"],
    ["report", "--orders", "none.csv", "--conversions", "live", ...june, "--save", "pages"],
    ["postbacks", "--file", "none.csv", "--apply"],
    ["corrections", "--file", "none.csv", "--apply"],
  ]) {
    const { status, stderr } = run(...args, "--base-url", "https://yourdomain.cakemarketing.com");
    expect(stderr).toMatch(/^cake-edge( \w+)?: --base-url is a manual's placeholder: give your CAKE domain\n$/);
    expect(status).toBe(2);
  }
});

test("a value that no option takes is a sentence, and no stack", () => {
  writeFileSync(join(home, "pages-2.json"), "{");
  writeFileSync(join(home, "clicks-2026-06-01-2026-06-02.complete.json"), "{");
  const base = ["--base-url", "http://127.0.0.1:1"];
  const june = ["--from", "2026-06-01", "--to", "2026-06-02"];
  for (const args of [
    ...["#reqid#", "undefined", "", "a b"].map((click) => ["doctor", ...base, "--click", click]),
    ["doctor", ...base, "--offer", "-1"],
    ["clicks", ...june, "--pages", ".", ...base],
    ["clicks", ...june, "--pages", "pages-2.json/x", ...base],
    ["clicks", ...june, "--csv", "--base-url", "http://["],
    ["postbacks", "--file", ".", ...base],
    ["corrections", "--file", "pages-2.json", "--settle", "x", ...base],
    ["report", "--orders", "pages-2.json", "--conversions", "pages-2.json", "--tolerance", "many"],
    ["init", "--page", "--framework", "none"],
    ["sandbox", "--history", "never"],
    ["forwarder", "--config", "."],
  ]) {
    const { status, stderr } = run(...args);
    expect(stderr.trim().split("\n"), `${args.join(" ")}: ${stderr}`).toHaveLength(1);
    expect(status, `${args.join(" ")}: ${stderr}`).toBe(2);
  }
});

test("a folder for temporary files that cannot be written is told with the variable that names another", () => {
  for (const args of [
    ["sandbox", "--port", "0"],
    ["doctor", "--browser", "http://127.0.0.1:9", "--chromium", process.execPath],
  ]) {
    const TMPDIR = join(home, "none");
    const options = { cwd: root, encoding: "utf8", env: { ...process.env, TMPDIR }, timeout: 30_000 } as const;
    const { status, stderr } = spawnSync(process.execPath, [join(root, "dist/bin/cake-edge.js"), ...args], options);
    expect(stderr).toBe(
      `cake-edge: the folder for temporary files, ${TMPDIR}, cannot be written (ENOENT): set TMPDIR to another\n`,
    );
    expect(status).toBe(2);
  }
});

test("the help of every command, and docs/commands.md, have the one table", () => {
  const docs = readFileSync(join(root, "docs/commands.md"), "utf8");
  for (const [status, meaning] of EXIT_STATUSES) expect(docs).toContain(`| ${status} | ${meaning} |\n`);
  for (const name of names) {
    expect(docs, name).toMatch(new RegExp(`\`${name}\``));
    const { status, stdout } = run(name, "--help");
    expect(status).toBe(0);
    for (const [code, meaning] of EXIT_STATUSES) expect(stdout, name).toContain(`\n  ${code}  ${meaning}`);
  }
});
