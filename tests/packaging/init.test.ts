/** `npx cake-edge init`, from the packed tarball: the files that it writes, and the files that it leaves unchanged. */
import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
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
/** Puts a file into the project, as its user would have. */
function put(file: string, text: string): void {
  mkdirSync(join(folder, file, ".."), { recursive: true });
  writeFileSync(join(folder, file), text);
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
    /^CAKE_API_KEY=[0-9a-f]{64}\nCAKE_OPERATOR_SECRET=[0-9a-f]{64}\nCAKE_SIGNING_SECRETS=whsec_\S{44}\nCAKE_COOKIE_SECRET=[0-9a-f]{64}\n$/,
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
  [{ next: "16.4.6" }, [], ["proxy.js", "components/cake-edge.jsx", ".env.local"]],
  [{ next: "^15.0.0" }, ["app/page.jsx"], ["middleware.js", "components/cake-edge.jsx"]],
  // Next reads nothing above a `src` that holds its pages, and a second `app` would hide them.
  [{ next: "16.4.6" }, ["src/app/page.tsx"], ["src/proxy.js", "src/components/cake-edge.jsx"]],
  [{ next: "^15.0.0" }, ["src/pages/index.jsx"], ["src/middleware.js", "src/components/cake-edge.jsx"]],
  [{ "@sveltejs/kit": "3.2.0", vite: "8.3.8" }, [], ["src/hooks.server.js", "src/lib/cake-edge.js", ".env"]],
  [{ vite: "8.3.8" }, [], ["src/cake-edge.js", "site/worker.js"]],
  [{}, [], ["public/landing.html", "site/worker.js"]],
])("a project with %o and %o gets its framework's files", (devDependencies, standing, files) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", devDependencies }));
  for (const file of standing) put(file, "export default () => null;\n");
  expect(init("--page", "--capture", "--yes").status).toBe(0);
  for (const file of files) expect(existsSync(join(folder, file)), file).toBe(true);
  for (const folderOf of ["app", "pages"]) {
    const isStanding = standing.some((file) => file.startsWith(folderOf));
    expect(existsSync(join(folder, folderOf)), folderOf).toBe(isStanding);
  }
});

test.each([
  ["@sveltejs/kit", "3.2.0", "src/hooks.server.ts"],
  ["@sveltejs/kit", "2.20.0", "src/hooks.server/index.ts"],
  ["@sveltejs/kit", "3.2.0", "src/hooks.server.js"],
  ["next", "16.4.6", "proxy.ts"],
  ["next", "16.4.6", "middleware.js"],
  ["next", "^15.0.0", "middleware.ts"],
  ["next", "16.4.6", "middleware.ts"],
  ["next", "latest", "middleware.js"],
  ["next", "latest", "proxy.js"],
  ["next", "16.4.6", "src/proxy.ts"],
  ["next", "17.0.0", "src/middleware.ts"],
  ["next", "15.5.0", "src/middleware.js"],
])("beside %s %s, the user's own %s stays the only one, and its new lines are told", (name, version, own) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { [name]: version } }));
  if (own.startsWith("src/") && name === "next") put("src/app/page.tsx", "");
  put(own, "// the shop's sign-in\n");
  const { status, stdout } = init("--capture", "--yes");
  expect(status).toBe(0);
  expect(stdout).toContain(`left      ${own} is yours`);
  expect(stdout).toMatch(/^ {2}\| .*withClickCapture/m);
  // Next calls the export of the file's own name.
  const [, named] = /(proxy|middleware)\.\w+$/.exec(own) ?? [];
  if (named !== undefined) expect(stdout).toContain(`export const ${named} = withClickCapture`);
  expect(read(own)).toBe("// the shop's sign-in\n");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const said = files.filter((file) => /(proxy|middleware|hooks\.server(\/index)?)\.\w+$/.test(file));
  expect(said).toEqual([own]);
});

test.each(["proxy.js", "proxy.ts", "src/proxy.ts"])("before Next 16, a %s is any file of the project's", (other) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: { next: "15.5.29" } }));
  if (other.startsWith("src/")) put("src/app/page.jsx", "");
  put(other, "// no file of Next's\n");
  const { status, stdout } = init("--capture", "--yes");
  expect([status, stdout.includes(other)]).toEqual([0, false]);
  const written = other.replace(/proxy\.\w+$/, "middleware.js");
  expect(read(written)).toContain("export const middleware = withClickCapture");
  expect(read(other)).toBe("// no file of Next's\n");
});

