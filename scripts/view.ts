// js/generated/view.ts: the live view as one page, with the hashes for its Content-Security-Policy.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./build.ts";

const folder = join(root, "js/view");
const result = await build({
  configFile: false,
  root: folder,
  logLevel: "error",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { write: false, target: "es2022", rollupOptions: { input: join(folder, "main.tsx") } },
});
const outputs = [result].flat().flatMap((part) => ("output" in part ? part.output : []));
const script = outputs
  .filter((output) => output.type === "chunk")
  .map(({ code }) => code)
  .join("")
  .trim();
const style = readFileSync(join(folder, "style.css"), "utf8");
if (/<\/(script|style)/i.test(script + style)) throw new Error("the live view would end its own element");

const html = readFileSync(join(folder, "index.html"), "utf8")
  .replace("/* style */", () => style)
  .replace("/* script */", () => script);
const hash = (text: string) => `sha256-${createHash("sha256").update(text).digest("base64")}`;
mkdirSync(join(root, "js/generated"), { recursive: true });
writeFileSync(
  join(root, "js/generated/view.ts"),
  `/** The live view, made by scripts/view.ts. */
export const VIEW = ${JSON.stringify({ html, scriptHash: hash(script), styleHash: hash(style) }, null, 2)};\n`,
);
