import { landOn, serveFolder, closeBrowser, LOOSE } from "./tests/packaging/site.ts";
import { readdirSync, writeFileSync } from "node:fs";
for (const f of readdirSync("/tmp/pg-cons/b/built")) {
  const dir = `/tmp/pg-cons/b/built/${f}`;
  const isEs = /es$|esm$/.test(f);
  writeFileSync(`${dir}/index.html`, `<!doctype html><title>x</title><script ${isEs ? 'type="module" ' : ""}src="landing.js"></script>`);
  const { origin, close } = await serveFolder(dir, LOOSE);
  for (const hasWasm of [true, false]) {
    try { console.log(f, hasWasm, await landOn(origin, { hasWasm })); } catch (e) { console.log(f, hasWasm, String(e).slice(0, 300)); }
  }
  close();
}
await closeBrowser();