test.each([
  [{ vite: "8.3.8" }, "--page", "src/cake-edge.ts", "src/cake-edge.js"],
  [{ "@sveltejs/kit": "3.2.0" }, "--page", "src/lib/cake-edge.ts", "src/lib/cake-edge.js"],
  [{ next: "16.4.6" }, "--page", "components/cake-edge.tsx", "components/cake-edge.jsx"],
  [{}, "--forwarder", "forwarder/worker.ts", "forwarder/worker.js"],
  [{}, "--forwarder", "forwarder/dev.mts", "forwarder/dev.js"],
  [{}, "--forwarder", "forwarder/wrangler.toml", "forwarder/wrangler.jsonc"],
  [{}, "--forwarder", "forwarder/wrangler.dev.json", "forwarder/wrangler.dev.jsonc"],
  [{}, "--capture", "site/worker.ts", "site/worker.js"],
  [{}, "--capture", "site/wrangler.json", "site/wrangler.jsonc"],
  [{}, "--sandbox", "test/cake-edge.test.ts", "test/cake-edge.test.mjs"],
] as const)("with %o %s puts nothing beside %s", (dependencies, part, own, ours) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
  for (const [text, said] of [
    ["// mine", `left      ${own} is yours`],
    [`import "cake-edge";`, `as it is  ${own}`],
  ] as const) {
    put(own, text);
    expect(init(part, "--yes").stdout).toContain(said);
    expect([read(own), existsSync(join(folder, ours))]).toEqual([text, false]);
  }
});

test("a second run calls no file of the command the user's", () => {
  init("--forwarder", "--capture", "--page", "--sandbox");
  expect(init("--forwarder", "--capture", "--page", "--sandbox").stdout).not.toContain("is yours");
});

test.each([
  "export CAKE_COOKIE_SECRET=mine",
  "CAKE_COOKIE_SECRET = mine",
  "  CAKE_COOKIE_SECRET=mine",
  "CAKE_COOKIE_SECRET: mine",
  "CAKE_COOKIE_SECRET=\nCAKE_COOKIE_SECRET=mine # of the shop",
])("a secret written as %j stands, and the others get it", (line) => {
  for (const [file, other, dependencies] of [
    ["forwarder/.dev.vars", "site/.dev.vars", {}],
    ["site/.dev.vars", "forwarder/.dev.vars", {}],
    [".env", "forwarder/.dev.vars", { "@sveltejs/kit": "3.2.0" }],
    [".env", "forwarder/.dev.vars", { next: "16.4.6" }],
    [".env.local", "forwarder/.dev.vars", { next: "16.4.6" }],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
    put(file, `${line}\n`);
    expect(init("--forwarder", "--capture", "--yes").status).toBe(0);
    const count = (text: string) => text.match(/CAKE_COOKIE_SECRET/g)?.length;
    expect(count(read(file)), file).toBe(count(line));
    expect(read(other)).toMatch(/^CAKE_COOKIE_SECRET=mine/m);
    if (file === ".env") expect(existsSync(join(folder, ".env.local"))).toBe(false);
  }
});

test("a line without its value gets the secret; several of a forwarder, or two that differ, are known", () => {
  put("site/.dev.vars", "A=1\nCAKE_COOKIE_SECRET=\nB=2\n");
  init("--forwarder", "--capture", "--yes");
  const [, secret] = /^A=1\nCAKE_COOKIE_SECRET=([0-9a-f]{64})\nB=2\n$/.exec(read("site/.dev.vars")) ?? [];
  expect(read("forwarder/.dev.vars")).toContain(`\nCAKE_COOKIE_SECRET=${secret}\n`);
  put("forwarder/.dev.vars", "CAKE_COOKIE_SECRETS=new old\n");
  put("site/.dev.vars", "");
  init("--forwarder", "--capture", "--yes");
  expect(read("forwarder/.dev.vars")).not.toContain("CAKE_COOKIE_SECRET=");
  expect(read("site/.dev.vars")).toBe("CAKE_COOKIE_SECRET=new\n");
  put("site/.dev.vars", "CAKE_COOKIE_SECRET=other\n");
  expect(init("--capture", "--yes").stdout).toContain(
    "warning   CAKE_COOKIE_SECRET differs in forwarder/.dev.vars, site/.dev.vars",
  );
});

test.each([
  [{ vitest: "5.0.0" }, "test/cake-edge.test.mjs", "vitest", "vitest run"],
  [{ jest: "30.5.2" }, "test/cake-edge.mjs", "node:test", "node --test"],
  [{}, "test/cake-edge.test.mjs", "node:test", "node --test"],
])("the sandbox's test is for the runner of %o", (devDependencies, file, runner, command) => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", devDependencies }));
  init("--sandbox", "--yes");
  expect(read(file)).toContain(`from "${runner}"`);
  expect(manifest().scripts.test).toBe(command);
});

