/** `cake-edge doctor` with a correct account, forwarder and site, and with each kind of problem. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { type AddressInfo, createServer as createTcpServer, type Server as NetServer } from "node:net";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { withClickCapture } from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";

const KEY = "CANARY-KEY";
const SECRET = "a cookie's secret of 32 characters or more";
const ORIGIN = "https://shop.example";

type Handler = (request: Request) => Response | Promise<Response>;

const sandbox = createSandbox({ apiKey: KEY });
const forwarder = createForwarderInProcess({
  baseUrl: "http://127.0.0.1",
  apiKey: KEY,
  operatorSecret: "an operator's secret of 32 characters or more",
  cookieSecrets: [SECRET],
  origins: [ORIGIN],
  log: () => undefined,
  fetch: sandbox.fetch,
});
const captured = withClickCapture(() => new Response("shop"), { secrets: [SECRET] });
const well: Record<string, Handler> = {
  api: sandbox.fetch,
  cake: forwarder.fetch,
  shop: (request) => captured(request, undefined),
};

let server: Server;
let base: string;
let handlers = well;
let asked: string[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    const asFetched = toRequest(request);
    const { pathname } = new URL(asFetched.url);
    asked.push(`${asFetched.method} ${pathname}`);
    const handler = handlers[pathname.split("/")[1] ?? ""] ?? (() => new Response("no such page", { status: 404 }));
    const answer = await handler(asFetched);
    const headers = [...answer.headers].filter(([name]) => name !== "set-cookie").flat();
    const cookies = answer.headers.getSetCookie().flatMap((cookie) => ["set-cookie", cookie]);
    response.writeHead(answer.status, [...headers, "date", new Date().toUTCString(), ...cookies]);
    response.end(new Uint8Array(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());
beforeEach(() => {
  handlers = well;
  asked = [];
});

function toRequest({ method = "GET", url = "/", headers }: IncomingMessage): Request {
  return new Request(`${base}${url}`, { method, headers: headers as Record<string, string> });
}

interface Report {
  readonly ok: boolean;
  readonly checks: readonly { name: string; status: string; found: string; advice?: string }[];
}

/** Runs the command. The output must never contain the key. */
async function run(args: string[], { key = KEY, input = "" } = {}) {
  const env = { ...process.env };
  delete env["CAKE_API_KEY"];
  if (key !== "") env["CAKE_API_KEY"] = key;
  const child = spawn(process.execPath, ["dist/bin/cake-edge.js", "doctor", ...args], { env });
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  child.stdin.end(input);
  const status = await new Promise<number | null>((resolve) => child.on("close", resolve));
  expect(out + err).not.toContain("CANARY");
  return { status, out, err };
}

async function examine(args: string[], more = {}): Promise<{ status: number | null; found: Record<string, string> }> {
  const { status, out, err } = await run([...args, "--json"], more);
  expect(err).toBe("");
  const report = JSON.parse(out) as Report;
  expect(report.ok).toBe(status === 0);
  for (const { status, advice } of report.checks) expect(advice === undefined).toBe(status === "ok");
  return { status, found: Object.fromEntries(report.checks.map(({ name, status }) => [name, status])) };
}

