/** A folder on a static host, under a path of its own. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/** Serves the folder on loopback; `base` starts and ends with a slash. */
export async function serveFolder(folder: string, base: string): Promise<{ home: string; close(): void }> {
  const server = createServer(({ url = "", method }, answer) => {
    const { pathname } = new URL(url, "http://static");
    const file = `${pathname.slice(base.length)}${pathname.endsWith("/") ? "index.html" : ""}`;
    try {
      if (method !== "GET" || !pathname.startsWith(base)) throw new Error("nothing here");
      const bytes = readFileSync(join(folder, file));
      answer.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream" }).end(bytes);
    } catch {
      answer.writeHead(404).end("Not found");
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { home: `http://127.0.0.1:${port}${base}`, close: () => void server.close() };
}
