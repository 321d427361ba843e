/**
 * The packed tarball's tag in a page without a bundler, included as sites do it. Each way runs with a policy that
 * allows WebAssembly and one that does not, in browsers with and without WebAssembly.
 */
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { install } from "./pack.ts";
import { closeBrowser, landOn, serveFolder } from "./site.ts";

const home = mkdtempSync(join(tmpdir(), "cake-edge-tag-"));
const files = join(install(home), "dist/page");
const tag = readFileSync(join(files, "cake-edge.js"));
const text = tag.toString("utf8").replace(/^\uFEFF/, "");
const digest = (bytes: string | Buffer) => `sha384-${createHash("sha384").update(bytes).digest("base64")}`;

/** Another host, which serves the package's files as jsDelivr and unpkg do. */
let cdn: Awaited<ReturnType<typeof serveFolder>>;
beforeAll(async () => {
  cdn = await serveFolder(files, undefined, { "access-control-allow-origin": "*" });
});
afterAll(async () => {
  cdn.close();
  await closeBrowser();
  rmSync(home, { recursive: true, force: true });
});

/** The page's own script: a separate file, so that no policy has to allow an inline script. */
const USE = `cakeEdge(function (tracker) {
  tracker.convert({ offerId: 12345, orderId: "ORD-1" }).then(function (result) {
    document.documentElement.dataset.landed = [tracker.engine, tracker.clickId, result.state].join(" ");
  });
});`;

interface Way {
  readonly html: string;
  /** The allowed script sources; the tests add the keyword for WebAssembly. */
  readonly scripts: string;
  /** Other directives. */
  readonly more?: string;
  /** The nonce of the page's own script. */
  readonly nonce?: string;
}

const ways: Record<string, () => Way> = {
  "beside the page": () => ({ html: `<script src="/cake-edge.js"></script>`, scripts: "'self'" }),
  "at another host": () => ({
    html: `<script src="${cdn.origin}/cake-edge.js"></script>`,
    scripts: `'self' ${cdn.origin}`,
  }),
  "at another host, with crossorigin": () => ({
    html: `<script crossorigin src="${cdn.origin}/cake-edge.js"></script>`,
    scripts: `'self' ${cdn.origin}`,
  }),
  "at another host, with integrity": () => ({
    html: `<script crossorigin integrity="${digest(tag)}" src="${cdn.origin}/cake-edge.js"></script>`,
    scripts: `'self' ${cdn.origin}`,
  }),
  "at another host, each file with integrity by an import map": () => {
    const map = JSON.stringify({
      integrity: Object.fromEntries(
        ["outbox", "fallback"].map((name) => [
          `${cdn.origin}/${name}.js`,
          digest(readFileSync(join(files, `${name}.js`))),
        ]),
      ),
    });
    return {
      html: `<script type="importmap">${map}</script>
        <script crossorigin integrity="${digest(tag)}" src="${cdn.origin}/cake-edge.js"></script>`,
      scripts: `'self' ${cdn.origin} '${digest(map)}'`,
    };
  },
  "with a nonce": () => ({
    html: `<script nonce="abc" src="/cake-edge.js"></script>`,
    scripts: "'nonce-abc'",
    nonce: "abc",
  }),
  "with a nonce, at another host": () => ({
    html: `<script nonce="abc" src="${cdn.origin}/cake-edge.js"></script>`,
    scripts: "'nonce-abc'",
    nonce: "abc",
  }),
  "by a script that strict-dynamic trusts": () => ({
    html: `<script nonce="abc">
        window.cakeEdge = window.cakeEdge || function (use) { (cakeEdge.q = cakeEdge.q || []).push(use) };
        var script = document.createElement("script");
        script.src = "${cdn.origin}/cake-edge.js";
        document.head.appendChild(script);
      </script>`,
    scripts: "'nonce-abc' 'strict-dynamic'",
    nonce: "abc",
  }),
  "under Trusted Types": () => ({
    html: `<script src="/cake-edge.js"></script>`,
    scripts: "'self'",
    more: "; require-trusted-types-for 'script'; trusted-types 'none'",
  }),
  "inlined, with a nonce": () => ({
    html: `<script nonce="abc" data-base="/">${text}</script>`,
    scripts: "'nonce-abc'",
    nonce: "abc",
  }),
  "inlined, by its hash": () => ({
    html: `<script data-base="/">${text}</script>`,
    scripts: `'self' '${digest(text)}'`,
  }),
  "as a module": () => ({ html: `<script type="module" src="/cake-edge.js"></script>`, scripts: "'self'" }),
};

test.each(Object.keys(ways))("a plain tag, %s", async (name) => {
  const { html, scripts, more = "", nonce } = (ways[name] as () => Way)();
  const folder = mkdtempSync(join(home, "site-"));
  mkdirSync(folder, { recursive: true });
  for (const file of ["cake-edge", "outbox", "fallback"])
    writeFileSync(join(folder, `${file}.js`), readFileSync(join(files, `${file}.js`)));
  writeFileSync(join(folder, "use.js"), USE);
  const own = `<script defer ${nonce === undefined ? "" : `nonce="${nonce}"`} src="/use.js"></script>`;
  writeFileSync(
    join(folder, "index.html"),
    `<!doctype html><meta charset="utf-8"><title>Landing page</title>${html}${own}`,
  );
  for (const [word, engine] of [
    [" 'wasm-unsafe-eval'", "wasm"],
    ["", "js"],
  ] as const) {
    const site = await serveFolder(folder, `default-src 'self'; script-src ${scripts}${word}${more}`);
    try {
      expect(await landOn(site.origin)).toBe(`${engine} abc-1 accepted`);
      expect(await landOn(site.origin, { hasWasm: false })).toBe("js abc-1 accepted");
    } finally {
      site.close();
    }
  }
});
