/** Which secrets `npx cake-edge init` finds in a project's files, and how it adds the ones that are missing. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseEnv } from "node:util";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-init-"));
const NEXT = { dependencies: { next: "16.4.6" } };
const [A, B] = ["a1b2c3d4".repeat(8), "e5f6a7b8".repeat(8)];
let folder = "";
let cli = "";

beforeAll(() => {
  cli = join(install(home), "dist/bin/cake-edge.js");
});
beforeEach(() => {
  folder = mkdtempSync(join(home, "project-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** What the command has said. */
function init(...args: string[]): string {
  const options = { cwd: folder, encoding: "utf8" } as const;
  return spawnSync(process.execPath, [cli, "init", "--no-install", "--yes", ...args], options).stdout;
}
/** Puts a file into the project, as its user would have. */
function put(file: string, text: string | object): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), typeof text === "string" ? text : JSON.stringify(text));
}
const read = (file: string) => readFileSync(join(folder, file), "utf8");
/** The variables, as Node reads them. */
const variables = (file: string) => parseEnv(read(file));

test.each([
  [`CAKE_COOKIE_SECRET=${A}`],
  [`CAKE_COOKIE_SECRET="${A}"`],
  [`CAKE_COOKIE_SECRET='${A}' # the shop's`],
  [`CAKE_COOKIE_SECRET=${A}#the shop's`],
  [`export CAKE_COOKIE_SECRET = "${A}"#`],
  [`CAKE_COOKIE_SECRET: \`${A}\``],
  [`CAKE_COOKIE_SECRETS="${A},${B}"`],
  [`CAKE_COOKIE_SECRETS='${A} ${B}'`],
  [`CAKE_COOKIE_SECRETS="${A}\n${B}" # the newest first`],
  [`CAKE_COOKIE_SECRETS=${A}, ${B} # the newest first`],
  [`CAKE_COOKIE_SECRET=\nexport CAKE_COOKIE_SECRETS="${A}, ${B}"`],
  [`NOTE="\nCAKE_COOKIE_SECRET=${B}\n"\nCAKE_COOKIE_SECRET=${A}`],
  [`#CAKE_COOKIE_SECRET=${B}\nCAKE_COOKIE_SECRET=${B}\nCAKE_COOKIE_SECRET=${A}`],
  [`\uFEFFCAKE_COOKIE_SECRET=${A}\r`],
])("%j is one secret for each file that gets or has it", (line) => {
  for (const [given, missing, dependencies] of [
    [".env.development", ".env.local", NEXT],
    ["forwarder/.dev.vars", "site/.dev.vars", {}],
    ["site/.dev.vars.staging", "site/.dev.vars", {}],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    put("package.json", dependencies);
    put(given, `${line}\n`);
    // The empty line gets the secret, and the next one stays as it is.
    put(missing, `CAKE_COOKIE_SECRET=\nTITLE="My shop"\n`);
    expect(init("--capture")).not.toContain("warning");
    expect(read(missing)).toBe(`CAKE_COOKIE_SECRET=${A}\nTITLE="My shop"\n`);
    expect(read(given)).toBe(`${line}\n`);
    // However it is written, it is no other secret.
    put(missing, `CAKE_COOKIE_SECRET='${A}' # mine\n`);
    expect(init("--capture")).not.toContain("warning");
    put(missing, `CAKE_COOKIE_SECRET="another-secret-of-this-project-0123"\n`);
    expect(init("--capture")).toContain(`warning   CAKE_COOKIE_SECRET differs in `);
  }
});

test.each([
  ["CAKE_COOKIE_SECRET=", ""],
  ["CAKE_COOKIE_SECRET=''", ""],
  [`export CAKE_COOKIE_SECRET = ""`, " # the shop's"],
  ["CAKE_COOKIE_SECRET= ", "# the shop's"],
  [`CAKE_COOKIE_SECRET="  "`, ""],
  [`CAKE_COOKIE_SECRET=${B}\nCAKE_COOKIE_SECRET=`, ""],
])("%j has no value, which it gets, and keeps its comment %j", (line, comment) => {
  put("site/.dev.vars", `A=1\r\n${line}${comment}\r\nTITLE="My\r\nshop"`);
  init("--capture", "--forwarder");
  const { CAKE_COOKIE_SECRET: secret, ...others } = variables("site/.dev.vars");
  expect(secret).toMatch(/^[0-9a-f]{64}$/);
  expect(others["A"]).toBe("1");
  expect(read("site/.dev.vars")).toMatch(/\r\nTITLE="My\r\nshop"$/);
  expect(read("site/.dev.vars").split("\r\n")[1]).toContain(comment);
  expect(variables("forwarder/.dev.vars")["CAKE_COOKIE_SECRET"]).toBe(secret);
  const once = read("site/.dev.vars");
  init("--capture", "--forwarder");
  expect(read("site/.dev.vars")).toBe(once);
});

test("a secret with signs of the file's own is written so that it is read again", () => {
  for (const secret of [`it's "one" of the shop's, #1, 0123456789`, "one#of-the-shop's-secrets-0123456789"]) {
    folder = mkdtempSync(join(home, "project-"));
    put("forwarder/.dev.vars", `CAKE_COOKIE_SECRET=\`${secret}\`\n`);
    init("--capture");
    expect(variables("site/.dev.vars")["CAKE_COOKIE_SECRET"]).toBe(secret);
  }
});

test("a secret that the forwarder would read as several is told", () => {
  put("site/.dev.vars", `CAKE_COOKIE_SECRET="${A} ${B}"\n`);
  expect(init("--capture", "--forwarder")).toContain("warning   CAKE_COOKIE_SECRET has a blank or a comma");
});

test("while secrets change, the capture's is one of the forwarder's", () => {
  put("forwarder/.dev.vars", `CAKE_COOKIE_SECRETS="${A} ${B}"\n`);
  put("site/.dev.vars", `CAKE_COOKIE_SECRET=${B}\n`);
  expect(init("--capture", "--forwarder")).not.toContain("warning");
});