async function click(): Promise<string> {
  const answer = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12&s1=doctor"));
  return new URL(answer.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
}

const all = () => ["--base-url", base, "--forwarder", `${base}/cake`, "--origin", ORIGIN, "--site", `${base}/shop/`];

test("a deployment that is well passes every check, and nothing is converted", async () => {
  const clickId = await click();
  const { status, found } = await examine([...all(), "--offer", "12345", "--click", clickId]);
  expect(found).toEqual({
    reachable: "ok",
    key: "ok",
    domains: "ok",
    default_domain: "ok",
    clock: "ok",
    click: "ok",
    services: "ok",
    get_click: "ok",
    get_conversions: "ok",
    conversion_report: "ok",
    offer: "ok",
    whitelist: "skipped",
    forwarder: "ok",
    only_post: "ok",
    cors: "ok",
    cors_foreign: "ok",
    cookie: "ok",
    cookie_cache: "ok",
    cookie_scanner: "ok",
  });
  expect(status).toBe(0);
  expect(asked.filter((each) => each.startsWith("POST") || each.includes("/2/conversion.json"))).toEqual([]);
  const state = await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state"));
  expect(((await state.json()) as { conversions: unknown[] }).conversions).toEqual([]);
});

test("people read lines, each with what to do", async () => {
  const { status, out } = await run(["--site", `${base}/elsewhere/`]);
  expect(status).toBe(1);
  expect(out).toMatch(
    /^failed {3}cookie {10}the landing page \(status 404\) sets no click cookie\n {25}See that the Worker/,
  );
  expect(out).toMatch(/\n1 ok, 1 failed, 0 skipped\n$/);
});

test("the key comes from standard input too, and never from an argument", async () => {
  const { found } = await examine(["--base-url", base, "--key-stdin"], { key: "", input: `${KEY}\n` });
  expect(found["key"]).toBe("ok");
  for (const args of [["--key", KEY], [`--api-key=${KEY}`], [KEY], ["--base-url", base, KEY]]) {
    const { status, err } = await run(args);
    expect(status).toBe(2);
    expect(err).toMatch(/^cake-edge: .+\n$/);
  }
  expect((await run(["--key", KEY])).err).toContain("process lists");
});

test("a key that CAKE refuses, or none, is said so", async () => {
  expect((await examine(["--base-url", base, "--offer", "1"], { key: "CANARY-OTHER" })).found).toMatchObject({
    reachable: "ok",
    key: "failed",
    offer: "skipped",
  });
  expect((await examine(["--base-url", base], { key: "" })).found).toEqual({ key: "failed" });
  expect((await examine(["--base-url", `${base}/?api_key=${KEY}`])).found).toEqual({ reachable: "failed" });
});

test("which calls an account answers is said, and the report is one that it may lack", async () => {
  const without =
    (path: string): Handler =>
    (request) =>
      new URL(request.url).pathname.endsWith(path)
        ? new Response("no such route", { status: 404 })
        : sandbox.fetch(request);
  for (const [path, name, status] of [
    ["/report/conversion.json", "conversion_report", "skipped"],
    ["/conversions.json", "get_conversions", "failed"],
    ["/click.json", "get_click", "failed"],
  ] as const) {
    handlers = { ...well, api: without(path) };
    const { out } = await run(["--base-url", base, "--json"]);
    const check = (JSON.parse(out) as Report).checks.find((each) => each.name === name);
    expect(check).toMatchObject({ status, found: expect.stringContaining("the account does not answer it") });
  }
});

test("another offer's click, and an offer without clicks, are told apart", async () => {
  const clickId = await click();
  expect((await examine(["--base-url", base, "--offer", "777", "--click", clickId])).found["offer"]).toBe("failed");
  expect((await examine(["--base-url", base, "--offer", "777"])).found["offer"]).toBe("skipped");
  expect((await examine(["--base-url", base, "--offer", "12345"])).found["offer"]).toBe("ok");
});

test("what is wrong with a forwarder is found", async () => {
  const forwarderWith = async (cake: Handler, origin = ORIGIN) => {
    handlers = { ...well, cake };
    const { status, found } = await examine(["--forwarder", `${base}/cake/`, "--origin", origin]);
    expect(status).toBe(1);
    return Object.keys(found).filter((name) => found[name] === "failed");
  };
  expect(await forwarderWith(() => new Response("<html>", { status: 200 }))).toEqual(["forwarder"]);
  expect(await forwarderWith(forwarder.fetch, "https://other.example")).toEqual(["cors"]);
  const open: Handler = async (request) => {
    const answer = await forwarder.fetch(request);
    answer.headers.set("access-control-allow-origin", "*");
    return answer;
  };
  expect(await forwarderWith(open)).toEqual(["cors", "cors_foreign"]);
  const unset: Handler = (request) =>
    request.url.endsWith("/health")
      ? new Response("ok")
      : Response.json({ error: { code: "misconfigured" } }, { status: 500 });
  expect(await forwarderWith(unset)).toEqual(["only_post", "cors"]);
});

test("what is wrong with a site's cookie is found", async () => {
  const siteWith = async (rewrite: (answer: Response, cookie: string) => void) => {
    handlers = {
      ...well,
      shop: async (request) => {
        const answer = await captured(request, undefined);
        const [cookie] = answer.headers.getSetCookie();
        rewrite(answer, cookie ?? "");
        return answer;
      },
    };
    const { out } = await run(["--site", `${base}/shop/`, "--json"]);
    const failures = (JSON.parse(out) as Report).checks.filter(({ status }) => status === "failed");
    return failures.map(({ name, found }) => `${name}: ${found}`);
  };
  expect(await siteWith((answer) => answer.headers.delete("set-cookie"))).toEqual([
    "cookie: the landing page (status 200) sets no click cookie",
  ]);
  const strip = (answer: Response, cookie: string) => {
    if (cookie) answer.headers.set("set-cookie", cookie.replace("; HttpOnly", "").replace(/Max-Age=\d+/, "Max-Age=60"));
  };
  expect(await siteWith(strip)).toEqual(["cookie: the click cookie lacks HttpOnly, a Max-Age of a day or more"]);
  expect(await siteWith((answer) => answer.headers.set("cache-control", "public, max-age=60"))).toEqual([
    "cookie_cache: a cache may keep the answer, and hand one visitor's click to others",
  ]);
  const always = (answer: Response) => answer.headers.append("set-cookie", "__Host-cake_click=x; Path=/");
  expect((await siteWith(always)).at(-1)).toBe("cookie_scanner: HEAD sets a click cookie");
});

test("a landing page that moves its visitors on is examined where they arrive", async () => {
  const moving =
    (keeps: boolean): Handler =>
    (request) => {
      const { origin, search } = new URL(request.url);
      if (search.includes("moved")) return captured(request, undefined);
      return Response.redirect(`${origin}/shop/landing?moved=1${keeps ? search.replace("?", "&") : ""}`, 302);
    };
  handlers = { ...well, shop: moving(true) };
  const { out } = await run(["--site", `${base}/shop/`, "--json"]);
  const { ok, checks } = JSON.parse(out) as Report;
  expect(checks[0]).toEqual({
    name: "redirect",
    status: "ok",
    found: `it redirects to ${base}/shop/landing: examined there`,
  });
  expect(ok).toBe(true);
  handlers = { ...well, shop: moving(false) };
  expect((await examine(["--site", `${base}/shop/`])).found).toEqual({ redirect: "failed" });
});

test.each([
  ["/loop", /again and again/],
  ["http://[bad", /to no address that can be read/],
  ["mailto:a@shop.example", /to no address that can be read/],
])("a redirect to %s is told as what it is", async (to, words) => {
  handlers = {
    ...well,
    shop: (request) => new Response(null, { status: 302, headers: { location: to === "/loop" ? request.url : to } }),
  };
  const { out } = await run(["--site", `${base}/shop/`, "--json"]);
  const { ok, checks } = JSON.parse(out) as Report;
  expect(ok).toBe(false);
  expect(checks.map(({ name, status }) => [name, status])).toEqual([["redirect", "failed"]]);
  expect(checks[0]?.found).toMatch(words);
});

const file = (name: string) => readFileSync(new URL(`certificate/${name}.pem`, import.meta.url));
const certified = { key: file("key"), cert: file("certificate") };

/** Who answers, but not as asked for. */
const OTHERS: readonly [string, "http" | "https", () => NetServer, string | RegExp][] = [
  [
    "a certificate that is not trusted",
    "https",
    () => createSecureServer(certified, (_, response) => response.end("ok")),
    /^the certificate is not trusted \([A-Z_]+\)$/,
  ],
  ["plain http", "https", () => createServer((_, response) => response.end("ok")), "it answers, but not in https"],
  [
    "https",
    "http",
    () => createSecureServer(certified, (_, response) => response.end("ok")),
    "it closes the connection without an answer (ECONNRESET)",
  ],
  [
    "TLS 1.1",
    "https",
    () =>
      createSecureServer({ ...certified, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" }),
    /^it answers, but no TLS connection comes about \(.*protocol version.*\)$/,
  ],
  [
    "a reset",
    "http",
    () => createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
    "it closes the connection without an answer (ECONNRESET)",
  ],
  [
    "a reset",
    "https",
    () => createTcpServer((socket) => socket.once("data", () => socket.resetAndDestroy())),
    "it closes the connection without an answer (ECONNRESET)",
  ],
  [
    "another protocol",
    "http",
    () => createTcpServer((socket) => socket.once("data", () => socket.end("SSH-2.0-x\r\n"))),
    "it answers, but not in HTTP (HPE_INVALID_CONSTANT)",
  ],
];

test.each(OTHERS)("%s at %s is told from nobody", async (_, scheme, make, found) => {
  const other = make();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const at = `${scheme}://127.0.0.1:${(other.address() as AddressInfo).port}`;
  const foundAt = async (args: string[]) => {
    const { out } = await run([...args, "--json"]);
    return (JSON.parse(out) as Report).checks.filter(({ status }) => status === "failed").map(({ found }) => found);
  };
  const told = typeof found === "string" ? found : expect.stringMatching(found);
  expect(await foundAt(["--site", at])).toEqual([told]);
  expect(await foundAt(["--forwarder", at])).toEqual([told]);
  other.close();
  (other as Server).closeAllConnections?.();
  expect(await foundAt(["--site", at])).toEqual(["nobody answers"]);
});

test("a page whose body never ends is examined by its head", async () => {
  const endless = createServer(async (request, response) => {
    const answer = await captured(
      new Request(`http://127.0.0.1${request.url}`, {
        method: request.method ?? "GET",
        headers: request.headers as Record<string, string>,
      }),
      undefined,
    );
    response.writeHead(answer.status, [...answer.headers].flat());
    // Node holds the head of an answer to HEAD back until its end.
    if (request.method === "HEAD") response.end();
    else response.write("shop");
  });
  await new Promise<void>((resolve) => endless.listen(0, "127.0.0.1", resolve));
  const at = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`;
  const start = Date.now();
  expect((await examine(["--site", at])).found).toEqual({ cookie: "ok", cookie_cache: "ok", cookie_scanner: "ok" });
  expect(Date.now() - start).toBeLessThan(8_000);
  // A forwarder's body counts, so it is waited for; still somebody has answered.
  const { out } = await run(["--forwarder", at, "--json"]);
  expect((JSON.parse(out) as Report).checks[0]?.found).toBe("what answers there is no forwarder (status 200)");
  endless.closeAllConnections();
  endless.close();
});

test("a command that cannot be right is refused in one sentence", async () => {
  for (const [args, sentence] of [
    [[], /say what to examine/],
    [["--site", "https://x.example", "--origin", ORIGIN], /--origin goes with --forwarder/],
    [["--forwarder", "shop"], /--forwarder must be a URL/],
    [["--base-url", "https://x.example", "--offer", "one"], /--offer must be a whole number/],
    [["--offers", "1"], /Unknown option '--offers'/],
  ] as const) {
    const { status, err } = await run([...args]);
    expect(status).toBe(2);
    expect(err).toMatch(sentence);
    expect(err.split("\n")).toHaveLength(2);
  }
  expect((await run(["--help"])).out).toContain("CAKE_API_KEY");
});