test.each(["proxy", "middleware"])("Next's %s sees every page, and none of the files", (name) => {
  const next = name === "proxy" ? "16.4.6" : "15.5.0";
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { next } }));
  init("--capture", "--yes");
  const [, matcher = ""] = /matcher: "([^"]+)"/.exec(read(`${name}.js`)) ?? [];
  const example = readFileSync("examples/next/proxy.ts", "utf8").replace(/matcher:\s+/, "matcher: ");
  for (const source of [matcher, /matcher: "([^"]+)"/.exec(example)?.[1] ?? ""]) {
    // As Next does: a group is a regular expression of the path, and the whole path must fit.
    const pattern = new RegExp(`^${JSON.parse(`"${source}"`)}$`);
    for (const page of ["/", "/shop", "/apiary", "/api-course", "/cakes", "/_nextlevel", "/v2.0", "/a.b/c", "/x.html"])
      expect([page, pattern.test(page)]).toEqual([page, true]);
    for (const file of ["/_next/static/a.js", "/cake/conversions", "/favicon.ico", "/img/a.b.jpeg", "/f.woff2"])
      expect([file, pattern.test(file)]).toEqual([file, false]);
  }
});

test("the forwarder reads every variable that its documentation names", () => {
  init("--forwarder", "--yes");
  const documented = readFileSync("docs/forwarder.md", "utf8").split("## Routes")[0] ?? "";
  const names = [...new Set(documented.match(/\bCAKE_[A-Z_]+/g))];
  expect(names).toContain("CAKE_TIME_ZONE");
  for (const name of names) expect(read("forwarder/worker.js"), name).toMatch(new RegExp(`env\\.${name}\\b`));
});

test.each([
  [["--forwarder", "--capture"], {}, ["forwarder/.dev.vars", "site/.dev.vars"]],
  [["--forwarder", "--capture"], { next: "16.4.6" }, ["forwarder/.dev.vars", ".env.local"]],
  [["--forwarder", "--capture"], { "@sveltejs/kit": "3.2.0" }, ["forwarder/.dev.vars", ".env"]],
] as const)(
  "%o with %o: the site signs with the secret that the forwarder reads, in either order",
  (args, dependencies, files) => {
    for (const order of [args, [...args].reverse()]) {
      folder = mkdtempSync(join(home, "project-"));
      writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
      for (const part of order) expect(init(part, "--yes").status).toBe(0);
      const secrets = files.map((file) => /^CAKE_COOKIE_SECRET=([0-9a-f]{64})$/m.exec(read(file))?.[1]);
      expect(secrets[0]).toBeDefined();
      expect(secrets[1]).toBe(secrets[0]);
    }
  },
);

test("SvelteKit's hook answers whatever goes wrong in it, and no cache shares an answer with a cookie", async () => {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ dependencies: { "@sveltejs/kit": "3.2.0" } }));
  init("--capture", "--yes");
  rmSync(join(folder, ".env"));
  const script = `
    import { handle } from "./src/hooks.server.js";
    const request = new Request("http://localhost/?reqid=13b9ae60-4f60-4c9e-bf75-626dca035acf", { headers: { accept: "text/html" } });
    const page = () => new Response("page", { headers: { "cache-control": "public, s-maxage=600" } });
    for (const platform of [undefined, { env: { CAKE_COOKIE_SECRET: "0123456789".repeat(4) } }])
      for (const resolve of [page, () => Response.redirect("http://localhost/x")]) {
        const { status, headers } = await handle({ event: { request, platform }, resolve });
        console.log(status, headers.get("cache-control"), headers.has("set-cookie"));
      }`;
  writeFileSync(join(folder, "run.mjs"), script);
  mkdirSync(join(folder, "node_modules"));
  symlinkSync(join(cli, "../../.."), join(folder, "node_modules/cake-edge"));
  const { CAKE_COOKIE_SECRET: _, ...env } = process.env;
  const { stdout, stderr } = spawnSync(process.execPath, ["run.mjs"], { cwd: folder, encoding: "utf8", env });
  expect(stdout).toBe(
    "200 public, s-maxage=600 false\n302 null false\n200 private, no-store true\n302 private, no-store true\n",
  );
  expect(stderr).toContain("the click was not captured: CakeError: secret must be at least 32 bytes");
});

