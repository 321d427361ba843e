/** The engine of the core, in Chromium: WebAssembly, or plain JavaScript where WebAssembly is missing or refused. */
import { readFileSync } from "node:fs";
import { build } from "esbuild";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Tracker, TrackingLinkParts, TrackingLinkRules } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Site } from "./site.ts";
import { visit } from "./visit.ts";

declare const tracker: Tracker;
declare const modules: object[];
declare const pageModule: typeof import("../../js/page/index.ts");
declare const linkModule: typeof import("../../js/page/link.ts");
declare const errors: { code: string; parameter?: string; message: string; name: string }[];

let site: Site;
let browser: Browser;
beforeAll(async () => {
  site = await Site.start();
  browser = await launch();
  site.addTrackerPage("/");
  site.addModulesPage("/modules");
});
afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));
afterAll(async () => {
  await browser?.close();
  await site?.stop();
});

const loaded = () => site.requests.map(({ path }) => path).filter((path) => path.startsWith("/page/"));

const STRICT = "default-src 'none'; connect-src 'self'; script-src 'self'";

test("a policy without 'wasm-unsafe-eval' gets the same core as plain JavaScript", async () => {
  site.pages.set("/strict.js", {
    html: `import { createTracker } from "/page/page.js"; window.tracker = createTracker();`,
    headers: { "content-type": "text/javascript" },
  });
  site.pages.set("/strict", {
    html: `<!doctype html><title>strict</title><script type="module" src="/strict.js"></script>`,
    headers: { "content-security-policy": STRICT },
  });
  site.requests.length = 0;
  const { page, said } = await visit(browser, site, "/strict?reqid=abc-1");
  // The click is known after the fallback has loaded.
  expect(await page.evaluate(() => tracker.ready.then(() => [tracker.engine, tracker.clickId]))).toEqual([
    "js",
    "abc-1",
  ]);
  expect((await page.context().cookies())[0]?.value).toContain("!reqid!abc-1");
  expect(loaded()).toEqual(["/page/page.js", "/page/fallback.js"]);
  expect(await page.evaluate(() => tracker.convert({ offerId: 1, uniqueId: "u" }))).toMatchObject({
    state: "accepted",
  });
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a policy with 'wasm-unsafe-eval' gets WebAssembly", async () => {
  site.pages.set("/lax", {
    html: `<!doctype html><title>lax</title><script type="module" src="/strict.js"></script>`,
    headers: { "content-security-policy": `${STRICT} 'wasm-unsafe-eval'` },
  });
  site.requests.length = 0;
  const { page } = await visit(browser, site, "/lax?reqid=abc-1");
  expect(await page.evaluate(() => [tracker.engine, tracker.clickId])).toEqual(["wasm", "abc-1"]);
  // No other file: no second request delays the start.
  expect(loaded()).toEqual(["/page/page.js"]);
});

/** As Lockdown Mode does. */
const withoutWasm = () => {
  // @ts-expect-error: every browser here has it.
  delete globalThis.WebAssembly;
};

test("without WebAssembly at all it is plain JavaScript", async () => {
  const { page, said } = await visit(browser, site, "/?reqid=abc-1", withoutWasm);
  // The click is known after the fallback has loaded.
  expect(await page.evaluate(() => tracker.ready.then(() => [tracker.engine, tracker.clickId]))).toEqual([
    "js",
    "abc-1",
  ]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("where neither can be loaded the page goes on, and hears of it", async () => {
  const context = await browser.newContext();
  await context.addInitScript(withoutWasm);
  await context.route("**/fallback.js", (route) => route.abort());
  const page = await context.newPage();
  const thrown: Error[] = [];
  page.on("pageerror", (error) => thrown.push(error));
  await page.goto(`${site.origin}/?reqid=abc-1`);
  await page.waitForFunction(() => "tracker" in globalThis);
  expect(await page.evaluate(() => tracker.ready.then(() => tracker.clickId))).toBeUndefined();
  expect(await page.evaluate(() => errors[0]?.code)).toBe("network");
  expect(thrown).toEqual([]);
});

test.each(["missing", "home page", "silent"] as const)(
  "a conversion waits for the core, also for the next page's, where its file is %s",
  async (trouble) => {
    const { page, context, go } = await visit(browser, site, "/?reqid=abc-1");
    await context.addInitScript(withoutWasm);
    await go("/");
    await page.evaluate(() => tracker.ready);
    site.received.length = 0;
    site.fileTrouble.set("fallback.js", trouble);
    await go("/");
    const result = await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "ORD-1" }));
    expect(result).toMatchObject({ state: "queued" });
    expect(await page.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("outbox")))).toHaveLength(
      1,
    );
    expect(site.received).toEqual([]);
    site.fileTrouble.clear();
    await go("/");
    await expect
      .poll(() => site.received)
      .toMatchObject([{ orderId: "ORD-1", clickId: "abc-1", uniqueId: "abc-1:ORD-1" }]);
  },
  30_000,
);

