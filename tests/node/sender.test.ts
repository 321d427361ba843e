/** The Node host's requests to CAKE, by Node's own HTTP client. */
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { createSender } from "../../dist/forwarder/node/sender.js";

const LIMIT = 20;
const PACKED = { gzip: gzipSync, "X-GZIP": gzipSync, deflate: deflateSync, br: brotliCompressSync };

/** A server with an answer for each path, and what it was asked. */
async function opened() {
  const asked: { readonly url: string; readonly headers: IncomingHttpHeaders; readonly port: number | undefined }[] =
    [];
  const server = createServer((request, response) => {
    const { url = "", headers, socket } = request;
    asked.push({ url, headers, port: socket.remotePort });
    const [path = "", name = ""] = url.slice(1).split("?");
    const pack = PACKED[name as keyof typeof PACKED];
    if (path === "short") return response.writeHead(200, { "content-length": 2 }).end("ok");
    if (path === "later") return response.writeHead(200, { "content-length": 2, "retry-after": "7" }).end("no");
    if (path === "long") return response.writeHead(200, { "content-length": 30 }).end("x".repeat(30));
    if (path === "parts") {
      response.write("a");
      return response.end("b");
    }
    if (path === "packed") return response.writeHead(200, { "content-encoding": name }).end(pack?.("unpacked"));
    if (path === "status") return response.writeHead(Number(name), { location: "/short" }).end(name);
    if (path === "half")
      return void response.writeHead(200, { "content-length": 9 }).write("1", () => socket.destroy());
    if (path === "raw") return void socket.write(`HTTP/1.1 ${decodeURIComponent(name)}`);
    if (path === "raw-end") return void socket.end(`HTTP/1.1 ${decodeURIComponent(name)}`);
    if (path === "half-parts") return void response.write("1", () => socket.destroy());
    return undefined;
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const send = createSender();
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { asked, send: (path: string, signal = new AbortController().signal) => send(origin + path, signal, LIMIT) };
}

async function textOf(answered: Awaited<ReturnType<Awaited<ReturnType<typeof opened>>["send"]>>) {
  if (!("response" in answered)) return { status: answered.status, text: Buffer.from(answered.body).toString() };
  const { status, body } = answered.response as { status: number; body: ReadableStream<Uint8Array> };
  return { status, text: await new Response(body).text() };
}

test("a short answer is read as a whole, and connections and paths are kept", async () => {
  const { send, asked } = await opened();
  for (let count = 0; count < 3; count += 1) {
    const answered = await send("/short?click_id=a%20b&unique_id=%23");
    expect(answered).toEqual({ status: 200, body: expect.any(Uint8Array) });
    expect(await textOf(answered)).toEqual({ status: 200, text: "ok" });
  }
  expect(new Set(asked.map(({ port }) => port)).size).toBe(1);
  expect(asked[0]?.url).toBe("/short?click_id=a%20b&unique_id=%23");
  expect(asked[0]?.headers).toMatchObject({ accept: "*/*", "cache-control": "no-cache", "user-agent": "node" });
});

test("a short answer with a Retry-After is handed on with its headers, since its date counts too", async () => {
  const { send } = await opened();
  const { headers } = ((await send("/later")) as { response: { headers: { get(name: string): string | null } } })
    .response;
  expect(headers.get("retry-after")).toBe("7");
  expect(headers.get("date")).toMatch(/^\w{3}, .* GMT$/);
});

test("any other answer is handed on as a stream, unpacked, and no redirect is followed", async () => {
  const { send, asked } = await opened();
  expect(await textOf(await send("/parts"))).toEqual({ status: 200, text: "ab" });
  expect(await textOf(await send("/long"))).toEqual({ status: 200, text: "x".repeat(30) });
  for (const name of Object.keys(PACKED)) {
    expect(await textOf(await send(`/packed?${name}`)), name).toEqual({ status: 200, text: "unpacked" });
  }
  for (const status of [302, 403, 500, 599]) {
    const answered = await send(`/status?${status}`);
    expect(await textOf(answered)).toEqual({ status, text: String(status) });
    expect(answered).toMatchObject({ response: { status } });
    const { headers } = (answered as { response: { headers: { get(name: string): string | null } } }).response;
    expect([headers.get("Location"), headers.get("retry-after")]).toEqual(["/short", null]);
  }
  expect(asked.filter(({ url }) => url === "/short")).toEqual([]);
});

test("an answer that breaks off, and a signal, end it with an error that shows no path", async () => {
  const { send } = await opened();
  await expect(send("/half?api_key=CANARY")).rejects.toMatchObject({ code: "ECONNRESET" });
  await expect(send("/half-parts").then(textOf)).rejects.toThrow();
  const controller = new AbortController();
  const waiting = ["/never?api_key=CANARY", "/never"].map((path) => send(path, controller.signal));
  setTimeout(() => controller.abort(), 50);
  for (const each of waiting) await expect(each).rejects.toThrow("the request took too long");
  const nobody = createSender()("https://127.0.0.1:1/?api_key=CANARY", new AbortController().signal, LIMIT);
  const thrown = await nobody.catch((error: Error) => error);
  expect(thrown).toMatchObject({ code: "ECONNREFUSED" });
  expect(`${(thrown as Error).stack} ${JSON.stringify(thrown)}`).not.toContain("CANARY");
});

test("an answer that is none ends its request at once, and another protocol is one", async () => {
  const { send } = await opened();
  const upgrade = "101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n";
  const started = performance.now();
  for (const [path, raw] of [
    ["raw", upgrade],
    ["raw-end", upgrade],
    ["raw", `${upgrade}PRI * HTTP/2.0\r\n\r\n`],
    ["raw-end", "101 Switching Protocols\r\n\r\n"],
    ["raw-end", "103 Early Hints\r\nLink: </x>\r\n\r\n"],
    ["raw-end", "100 Continue\r\n\r\n"],
    ["raw-end", ""],
    ["raw", "200 OK\r\nContent-Length: x\r\n\r\n"],
  ] as const) {
    const sent = send(`/${path}?${encodeURIComponent(raw)}`).then(textOf);
    await expect(sent, raw).rejects.toThrow(Error);
  }
  expect(performance.now() - started).toBeLessThan(5_000);
  // A word about an upgrade beside a whole answer is none.
  const well = "200 OK\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 2\r\n\r\nok";
  expect(await textOf(await send(`/raw?${encodeURIComponent(well)}`))).toEqual({ status: 200, text: "ok" });
});