test.each([
  ["pnpm-lock.yaml", "", "pnpm"],
  ["yarn.lock", "", "yarn"],
  ["bun.lock", "", "bun"],
  ["package-lock.json", "", "npm"],
  [undefined, "pnpm@12.21.0", "pnpm"],
  [undefined, { name: "yarn" }, "yarn"],
  [undefined, [{ name: "pnpm", version: "12" }], "pnpm"],
  [undefined, "", "npm"],
])("a project with %s and the package manager %j is told of %s", (lock, named, manager) => {
  const field = typeof named === "string" ? { packageManager: named } : { devEngines: { packageManager: named } };
  writeFileSync(join(folder, "package.json"), JSON.stringify({ workspaces: ["apps/*"], ...field }));
  if (lock) put(lock, "");
  // Where this folder is one of a workspace's, too.
  for (const dir of [".", "apps/web"]) {
    mkdirSync(join(folder, dir), { recursive: true });
    put(`bin/${manager}`, `#!/bin/sh\necho "${manager} was called with $1"; exit 7\n`);
    chmodSync(join(folder, `bin/${manager}`), 0o755);
    const { stdout, stderr } = spawnSync(process.execPath, [cli, "init", "--forwarder", "--yes", "--dir", dir], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, PATH: `${join(folder, "bin")}:${process.env["PATH"]}` },
    });
    expect(stdout).toContain(`${manager} was called with install`);
    expect(stderr).toContain(`${manager} install ended with exit code 7`);
  }
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
  for (const [json, words] of [
    ["{", /package\.json is not JSON/],
    ["[]", /package\.json is no object/],
    ["null", /package\.json is no object/],
    [`{ "dependencies": { "nuxt": "^4.0.0" } }`, /Nuxt, which has a starter of its own: \S+docs\/nuxt\.md/],
    [`{ "devDependencies": { "astro": "^6.0.0" } }`, /Astro, which has a starter/],
    [`{ "dependencies": { "hono": "^4.0.0" } }`, /Hono, which has a starter/],
  ] as const) {
    writeFileSync(join(folder, "package.json"), json);
    expect(init("--page", "--yes").stderr).toMatch(words);
    expect(readdirSync(folder)).toEqual(["package.json"]);
  }
  writeFileSync(
    join(folder, "package.json"),
    `{ "devDependencies": { "@remix-run/dev": "^2.0.0", "vite": "^8.0.0" } }`,
  );
  expect(init("--capture", "--yes").stderr).toMatch(/--capture knows no Remix/);
  // Who names a framework is believed.
  expect(init("--page", "--framework", "vite", "--yes").status).toBe(0);
});

test("package.json keeps its indentation, its line ends and its byte order mark", () => {
  for (const [before, start] of [
    [`{\n\t"name": "x"\n}\n`, `{\n\t"name": "x",\n\t"dependencies": {\n\t\t"cake-edge"`],
    [`{\r\n    "name": "x"\r\n}\r\n`, `{\r\n    "name": "x",\r\n    "dependencies": {\r\n        "cake-edge"`],
    [`\uFEFF{"name":"x"}`, `\uFEFF{\n  "name": "x",`],
  ] as const) {
    writeFileSync(join(folder, "package.json"), before);
    expect(init("--forwarder", "--yes").status).toBe(0);
    expect(read("package.json").slice(0, start.length)).toBe(start);
  }
});