test("a landing that is its own thank-you page converts its click when the core comes late", async () => {
  site.received.length = 0;
  site.fileTrouble.set("fallback.js", "missing");
  const { page } = await visit(browser, site, "/?reqid=late-1", withoutWasm);
  await page.evaluate(() => tracker.ready);
  const result = await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "ORD-2" }));
  expect(result).toEqual({ state: "queued", code: "missing_file" });
  site.fileTrouble.clear();
  await expect.poll(() => site.received, { timeout: 20_000 }).toMatchObject([{ orderId: "ORD-2", clickId: "late-1" }]);
  expect(await page.evaluate(() => tracker.clickId)).toBe("late-1");
});

test.each([
  ["orderId", "an earlier click"],
  ["orderId", "none"],
  ["uniqueId", "an earlier click"],
  ["uniqueId", "none"],
] as const)(
  "a landing that had no core converts its own click on the next page (%s, %s before)",
  async (name, before) => {
    site.received.length = 0;
    const { page, go } = await visit(browser, site, before === "none" ? "/" : "/?reqid=earlier-1", withoutWasm);
    await page.evaluate(() => tracker.ready);
    await page.waitForTimeout(1_100);
    site.fileTrouble.set("fallback.js", "missing");
    await go("/?reqid=own-1");
    const result = await page.evaluate((name) => tracker.convert({ offerId: 1, [name]: "ORD-3" }), name);
    expect(result).toEqual({ state: "queued", code: "missing_file" });
    site.fileTrouble.clear();
    await page.waitForTimeout(1_100);
    // A later click is not this sale's.
    await go("/?reqid=later-1");
    await expect.poll(() => site.received).toMatchObject([{ [name]: "ORD-3", clickId: "own-1" }]);
    expect(await page.evaluate(() => tracker.clickId)).toBe("later-1");
  },
  30_000,
);

test("with the click given, or kept at the edge, no core is needed", async () => {
  site.received.length = 0;
  site.addTrackerPage("/edge", "{ edge: true }");
  site.fileTrouble.set("fallback.js", "missing");
  try {
    const { page, go } = await visit(browser, site, "/", withoutWasm);
    await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "GIVEN", clickId: "abc-2" }));
    await go("/edge");
    await page.evaluate(() => tracker.convert({ offerId: 1, orderId: "EDGE" }));
    expect(site.received).toMatchObject([{ orderId: "GIVEN", clickId: "abc-2" }, { orderId: "EDGE" }]);
  } finally {
    site.fileTrouble.clear();
  }
});

interface LinkVector {
  readonly parts: TrackingLinkParts & TrackingLinkRules;
  readonly rules?: TrackingLinkRules;
  readonly link?: string;
  readonly code?: string;
}
const vectors: { build: LinkVector[]; refuse: LinkVector[] } = JSON.parse(
  readFileSync("tests/vectors/links.json", "utf8"),
);

