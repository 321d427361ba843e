/** A trap in the wasm ends one instance. It does not end the process or another caller's work. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as slim from "../../dist/edge/index.js";
import {
  createCakeClient,
  createTrackingLink,
  dayRange,
  findClick,
  init,
  isCakeError,
  lintTrackingLink,
} from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";

const LINK = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
const WRITTEN = "https://track.yournetwork.com/?a=1&c=2";

/** The code of the thrown error. */
function codeOf(run: () => unknown): string | undefined {
  try {
    run();
  } catch (error) {
    return isCakeError(error) ? error.code : String(error);
  }
  return undefined;
}

/** The instances by what they export: `cake-edge` has several cores. */
const started: WebAssembly.Exports[] = [];
const { Instance } = WebAssembly;
WebAssembly.Instance = class extends Instance {
  constructor(...parts: ConstructorParameters<typeof Instance>) {
    super(...parts);
    started.push(this.exports);
  }
};

/** Spoils the memory of the instance that started last of those with this export: allocator, buffers and all. */
function spoil(name = "memory"): void {
  const memory = started.findLast((exports) => name in exports)?.["memory"] as WebAssembly.Memory;
  new Uint8Array(memory.buffer).fill(0xff);
}

test.each<[string, () => unknown]>([
  ["findClick", () => findClick("https://shop.example/?reqid=abc")],
  ["lintTrackingLink", () => lintTrackingLink(WRITTEN)],
  ["dayRange", () => dayRange("2026-01-01", "2026-01-31")],
  ["client_new", () => createCakeClient({ baseUrl: "http://127.0.0.1:1", apiKey: "key-of-a-test" })],
])("after a trap in %s the next call has a fresh instance", (name, run) => {
  const link = createTrackingLink(LINK);
  run();
  spoil(name);
  expect(codeOf(run)).toBe("internal");
  expect(codeOf(run)).toBeUndefined();
  expect(createTrackingLink(LINK)).toBe(link);
});

test("a stack that ends inside of the core is a trap, too", () => {
  const codes = new Set<string | undefined>();
  const fall = (): void => {
    try {
      fall();
    } catch {
      // The deepest frames have no room for a call; the frames above have room for a part of one.
    }
    codes.add(codeOf(() => createTrackingLink({ ...LINK, s1: "x".repeat(40) })));
  };
  fall();
  expect(codes).toContain(undefined);
  expect(createTrackingLink(LINK)).toBe(WRITTEN);
  expect(findClick("https://shop.example/?reqid=abc")).toMatchObject({ clickId: "abc" });
});

