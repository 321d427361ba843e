/** What `npx cake-edge init` finds in a project, and that its files and its commands fit it. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { install } from "./pack.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-init-"));
const modules = fileURLToPath(new URL("../../node_modules", import.meta.url));
let folder = "";
let packed = "";

beforeAll(() => {
  packed = install(home);
});
beforeEach(() => {
  folder = mkdtempSync(join(home, "project-"));
});
afterAll(() => rmSync(home, { recursive: true, force: true }));

/** Runs the command without installing; returns what it has said. */
function init(...args: string[]): string {
  return run(process.env, "--no-install", ...args).stdout;
}
function run(env: NodeJS.ProcessEnv, ...args: string[]) {
  const cli = join(packed, "dist/bin/cake-edge.js");
  return spawnSync(process.execPath, [cli, "init", "--yes", ...args], { cwd: folder, encoding: "utf8", env });
}
/** Puts a file into the project, as its user would have. */
function put(file: string, text: string | object): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), typeof text === "string" ? text : JSON.stringify(text));
}
const read = (file: string) => readFileSync(join(folder, file), "utf8");
const has = (file: string) => existsSync(join(folder, file));

test.each([
  ["catalog:", "15.5.29", "middleware"],
  ["catalog:web", "16.4.6", "proxy"],
  ["workspace:*", "15.0.0", "middleware"],
  ["latest", "15.5.29", "middleware"],
  ["*", "14.2.0", "middleware"],
  [">=14", "16.4.6", "proxy"],
  ["^15 || ^16", "16.4.6", "proxy"],
  ["file:../next", "15.5.29", "middleware"],
  ["canary", "17.0.0-canary.3", "proxy"],
  // What package.json fixes is what the next install brings.
  ["^16.0.0", "15.5.29", "proxy"],
  ["npm:next@15.5.29", undefined, "middleware"],
  ["15.x", undefined, "middleware"],
])("Next declared as %j and installed as %s gets %s", (declared, installed, name) => {
  // In the folder itself, and in the root of a workspace.
  for (const [at, dir] of [
    ["node_modules", "."],
    ["node_modules", "apps/web"],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    put(join(dir, "package.json"), { dependencies: { next: declared } });
    if (installed !== undefined) put(join(at, "next/package.json"), { name: "next", version: installed });
    expect(init("--capture", "--dir", dir)).not.toContain("warning");
    expect([has(join(dir, "proxy.js")), has(join(dir, "middleware.js"))]).toEqual([
      name === "proxy",
      name === "middleware",
    ]);
  }
});

test("a wrangler that is too old is told, by what is installed", () => {
  put("package.json", { devDependencies: { wrangler: "catalog:" } });
  for (const [version, isOld] of [
    ["3.114.0", true],
    ["4.151.0", false],
  ] as const) {
    put("node_modules/wrangler/package.json", { name: "wrangler", version });
    for (const part of ["--forwarder", "--capture"]) {
      expect(init(part).includes("warning   the project has wrangler 3"), version).toBe(isOld);
    }
  }
});

test.each([
  [
    "next",
    "next.config.mjs",
    `export default { pageExtensions: ["page.jsx", "page.js"] }`,
    "Next reads no file that ends with .js",
  ],
  [
    "next",
    "next.config.js",
    `module.exports = { pageExtensions: ["tsx", "ts"] }`,
    "Next reads no file that ends with .js",
  ],
  ["next", "next.config.ts", `export default { output: "export" } satisfies NextConfig`, "Next exports a static site"],
  ["next", "next.config.js", `module.exports = { pageExtensions: ["mdx", "js"], output: "standalone" }`, undefined],
  ["next", "next.config.js", `module.exports = { // output: "export"\n }`, undefined],
  [
    "@sveltejs/kit",
    "svelte.config.js",
    `import adapter from "@sveltejs/adapter-static";`,
    "SvelteKit builds a static site",
  ],
  ["@sveltejs/kit", "src/routes/+layout.js", "export const prerender = true;", "SvelteKit prerenders pages"],
  ["@sveltejs/kit", "src/routes/+layout.js", "export const prerender = false;", undefined],
])("%s with %s %s: a capture that never runs is told", (name, file, text, warning) => {
  put("package.json", { dependencies: { [name]: "^16.0.0" } });
  put(file, text);
  const said = init("--capture");
  if (warning === undefined) expect(said).not.toContain("warning");
  else expect(said).toContain(`warning   ${warning}`);
});

test("where nothing tells Next's version, the command says which one it takes", () => {
  put("package.json", { dependencies: { next: "catalog:" } });
  expect(init("--capture")).toContain("warning   Next's version is not known here");
});

test.each([
  [undefined, "npx", "npm run"],
  ["package-lock.json", "npx", "npm run"],
  ["pnpm-lock.yaml", "pnpm exec", "pnpm run"],
  ["yarn.lock", "yarn", "yarn run"],
  ["bun.lock", "bunx", "bun run"],
])("with %s each step names its configuration, and runs by %s", (lock, exec, runs) => {
  put("wrangler.toml", `name = "my"\n`);
  put("package.json", { type: "module", devDependencies: { vitest: "5.0.0" }, scripts: { test: "vitest" } });
  if (lock !== undefined) put(lock, "");
  const said = init("--forwarder", "--capture", "--page", "--sandbox");
  const steps = said.slice(said.indexOf("Next:"));
  const manager = runs.split(" ")[0];
  for (const line of [
    `  ${manager} install`,
    `  ${runs} forwarder`,
    `  ${exec} wrangler secret put CAKE_API_KEY --config forwarder/wrangler.jsonc`,
    "CAKE_OPERATOR_SECRET, CAKE_SIGNING_SECRETS, CAKE_COOKIE_SECRET",
    `  ${runs} forwarder:deploy`,
    `  ${exec} wrangler secret put CAKE_COOKIE_SECRET --config site/wrangler.jsonc`,
    `  ${exec} wrangler deploy --config site/wrangler.jsonc`,
    `  ${exec} vitest run test/cake-edge.test.mjs`,
  ])
    expect(steps).toContain(`${line}\n`);
  // The project may have a Worker of its own, which each command would take without it.
  for (const [command] of steps.matchAll(/\bwrangler (secret|dev|deploy).*/g)) expect(command).toContain(" --config ");
  for (const config of ["forwarder", "site"]) {
    for (const [line] of read(`${config}/wrangler.jsonc`).matchAll(/.*wrangler secret put.*/g))
      expect(line).toContain(`\`${exec} wrangler secret put`);
  }
});

test("scripts of the project's own are told, and no step runs them", () => {
  put("package.json", { scripts: { forwarder: "echo mine", "forwarder:deploy": "echo mine, too", test: "jest" } });
  const said = init("--forwarder", "--sandbox");
  expect(said).toMatch(/^left {6}package\.json has scripts of these names/m);
  expect(said).toContain(`  | "forwarder": "wrangler dev --config forwarder/wrangler.dev.jsonc"\n`);
  expect(said).toContain(`  | "forwarder:deploy": "wrangler deploy --config forwarder/wrangler.jsonc"\n`);
  expect(said).not.toContain("npm run");
  expect(said).toContain("  npx wrangler dev --config forwarder/wrangler.dev.jsonc\n");
  expect(said).toContain("  npx wrangler deploy --config forwarder/wrangler.jsonc\n");

  // With an option more it is still the forwarder's.
  put("package.json", { scripts: { forwarder: "wrangler dev --config forwarder/wrangler.dev.jsonc --port 9000" } });
  expect(init("--forwarder")).toMatch(/^(?![\s\S]*has scripts of these names)[\s\S]* {2}npm run forwarder\n/);
});

test("scripts and configurations name the files that stand under another ending", () => {
  put("package.json", {});
  put("forwarder/worker.ts", `import "cake-edge";`);
  put("forwarder/wrangler.dev.json", `{ "name": "cake-edge" }`);
  put("site/worker.ts", `import "cake-edge";`);
  const said = init("--forwarder", "--capture");
  expect(read("forwarder/wrangler.jsonc")).toContain(`"main": "worker.ts"`);
  expect(read("site/wrangler.jsonc")).toContain(`"main": "worker.ts"`);
  expect(JSON.parse(read("package.json")).scripts).toEqual({
    forwarder: "wrangler dev --config forwarder/wrangler.dev.json",
    "forwarder:deploy": "wrangler deploy --config forwarder/wrangler.jsonc",
  });
  expect(said).toContain("  npm run forwarder\n");
});

test("steps for another folder say which", () => {
  put("apps/web/package.json", {});
  expect(init("--sandbox", "--dir", "apps/web")).toContain("Next, in apps/web:\n");
});

test.each([
  [{ next: "15.5.0" }, ".env.development.local", ".env.local"],
  [{ next: "15.5.0" }, ".env.development", ".env.local"],
  [{ next: "15.5.0" }, ".env.production", ".env.local"],
  [{ next: "15.5.0" }, ".env.production.local", ".env.local"],
  [{ "@sveltejs/kit": "3.2.0" }, ".env.local", ".env"],
  [{ "@sveltejs/kit": "3.2.0" }, ".env.development", ".env"],
  [{}, ".dev.vars", "site/.dev.vars"],
  [{}, ".dev.vars.staging", "site/.dev.vars"],
  [{}, "forwarder/.env", "site/.dev.vars"],
  [{ vite: "8.3.8" }, ".env.local", "site/.dev.vars"],
])("with %o the secret in %s is the project's", (dependencies, file, other) => {
  put("package.json", { dependencies });
  const mine = "CAKE_COOKIE_SECRET=mine-and-it-has-32-characters-or-more\n";
  put(file, mine);
  put(".env.example", "CAKE_COOKIE_SECRET=an-example\n");
  expect(init("--forwarder", "--capture")).not.toContain("warning");
  expect(read(other)).toBe(mine);
  expect(read("forwarder/.dev.vars")).toContain(`\n${mine}`);
  put(other, "CAKE_COOKIE_SECRET=another\n");
  expect(init("--capture")).toMatch(/^warning {3}CAKE_COOKIE_SECRET differs in /m);
  expect(init("--capture")).toContain(file);
});

test.each(["short", "'short'", "changeme", "undefined", "your-cookie-secret-of-32-characters-or-more"])(
  "a standing secret that the library refuses is told, and not shown: %s",
  (secret) => {
    put(".dev.vars", `CAKE_COOKIE_SECRET=${secret}\n`);
    const said = init("--forwarder", "--capture");
    expect(said).toMatch(/^warning {3}CAKE_COOKIE_SECRET .* \(in \.dev\.vars\)$/m);
    if (secret.includes("-")) expect(said).not.toContain(secret);
  },
);

/** The compiler options of Vite's, Next's and SvelteKit's templates. */
const STRICT = {
  target: "ES2023",
  module: "ESNext",
  moduleResolution: "bundler",
  lib: ["ES2023", "DOM", "DOM.Iterable"],
  types: [],
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  verbatimModuleSyntax: true,
  moduleDetection: "force",
  jsx: "preserve",
};

test.each([
  [
    { vite: "8.3.8" },
    {},
    "src/cake-edge.ts",
    `import { tracker } from "./cake-edge.js"; void tracker.convert({ offerId: 1, orderId: "A" });`,
  ],
  [{ vite: "8.3.8" }, { allowJs: true, checkJs: true, types: ["node"] }, "src/cake-edge.ts", ""],
  [{ "@sveltejs/kit": "3.2.0" }, { allowJs: true, checkJs: true, types: ["node"] }, "src/lib/cake-edge.ts", ""],
  [{ next: "16.4.6" }, { allowJs: true, types: ["node"] }, "components/cake-edge.tsx", ""],
  [{ next: "16.4.6" }, { allowJs: true, checkJs: true, types: ["node"] }, "proxy.ts", ""],
  [{ next: "15.5.0" }, { types: ["node"] }, "middleware.ts", ""],
])("with %o and %o each file passes TypeScript", (dependencies, options, file, use) => {
  put("package.json", { type: "module", dependencies });
  put("tsconfig.json", { compilerOptions: { ...STRICT, ...options }, include: ["**/*"], exclude: ["node_modules"] });
  put("node_modules/next/server.d.ts", "export declare const NextResponse: { next(): Response };");
  put("node_modules/react/index.d.ts", "export declare function useEffect(run: () => void, deps: unknown[]): void;");
  put(
    "node_modules/@sveltejs/kit/index.d.ts",
    "export type RequestEvent = { request: Request; platform?: Readonly<{}> };",
  );
  symlinkSync(packed, join(folder, "node_modules/cake-edge"));
  symlinkSync(join(modules, "@types"), join(folder, "node_modules/@types"));
  init("--page", "--capture", "--forwarder", "--sandbox");
  expect(has(file)).toBe(true);
  if (use !== "") put("src/main.ts", use);
  const { stdout } = spawnSync(join(modules, ".bin/tsc"), ["-p", folder], { encoding: "utf8" });
  expect(stdout).toBe("");
});

test("a Worker that the project has is told what it lacks, and no second one is written", () => {
  for (const [files, told, lines] of [
    [
      { "wrangler.toml": `name = "my"\nmain = "src/index.ts"\n`, "src/index.ts": "" },
      "src/index.ts",
      "withClickCapture",
    ],
    [{ "wrangler.jsonc": `{ "main": "./w.js" }`, "w.js": "", "vite.config.js": "" }, "w.js", "withClickCapture"],
    [{ "functions/_middleware.ts": "" }, "functions/_middleware.ts", "pagesClickCapture"],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    put("package.json", { dependencies: "vite.config.js" in files ? { vite: "8.3.8" } : {} });
    for (const [file, text] of Object.entries(files)) put(file, text);
    const said = init("--capture");
    expect(said).toContain(`left      ${told} is yours: add what it lacks\n`);
    expect(said).toMatch(new RegExp(`^ {2}\\| .*${lines}`, "m"));
    expect([has("site"), has(".dev.vars")]).toEqual([false, true]);
    expect(said).not.toContain("site/");
  }
  folder = mkdtempSync(join(home, "project-"));
  put("wrangler.toml", `name = "my"\npages_build_output_dir = "dist"\n`);
  init("--capture");
  expect(read("functions/_middleware.js")).toContain("pagesClickCapture");
  folder = mkdtempSync(join(home, "project-"));
  put("wrangler.json", `{ "name": "my", "assets": { "directory": "public" } }`);
  expect(init("--capture")).toContain("warning   wrangler.json has a Worker of its own");
});

test.each([
  ["wrangler.jsonc", `{\n  // "main": "old.js"\n  "main": "a.js"\n}`, "a.js"],
  ["wrangler.json", `{ /* "main": "old.js", */ "vars": { "main": "old.js" }, "main": "a.js", }`, "a.js"],
  ["wrangler.jsonc", `\uFEFF{ "name": "x // \\" , }", // , }\r\n "main": "./a.js", "rules": [{ "a": 1, },], }`, "a.js"],
  ["wrangler.jsonc", `{ // "pages_build_output_dir": "dist"\n "main": "a.js" }`, "a.js"],
  ["wrangler.jsonc", `{ "vars": { "pages_build_output_dir": "dist" }, "main": "a.js" }`, "a.js"],
  ["wrangler.json", `{ "env": { "production": { "main": "a.js" } } }`, "a.js"],
  ["wrangler.toml", `# main = "old.js"\n'main' = 'a.js' # main = "old.js"\n`, "a.js"],
  ["wrangler.toml", `\uFEFFname = "x # y"\r\n"main" = "a.js"\r\n[vars]\r\nmain = "old.js"\r\n`, "a.js"],
  ["wrangler.toml", `x = """\nmain = "old.js"\n[vars]\n"""\ny = [\n  ["a"],\n]\nmain = "a.js"\n`, "a.js"],
  ["wrangler.toml", `# pages_build_output_dir = "dist"\nmain = "a.js"\n`, "a.js"],
  ["wrangler.toml", `[[rules]]\nmain = "old.js"\n[env.production]\nmain = "a.js"\n`, "a.js"],
  ["wrangler.toml", `env.production.main = "a.js"\n`, "a.js"],
  ["wrangler.toml", `env = { test = { vars = {} }, "production" = { main = 'a.js', routes = [] } }\n`, "a.js"],
  ["wrangler.toml", `main = """\na\\\n  .js"""\n`, "a.js"],
  ["wrangler.toml", `main = '''a.js'''\r\n`, "a.js"],
  ["wrangler.toml", `main = "\\u0061.js"\n`, "a.js"],
  ["wrangler.toml", `main = ".\\\\a.js"\n`, "a.js"],
  ["wrangler.json", `{ "main": "src\\\\..\\\\a.js" }`, "a.js"],
  [
    "wrangler.toml",
    `date = 1979-05-27 07:32:00Z # a date\nx = [1, -2.5e3, true, { a.b = """x"y""" },]\n[[a.b]]\nmain = "old.js"\n[a.b.c]\n[env."p q"]\nmain="a.js"`,
    "a.js",
  ],
  // A build makes it later, or wrangler finds it under another name.
  ["wrangler.toml", `main = "dist/index.js"\n`, "dist/index.js"],
  ["wrangler.jsonc", `{ "main": "src/index" }`, "src/index"],
  // Without a Worker's file there is another Worker.
  ["wrangler.toml", `name = "x"\n[vars]\nmain = "a.js"\n`, undefined],
  ["wrangler.jsonc", `{ "assets": { "directory": "public" }, "vars": { "main": "a.js" } }`, undefined],
  ["wrangler.jsonc", `{ "main": "a.js"`, undefined],
  ["wrangler.toml", `main = "a.js\n`, undefined],
  ["wrangler.toml", `main = "a.js" "b.js"\n`, undefined],
  ["wrangler.toml", `[vars\nmain = "a.js"\n`, undefined],
  ["wrangler.toml", `<<<<<<< HEAD\nmain = "a.js"\n`, undefined],
])("%s %j: its Worker is %s", (config, text, worker) => {
  put("package.json", {});
  put("a.js", "");
  put("old.js", "");
  put(config, text);
  const said = init("--capture");
  if (worker === undefined) {
    expect(said).toMatch(new RegExp(`^warning {3}${config} (has a Worker of its own|cannot be read)`, "m"));
    expect(has("site/worker.js")).toBe(true);
  } else {
    const isThere = worker === "a.js";
    expect(said).toContain(
      isThere ? `left      ${worker} is yours` : `warning   ${config} has the Worker ${worker}, which is not there`,
    );
    expect(said).toMatch(/^ {2}\| export default .*withClickCapture/m);
    expect(said).toContain(`\n  ${worker}\n    wrap its fetch handler in withClickCapture\n`);
    expect([has("site"), has("functions"), has(worker), has(".dev.vars")]).toEqual([false, false, isThere, true]);
  }
});

test("of several configurations it is the one that wrangler takes", () => {
  put("wrangler.jsonc", { main: "old.js" });
  put("wrangler.json", { main: "a.js" });
  put("wrangler.toml", `main = "old.js"`);
  for (const file of ["a.js", "old.js"]) put(file, "");
  expect(init("--capture")).toContain("left      a.js is yours");
});

test.each([
  ["wrangler.jsonc", `{ "assets": { "directory": "./" }, "main": "a.js" }`, ".dev.vars"],
  ["wrangler.jsonc", `{ "assets": { "directory": "." }, "main": "a.js" }`, "forwarder/.dev.vars"],
  ["wrangler.toml", `main = "a.js"\n[assets]\ndirectory = "./"\n`, ".dev.vars"],
  ["wrangler.toml", `main = "a.js"\n[env.production]\nassets = { directory = "../" }\n`, ".dev.vars"],
  ["wrangler.toml", `pages_build_output_dir = "./"\n`, ".dev.vars"],
  ["site/wrangler.json", `{ "assets": { "directory": "./" } }`, "site/.dev.vars"],
])("%s %j: no secret is written where a deploy would publish it", (config, text, file) => {
  put(config, text);
  const { status, stdout } = run(process.env, "--no-install", "--capture", "--forwarder");
  expect(stdout).toContain(`left      ${file}: ${config} serves the folder that it is in, so a deploy would publish`);
  expect([status, has(file)]).toEqual([1, false]);
  // One that has its secret is told.
  put(file, "CAKE_COOKIE_SECRET=0123456789abcdefghijklmnopqrstuv\n");
  expect(init("--capture")).toContain(`warning   ${file}: ${config} serves the folder that it is in`);
  // Workers leave out what .assetsignore names, Pages does not read it.
  const isPages = text.includes("pages");
  for (const at of ["", "site/", "../"]) put(`${at}.assetsignore`, ".dev.vars\n");
  expect(init("--capture").includes("would publish")).toBe(isPages);
  rmSync(join(folder, "../.assetsignore"));
});

test.each([
  ["wrangler.jsonc", `{ "assets": { "directory": "./public" }, "main": "a.js" }`],
  ["wrangler.toml", `main = "a.js"\nassets.directory = "site"\n`],
  ["wrangler.toml", `pages_build_output_dir = "dist"\n`],
])("%s %j: a folder beside the secrets may be served", (config, text) => {
  put(config, text);
  const { status, stdout } = run(process.env, "--no-install", "--capture", "--forwarder");
  expect([status, stdout.includes("would publish")]).toEqual([0, false]);
});

test("frameworks with a server of their own are told so under each of their names", () => {
  for (const name of ["@builder.io/qwik-city", "@qwik.dev/router"]) {
    put("package.json", { devDependencies: { [name]: "2.0.0", vite: "8.3.8" } });
    expect(run(process.env, "--no-install", "--capture").stderr).toContain("--capture knows no Qwik");
  }
});

test.each([
  ["pnpm-lock.yaml", "pnpm", "install --no-frozen-lockfile --config.strict-dep-builds=false"],
  ["yarn.lock", "yarn", "install immutable=false"],
])("with %s a changed package.json is installed in CI, too", (lock, manager, asked) => {
  put("package.json", {});
  put(lock, "");
  put(`bin/${manager}`, `#!/bin/sh\necho "asked $* immutable=$YARN_ENABLE_IMMUTABLE_INSTALLS"\n`);
  chmodSync(join(folder, `bin/${manager}`), 0o755);
  const { stdout } = run(
    { ...process.env, CI: "true", PATH: `${join(folder, "bin")}:${process.env["PATH"]}` },
    "--sandbox",
  );
  expect(stdout).toContain(`asked ${asked}`);
  expect(stdout).toContain("Next:");
});

test("lines are added with the line ends of the file", () => {
  put(".gitignore", "dist\r\n");
  put("forwarder/.dev.vars", "CAKE_API_KEY=mine\r\nOTHER=x");
  init("--forwarder");
  for (const file of [".gitignore", "forwarder/.dev.vars"])
    expect(read(file).replaceAll("\r\n", "")).not.toContain("\n");
});