test("what cannot be written is told in one sentence, before anything has changed", () => {
  const table = (name: string) => `package.json: ${name} must be an object of texts: mend it first`;
  for (const [path, text, sentence, args = []] of [
    ["forwarder", "a file", "forwarder is a file, and must be a folder: move it away, or choose another folder"],
    ["forwarder/worker.js/x", "", "forwarder/worker.js is a folder, and must be a file: move it away"],
    [".gitignore/x", "", ".gitignore is a folder, and must be a file"],
    ["package.json/x", "", "package.json is a folder, and must be a file"],
    ["site", "a file", "site is a file, and must be a folder"],
    ["a", "a file", "a is a file, and must be a folder", ["--dir", "a"]],
    ["a", "a file", "a is a file, and must be a folder", ["--dir", "a/b"]],
    ["package.json", `{ "devDependencies": "x" }`, table("devDependencies")],
    ["package.json", `{ "dependencies": ["x"] }`, table("dependencies")],
    ["package.json", `{ "scripts": { "test": 1 } }`, table("scripts")],
    ["package.json", `{ "scripts": "x" }`, table("scripts")],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    put(path, text);
    const before = readdirSync(folder, { recursive: true });
    const { status, stdout, stderr } = init("--forwarder", "--capture", "--yes", ...args);
    expect([status, stdout], path).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
    if (path === "package.json") expect(read(path)).toBe(text);
  }
  for (const [path, args] of [
    ["forwarder", []],
    ["site", []],
    ["package.json", []],
    ["forwarder/.dev.vars", []],
    ["forwarder/worker.js", []],
    ["a", ["--dir", "a"]],
    ["a", ["--dir", "a/b"]],
  ] as const) {
    for (const target of ["nowhere/x", path.split("/").at(-1) ?? ""]) {
      folder = mkdtempSync(join(home, "project-"));
      mkdirSync(join(folder, path, ".."), { recursive: true });
      symlinkSync(target, join(folder, path));
      const before = readdirSync(folder, { recursive: true });
      const { status, stdout, stderr } = init("--forwarder", "--capture", "--yes", ...args);
      expect([status, stdout], path).toEqual([2, ""]);
      expect(stderr).toContain(`${path} is a link that leads to nothing: move it away`);
      expect(readdirSync(folder, { recursive: true })).toEqual(before);
    }
  }
  // A folder where a file may stand, but need not.
  put(".env/bin/python", "");
  put("package.json", `{ "dependencies": { "next": "16.4.6" } }`);
  // No file of ours leads to these.
  symlinkSync("nowhere", join(folder, ".env.production"));
  symlinkSync(".env", join(folder, ".env.test"));
  expect(init("--capture", "--yes")).toMatchObject({ status: 0, stderr: "" });
});

test("a file that is not UTF-8 keeps its bytes: it is told before anything has changed", () => {
  const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");
  const latin1 = (text: string) => Buffer.from(text, "latin1");
  for (const [path, bytes, sentence] of [
    ["package.json", utf16("{}"), "package.json is not JSON in UTF-8"],
    ["package.json", latin1(`{ "author": "Jos\xE9" }`), "package.json is not UTF-8, so it cannot be changed"],
    [".gitignore", utf16("dist\r\n"), ".gitignore is UTF-16, so it cannot be changed without a loss"],
    [".gitignore", Buffer.from("dist", "utf16le"), ".gitignore is UTF-16"],
    [".gitignore", latin1("caf\xE9\n"), ".gitignore is not UTF-8"],
    ["site/.dev.vars", utf16("CAKE_COOKIE_SECRET=\r\n"), "site/.dev.vars is UTF-16"],
    ["site/.dev.vars", latin1("TITLE=Caf\xE9\n"), "site/.dev.vars is not UTF-8"],
    ["forwarder/.dev.vars", latin1("TITLE=Caf\xE9\n"), "forwarder/.dev.vars is not UTF-8"],
  ] as const) {
    folder = mkdtempSync(join(home, "project-"));
    put(path, "");
    writeFileSync(join(folder, path), bytes);
    const before = readdirSync(folder, { recursive: true });
    const { status, stdout, stderr } = init("--forwarder", "--capture", "--yes");
    expect([status, stdout], path).toEqual([2, ""]);
    expect(stderr).toContain(sentence);
    expect(readdirSync(folder, { recursive: true })).toEqual(before);
    expect(readFileSync(join(folder, path)).equals(bytes)).toBe(true);
  }
  // What is not changed may have any bytes.
  folder = mkdtempSync(join(home, "project-"));
  put(".gitignore", "");
  writeFileSync(join(folder, ".gitignore"), latin1("caf\xE9\nnode_modules\n.wrangler\n.dev.vars\n.env\n.env.local\n"));
  writeFileSync(join(folder, ".env.gpg"), Buffer.from([0x85, 0, 0xff]));
  expect(init("--forwarder", "--yes").status).toBe(0);
});

test("secrets are added to a file that its owner alone can read from then on", () => {
  put("forwarder/.dev.vars", "CAKE_API_KEY=mine\n");
  chmodSync(join(folder, "forwarder/.dev.vars"), 0o644);
  init("--forwarder", "--yes");
  expect(read("forwarder/.dev.vars")).toMatch(/^CAKE_API_KEY=mine\nCAKE_OPERATOR_SECRET=/);
  expect(statSync(join(folder, "forwarder/.dev.vars")).mode & 0o077).toBe(0);
});