test("calls under way when their instance dies reject with internal, each once, and the client goes on", async () => {
  const answers: ((response: Response) => void)[] = [];
  const unhandled: unknown[] = [];
  const listen = (reason: unknown) => void unhandled.push(reason);
  process.on("unhandledRejection", listen);
  let isBroken = true;
  const cake = createCakeClient({
    baseUrl: "http://127.0.0.1:1",
    apiKey: "key-of-a-test",
    fetch: () =>
      isBroken
        ? new Promise((resolve) => answers.push(resolve))
        : Promise.resolve(Response.json({ response: { total_rows: 0, clicks: [] } })),
  });
  const both = Promise.allSettled([cake.getClick("abc"), cake.getClick("def")]);
  while (answers.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  spoil("client_new");
  for (const answer of answers) answer(Response.json({ response: {} }));
  for (const settled of await both) {
    expect(settled).toMatchObject({ status: "rejected", reason: { name: "CakeError", code: "internal" } });
  }
  isBroken = false;
  expect(await cake.getClick("abc")).toBeUndefined();
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.off("unhandledRejection", listen);
  expect(unhandled).toEqual([]);
});

test("a forwarder and a sandbox outlive traps of theirs, with settings and faults", async () => {
  const sandbox = createSandbox({ apiKey: "key-of-a-test" });
  const control = (path: string, body: unknown) =>
    sandbox.fetch(new Request(`http://127.0.0.1/__sandbox/${path}`, { method: "POST", body: JSON.stringify(body) }));
  const before = await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/settings"))).text();
  expect((await control("faults", [{ kind: "status_500", action: "click" }])).status).toBeLessThan(500);
  const faults = await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/faults"))).text();
  spoil();
  await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/settings")).catch(() => undefined);
  expect(await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/settings"))).text()).toBe(before);
  expect(await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/faults"))).text()).toBe(faults);

  const plain = createSandbox({ apiKey: "key-of-a-test" });
  const forwarder = createForwarderInProcess({
    baseUrl: "http://127.0.0.1",
    apiKey: "key-of-a-test",
    operatorSecret: "5f0c4bd2a9e6417380cd1e2fa7b49638",
    fetch: plain.fetch,
    log() {},
  });
  spoil();
  const click = await plain.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
  const clickId = new URL(click.headers.get("location") ?? "").searchParams.get("reqid");
  const convert = () =>
    forwarder.fetch(
      new Request("https://shop.example/cake/conversions?wait=1", {
        method: "POST",
        headers: { origin: "https://shop.example" },
        body: JSON.stringify({ clickId, offerId: 12345, uniqueId: "ORD-1" }),
      }),
    );
  expect((await convert()).status).toBe(500);
  const answer = await convert();
  expect(await answer.json()).toMatchObject({ state: "delivered" });
});

test("without bytes the first call says what to do, and init hands them over", async () => {
  const { createCore } = await import("../../dist/core.js");
  const { start } = await import("../../dist/wasm/edge.js");
  const bare = createCore(start);
  expect(codeOf(() => bare.api())).toBe("wasm_unavailable");
  // What is no module, or another core's, is the caller's mistake and no bug of this package.
  const bytesOf = (name: string) => readFileSync(new URL(`../../dist/wasm/${name}_bg.wasm`, import.meta.url));
  for (const given of [
    "x",
    undefined,
    {},
    Promise.resolve(bytesOf("edge")),
    { default: new WebAssembly.Module(bytesOf("edge")) },
    new Response("x"),
    new Uint8Array(0),
    new Uint8Array([1, 2, 3]),
    // A module that was changed or cut off on its way.
    new Uint8Array([0, 0x61, 0x73, 0x6d, 9]),
    bytesOf("edge").subarray(0, 5_000),
    new TextEncoder().encode("<!doctype html>").buffer,
  ]) {
    expect(codeOf(() => bare.init(given as object, "module"))).toBe("invalid_field");
  }
  bare.init(new WebAssembly.Module(bytesOf("client")), "module");
  // However often it is asked.
  for (let call = 0; call < 2; call += 1) expect(codeOf(() => bare.api())).toBe("invalid_field");
  // The next module has its chance.
  const { BYTES } = await import("../../dist/wasm/edge_inline.js");
  const { fromText } = await import("../../dist/inline.js");
  bare.init(fromText(BYTES), "module");
  expect(bare.api().parseTrackingLink(WRITTEN, [], 0)).toEqual(LINK);
  // After the core has started, another module has no effect.
  init(bytesOf("client"));
  expect(slim.createTrackingLink(LINK)).toBe(WRITTEN);
});

/** What a place has that its kind is known by. Each of them refuses to compile bytes. */
const PLACES = {
  page: "globalThis.document = {}; refuse();",
  worker: "globalThis.importScripts = () => {}; refuse();",
  edge: "refuse();",
  without: "delete globalThis.WebAssembly;",
};
const ENTRIES = {
  edge: ["edge.inline.js", "createTrackingLink({ domain: 't.example.com', affiliateId: 1, creativeId: 2 })"],
  client: ["edge.inline.js", "createCakeClient({ baseUrl: 'http://127.0.0.1:1', apiKey: 'k'.repeat(20) })"],
  checks: ["edge.inline.js", "lintTrackingLink('https://t.example.com/?a=1&c=2')"],
  sandbox: ["sandbox-memory.inline.js", "createSandbox()"],
  report: ["report.inline.js", "await openReport({ keys: ['clickId'] })"],
} as const;

test.each([
  ["page", "edge", /^the page's policy allows no WebAssembly \(wasm-unsafe-eval\).*cake-edge\/page/],
  ["page", "sandbox", /^the page's policy allows no WebAssembly/],
  ["page", "report", /^the page's policy allows no WebAssembly/],
  ["worker", "edge", /^this worker's policy allows no WebAssembly: add 'wasm-unsafe-eval' to/],
  ["worker", "client", /^this worker's policy/],
  ["worker", "sandbox", /^this worker's policy/],
  ["worker", "report", /^this worker's policy/],
  ["edge", "edge", /cake-edge\/edge\.wasm as a module and hand it to init\(module\)$/],
  ["edge", "client", /cake-edge\/client\.wasm as a module and hand it to init\(module, \{ client \}\)$/],
  ["edge", "checks", /cake-edge\/checks\.wasm as a module and hand it to init\(module, \{ checks \}\)$/],
  ["edge", "sandbox", /condition workerd or edge-light/],
  ["edge", "report", /condition workerd/],
  ["without", "edge", /no WebAssembly: Node has it without --jitless/],
  ["without", "sandbox", /no WebAssembly: Node has it without --jitless/],
  ["without", "report", /no WebAssembly: Node has it without --jitless/],
] as const)("in a place of the kind %s, %s says what can be done there", (place, entry, words) => {
  const [file, call] = ENTRIES[entry];
  const script = `
    import * as entry from "./dist/entry/${file}";
    import { isCakeError } from "./dist/error.js";
    const { createTrackingLink, createCakeClient, lintTrackingLink, createSandbox, openReport } = entry;
    const refuse = () => {
      WebAssembly.Module = class { constructor() { throw new WebAssembly.CompileError("refused"); } };
      WebAssembly.compile = () => Promise.reject(new WebAssembly.CompileError("refused"));
    };
    ${PLACES[place]}
    try { ${call}; } catch (error) { console.log(isCakeError(error) && error.code, error.message); }`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  const [, code, message = ""] = /^(\S+) (.*)/.exec(stdout) ?? [];
  expect(code, stderr).toBe("wasm_unavailable");
  expect(message).toMatch(words);
});
