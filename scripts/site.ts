// npm run site: the documentation as a folder for any static host, target/site/. The folder has the pages of docs/ with
// search, a reference from the types, each page's Markdown, llms.txt, and the demo.
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { BuildError, build, buildStaticDemo, root } from "./build.ts";

const site = join(root, "site");
/** The working folder, beside the site's packages, where the generator finds them. */
const pages = join(site, "pages");
const out = join(root, "target/site");
const PROJECT = ["ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
/** The import paths, and the types of each. */
const ENTRIES = {
  "cake-edge": "edge/index",
  "cake-edge/page": "page/index",
  "cake-edge/link": "page/link",
  "cake-edge/frame": "page/frame",
  "cake-edge/report": "report/index",
  "cake-edge/forwarder": "forwarder/index",
  "cake-edge/forwarder/memory": "forwarder/in-process",
  "cake-edge/forwarder/node": "forwarder/node/index",
  "cake-edge/sandbox": "sandbox/index",
  "cake-edge/sandbox/memory": "sandbox/in-process",
};

try {
  await build();
  await buildStaticDemo();
  rmSync(pages, { recursive: true, force: true });
  rmSync(out, { recursive: true, force: true });
  mkdirSync(join(pages, ".vitepress"), { recursive: true });
  copyPages();
  const reference = writeReference();
  cpSync(join(site, "config.mjs"), join(pages, ".vitepress/config.mjs"));
  run("vitepress", ["build", pages, "--outDir", out], { SITE_REFERENCE: JSON.stringify(reference) });
  writeTwins();
  cpSync(join(root, "target/demo-static"), join(out, "demo"), { recursive: true });
  cpSync(join(root, "workers"), join(out, "workers"), { recursive: true });
  console.error("site: target/site/ is ready for any static host");
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`site: ${error.message}`);
  process.exitCode = 1;
}

/** Copies README and docs into one folder, and adjusts their links. */
function copyPages(): void {
  for (const file of readdirSync(join(root, "docs"))) {
    write(file, readFileSync(join(root, "docs", file), "utf8").replaceAll("](../", "]("));
  }
  write("index.md", readFileSync(join(root, "README.md"), "utf8").replaceAll("](docs/", "]("));
  for (const file of PROJECT) write(file, readFileSync(join(root, file), "utf8").replaceAll("](docs/", "]("));
}

function write(file: string, text: string): void {
  writeFileSync(join(pages, file), text);
}

/** A reference page for each import path, from the published types. */
function writeReference(): { text: string; link: string }[] {
  const folder = join(pages, "reference");
  const links = Object.entries(ENTRIES).map(([entry, types]) => {
    const name = entry.replaceAll("/", "-");
    run("typedoc", [
      "--plugin",
      "typedoc-plugin-markdown",
      "--entryPoints",
      join(root, `dist/${types}.d.ts`),
      "--tsconfig",
      join(site, types.startsWith("page/") ? "tsconfig.page.json" : "tsconfig.worker.json"),
      "--out",
      join(folder, name),
      "--outputFileStrategy",
      "modules",
      "--name",
      entry,
      "--readme",
      "none",
      "--hideBreadcrumbs",
      "--hidePageHeader",
      "--disableSources",
      "--excludeNotDocumented",
      "--entryFileName",
      "index",
      "--logLevel",
      "Error",
    ]);
    return { text: entry, link: `/reference/${name}/` };
  });
  const list = links.map(({ text, link }) => `- [\`${text}\`](${link.replace("/reference/", "./")}index.md)`);
  writeFileSync(join(folder, "index.md"), `# Reference\n\nFrom the types, by import path.\n\n${list.join("\n")}\n`);
  return links;
}

/** Each page's Markdown beside its HTML, and a list of them for programs. */
function writeTwins(): void {
  const isStart = (file: string) => file === "start.md";
  const files = globSync("**/*.md", { cwd: pages }).sort(
    (a, b) => Number(isStart(b)) - Number(isStart(a)) || (a < b ? -1 : 1),
  );
  const lines = files.map((file) => {
    const text = readFileSync(join(pages, file), "utf8");
    mkdirSync(join(out, file, ".."), { recursive: true });
    writeFileSync(join(out, file), text);
    const title = /^# (.*)$/m.exec(text)?.[1] ?? basename(file, ".md");
    return `- [${title.replaceAll("`", "")}](${file})`;
  });
  const [, about = ""] = /^# cake-edge\n\n([\s\S]*?)\n\n/.exec(readFileSync(join(root, "README.md"), "utf8")) ?? [];
  writeFileSync(
    join(out, "llms.txt"),
    `# cake-edge\n\n> ${about.replaceAll("\n", " ")}\n\n## Pages\n\n${lines.join("\n")}\n`,
  );
}

function run(command: string, args: string[], env: Record<string, string> = {}): void {
  try {
    execFileSync(join(site, "node_modules/.bin", command), args, {
      cwd: site,
      env: { ...process.env, ...env },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    console.error(stdout, stderr);
    throw new BuildError(`${command} failed`);
  }
}