test.each(["wasm", "js"] as const)("links are the core's (%s)", async (engine) => {
  const { page, said } = await visit(browser, site, "/", engine === "js" ? withoutWasm : undefined);
  expect(await page.evaluate(() => tracker.engine)).toBe(engine);
  const answers = await page.evaluate(
    async (all) => {
      const answers = [];
      for (const { parts, rules } of all) {
        errors.length = 0;
        const link = await tracker.link({ ...parts, ...rules });
        answers.push({ link, code: errors[0]?.code });
      }
      return answers;
    },
    [...vectors.build, ...vectors.refuse],
  );
  expect(answers).toEqual([
    ...vectors.build.map(({ link }) => ({ link, code: undefined })),
    ...vectors.refuse.map(({ code }) => ({ link: undefined, code })),
  ]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("options behind the options, and what is no plain object, are told and thrown nowhere", async () => {
  site.received.length = 0;
  const { page, said } = await visit(browser, site, "/?reqid=abc-1");
  const heard = await page.evaluate(async () => {
    const link = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
    const of = tracker as unknown as Record<"link" | "convert" | "decorate", (...given: unknown[]) => Promise<unknown>>;
    const codes: unknown[] = [];
    for (const [name, ...given] of [
      ["link", link, { spill: true }],
      ["link", new Map(Object.entries(link))],
      ["link", Promise.resolve(link)],
      ["link", { ...link, extra: new Map([["x", "1"]]) }],
      ["convert", { offerId: 1, uniqueId: "u" }, { orderId: "7" }],
      ["convert", new Map([["offerId", 1]])],
      ["convert", undefined],
      ["convert", 7],
      ["decorate", { hosts: ["a.example"] }, { parameter: "x" }],
      ["decorate", "a.example"],
    ] as const) {
      errors.length = 0;
      await of[name](...given);
      for (let times = 0; times < 100 && errors.length === 0; times += 1) await new Promise((go) => setTimeout(go, 20));
      codes.push([name, errors[0]?.code]);
    }
    return codes;
  });
  expect(heard).toEqual(
    ["link", "link", "link", "link", "convert", "convert", "convert", "convert", "decorate", "decorate"].map((name) => [
      name,
      "invalid_field",
    ]),
  );
  expect(site.received).toEqual([]);
  expect(said.filter((line) => line.includes("THROWN"))).toEqual([]);
});

test("a refused link is undefined, and an error that names the parameter", async () => {
  const { page } = await visit(browser, site, "/");
  const heard = await page.evaluate(async () => {
    const good = { domain: "track.yournetwork.com", affiliateId: 67_890, creativeId: 12 };
    for (const bad of [
      { affiliateId: 0 },
      { affiliateId: "12" as unknown as number },
      { s2: "a\nb" },
      { s3: 5 as unknown as string },
      { priceFormat: "c&a=1" },
      { extra: { käse: "1", KäSE: "2" } },
      { s1: "x".repeat(100_000) },
    ]) {
      if ((await tracker.link({ ...good, ...bad })) !== undefined) throw new Error("built");
    }
    return errors.map(({ name, code, parameter }) => [name, code, parameter]);
  });
  expect(heard).toEqual([
    ["CakeError", "invalid_id", "affiliateId"],
    ["CakeError", "invalid_id", "affiliateId"],
    ["CakeError", "invalid_text", "s2"],
    ["CakeError", "invalid_field", "s3"],
    ["CakeError", "invalid_price_format", "priceFormat"],
    ["CakeError", "repeated_parameter", "KäSE"],
    ["CakeError", "link_too_long", undefined],
  ]);
});

test("links are built by the thousand in little memory", async () => {
  const { page } = await visit(browser, site, "/modules");
  const isRight = await page.evaluate(async () => {
    let wrong = 0;
    const { createTrackingLink } = linkModule;
    for (let index = 1; index <= 20_000; index += 1) {
      const link = createTrackingLink({ domain: "t.example.com", affiliateId: index, creativeId: 1, s1: `n${index}` });
      if (link !== `https://t.example.com/?a=${index}&c=1&s1=n${index}`) wrong += 1;
    }
    return wrong;
  });
  expect(isRight).toBe(0);
});

test("cake-edge/link builds at once; where WebAssembly is refused it says what to wait for", async () => {
  const { page } = await visit(browser, site, "/modules", withoutWasm);
  const built = await page.evaluate(async () => {
    const { createTrackingLink, isCakeError, ready } = linkModule;
    const build = () => {
      try {
        return createTrackingLink({ domain: "t.example.com", affiliateId: 1, creativeId: 2 });
      } catch (error) {
        return isCakeError(error) ? error.message : String(error);
      }
    };
    const before = build();
    await ready();
    return [before, build()];
  });
  expect(built).toEqual(["WebAssembly must be allowed, or await ready()", "https://t.example.com/?a=1&c=2"]);
});

test("a worker in which neither core of cake-edge/link can start is told so by a CakeError", async () => {
  const policy = { "content-security-policy": "script-src 'self'", "content-type": "text/javascript" };
  for (const [kind, says] of [
    ["worker", "https://t.example.com/?a=1&c=2"],
    ["service", "wasm_unavailable"],
  ]) {
    site.pages.set(`/${kind}.js`, {
      html: `import { createTrackingLink, isCakeError, ready } from "/page/link.js";
        const link = () => ready()
          .then(() => createTrackingLink({ domain: "t.example.com", affiliateId: 1, creativeId: 2 }))
          .catch((error) => isCakeError(error) && error.code);
        onmessage = async (event) => (event.source ?? globalThis).postMessage(await link());`,
      headers: policy,
    });
    const { page } = await visit(browser, site, "/modules");
    const said = await page.evaluate(async (isService) => {
      if (!isService) {
        const worker = new Worker("/worker.js", { type: "module" });
        worker.postMessage("");
        return new Promise((resolve) => {
          worker.onmessage = ({ data }) => resolve(data);
        });
      }
      const { installing, active } = await navigator.serviceWorker.register("/service.js", { type: "module" });
      const answer = new Promise((resolve) => {
        navigator.serviceWorker.onmessage = ({ data }) => resolve(data);
      });
      (installing ?? active)?.postMessage("");
      return answer;
    }, kind === "service");
    expect(said, kind).toBe(says);
  }
});

test("the cores are what js/page/core.ts says, and take nothing from the page", async () => {
  const { page } = await visit(browser, site, "/modules", () => {
    WebAssembly.Module = new Proxy(WebAssembly.Module, {
      construct(Module, [bytes]: [BufferSource]) {
        const module = new Module(bytes);
        const names = Module.exports(module).map(({ name }) => name);
        modules.push({ exports: names.sort(), imports: Module.imports(module) });
        return module;
      },
    });
    Object.assign(window, { modules: [] });
  });
  const seen = await page.evaluate(async () => {
    await linkModule.ready();
    return [pageModule.createTracker().engine, modules];
  });
  expect(seen).toEqual([
    "wasm",
    [
      { exports: ["build", "byte", "push"], imports: [] },
      // `reply`, `decide` and `put`: the build shortens the names (scripts/page.ts).
      { exports: Array.from("prd", () => expect.stringMatching(/^[a-z]$/)), imports: [] },
    ],
  ]);
});

test.each(["windows-1252", "shift_jis", "utf-8"])("a bundle in a page in %s runs WebAssembly", async (charset) => {
  // Every text is printed again in its shortest form.
  const { outputFiles } = await build({
    stdin: {
      contents: `import { createTracker } from "./dist/page/page.js"; window.tracker = createTracker();`,
      resolveDir: ".",
    },
    bundle: true,
    minify: true,
    charset: "utf8",
    write: false,
  });
  site.pages.set("/bundle.js", { html: outputFiles[0]?.text ?? "", headers: { "content-type": "text/javascript" } });
  site.pages.set("/charset", {
    html: `<!doctype html><title>x</title><script src="/bundle.js"></script>`,
    headers: { "content-type": `text/html; charset=${charset}` },
  });
  const { page } = await visit(browser, site, "/charset?reqid=abc-1");
  expect(await page.evaluate(() => [document.characterSet.toLowerCase(), tracker.engine, tracker.clickId])).toEqual([
    charset,
    "wasm",
    "abc-1",
  ]);
});
