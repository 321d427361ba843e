/** Why a project's framework would never run the capture that `npx cake-edge init` writes: its configuration says so. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isTypeScript, nextProxyName, type Plan, textIn } from "./init-project.js";

/** What a static site lacks: nothing of it runs when a visitor comes. */
const STATIC = "no server keeps a click: take --page alone, or a server in front of the site";

/** The warning, if there is one. The files are read as text: to run a project's configuration is not ours. */
export function neverRuns({ folder, framework }: Plan): string | undefined {
  if (framework === "next") {
    const config = configIn(folder, "next.config");
    if (/\boutput["']?\s*:\s*["'`]export["'`]/.test(config)) return `Next exports a static site (output): ${STATIC}`;
    const [, listed] = /\bpageExtensions["']?\s*:\s*\[([^\]]*)\]/.exec(config) ?? [];
    const ending = isTypeScript(folder) ? "ts" : "js";
    const endings = listed?.match(/[^\s,"'`]+/g) ?? [ending];
    if (!endings.includes(ending)) {
      const read = endings.find((each) => /[jt]s$/.test(each)) ?? `page.${ending}`;
      return `Next reads no file that ends with .${ending} (pageExtensions: ${endings.join(", ")}): name the one of the capture by that, such as ${nextProxyName(folder)}.${read}`;
    }
  }
  if (framework === "sveltekit") {
    if (configIn(folder, "svelte.config").includes("adapter-static")) {
      return `SvelteKit builds a static site (adapter-static): ${STATIC}`;
    }
    if (layouts(folder).some((text) => /\bexport\s+const\s+prerender\s*=\s*true\b/.test(text))) {
      return "SvelteKit prerenders pages (prerender = true), and no hook runs where they are served: not for the pages that clicks land on";
    }
  }
  return undefined;
}

/** The text of a configuration, without its comments. */
function configIn(folder: string, stem: string): string {
  const texts = ["js", "mjs", "ts", "cjs", "mts", "cts"].map((ending) => textIn(folder, `${stem}.${ending}`));
  return withoutComments(texts.find((text) => text !== undefined) ?? "");
}

const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, "$1");

/** The scripts of the project's routes that say how a page is served. */
function layouts(folder: string): string[] {
  const routes = join(folder, "src/routes");
  if (!existsSync(routes)) return [];
  return readdirSync(routes, { recursive: true, encoding: "utf8" })
    .filter((path) => /\+(layout|page)(\.server)?\.[jt]s$/.test(path))
    .map((path) => withoutComments(textIn(routes, path) ?? ""));
}
