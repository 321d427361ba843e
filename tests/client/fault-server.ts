/**
 * A server with the faults that can occur between the client and CAKE. The click id (for a list, the affiliate's id)
 * names the fault. `/__log` returns the received requests.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";

interface Visit {
  readonly path: string;
  readonly click: string;
}

/** Vitest's global set-up for the projects that need this server. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const visits: Visit[] = [];
  const recorded = new Set<string>();
  const times = new Map<string, number>();
  let stolen = 0;

  // The target of a redirect: no request may arrive here.
  const thief = createServer((_, response) => {
    stolen += 1;
    response.end("{}");
  });
  const thiefOrigin = await listen(thief);

  const server = createServer((request, response) => {
    request.on("error", () => {});
    response.on("error", () => {});
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/__log") {
      const click = url.searchParams.get("click");
      const paths = visits.filter((visit) => visit.click === click).map(({ path }) => path);
      json(response, { paths, recorded: recorded.has(click ?? ""), stolen });
      return;
    }
    const click = url.searchParams.get("click_id") ?? `list-${url.searchParams.get("affiliate_id")}`;
    const path = url.pathname.replace("/api/2/", "").replace(".json", "");
    visits.push({ path, click });
    const count = (times.get(click + path) ?? 0) + 1;
    times.set(click + path, count);
    answer(request, response, { path, click, count, fault: click.split(".")[0] ?? "" });
  });

  function answer(
    request: IncomingMessage,
    response: ServerResponse,
    { path, click, count, fault }: { path: string; click: string; count: number; fault: string },
  ): void {
    const record = () => recorded.add(click);
    const succeed = () => {
      if (path === "conversion") {
        record();
        json(response, { request_status: "Success", conversion: { conversion_id: 7, payout: 18 } });
      } else {
        const converted = recorded.has(click);
        const row = { click_id: click, offer_id: 1, affiliate_id: 2, converted, conversion_id: converted ? 7 : null };
        json(response, { request_status: "Success", response: { clicks: [row], total_rows: 1 } });
      }
    };
    const isFirst = count === 1;
    // Get Click answers correctly where the fault under test is the conversion's.
    const isAsked = path === "click" && fault.startsWith("write-");
    switch (isAsked ? "" : fault.replace("write-", "")) {
      case "slow":
        setTimeout(succeed, 2_000).unref();
        return;
      case "stalls":
        response.writeHead(200, { "content-type": "application/json" });
        response.write('{"request_status":');
        return;
      case "stalls-after-recording":
        record();
        return;
      case "resets":
        request.socket.destroy();
        return;
      case "resets-once":
        if (isFirst) request.socket.destroy();
        else succeed();
        return;
      case "resets-after-recording":
        record();
        request.socket.destroy();
        return;
      case "cut-off":
        response.writeHead(200, { "content-type": "application/json", "content-length": "1000" });
        response.write('{"request_status":"Success","resp');
        setTimeout(() => request.socket.destroy(), 20);
        return;
      case "cut-short":
        record();
        response.end('{"request_status":"Success","conversion":{"conv');
        return;
      case "limited-once":
        if (isFirst) response.writeHead(429, { "retry-after": "1" }).end();
        else succeed();
        return;
      case "limited":
        response.writeHead(429, { "retry-after": "3600" }).end();
        return;
      case "restricted-once":
        if (isFirst) json(response, { success: false, message: "Restricted" });
        else succeed();
        return;
      case "fails-once":
        if (isFirst) response.writeHead(503).end("<html>Service Unavailable</html>");
        else succeed();
        return;
      case "fails":
        response.writeHead(500).end("<html>Server Error</html>");
        return;
      case "html":
        response.writeHead(200, { "content-type": "text/html" }).end(`<html>Sign in at ${request.url}</html>`);
        return;
      case "redirects":
        response.writeHead(302, { location: `${thiefOrigin}${request.url}` }).end();
        return;
      case "huge": {
        response.writeHead(200, { "content-type": "application/json" });
        const chunk = Buffer.alloc(65_536, " ");
        let left = 16_384; // 1 GB
        const write = () => {
          while (left > 0 && !response.destroyed) {
            left -= 1;
            if (!response.write(chunk)) {
              response.once("drain", write);
              return;
            }
          }
          response.end();
        };
        write();
        return;
      }
      case "garbled":
        response.end(Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]));
        return;
      case "deep":
        response.end(`{"a":${"[".repeat(20_000)}${"]".repeat(20_000)},"response":${"[".repeat(9_000)}`);
        return;
      case "list-66": // deep, and as a list
        response.end(`{"response":${'{"response":'.repeat(100_000)}1${"}".repeat(100_001)}`);
        return;
      case "echoes": {
        const key = new URL(request.url ?? "/", "http://x").searchParams.get("api_key") ?? "";
        const words = `${request.url} ${decodeURIComponent(request.url ?? "")} ${Buffer.from(key).toString("base64")}`;
        json(response, { success: false, message: words });
        return;
      }
      default:
        succeed();
    }
  }

  project.provide("faults", await listen(server));
  return async () => {
    for (const each of [server, thief]) {
      each.closeAllConnections();
      await new Promise((resolve) => each.close(resolve));
    }
  };
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
}

async function listen(server: ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
