/** A CAKE network for the starters: the sandbox behind a port of this machine. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";

/** A running network. */
export interface Network {
  readonly origin: string;
  /** Somebody follows a tracking link: the click id. */
  click(): Promise<string>;
  /** Has CAKE recorded a conversion of this click, or does it within ten seconds? */
  hasConverted(clickId: string): Promise<boolean>;
}

let opened: Promise<Network & { close(): void }> | undefined;

/** Opens the network, once per process. */
export function openNetwork(): Promise<Network> {
  opened ??= open();
  return opened;
}

export async function closeNetwork(): Promise<void> {
  (await opened)?.close();
  opened = undefined;
}

async function open(): Promise<Network & { close(): void }> {
  const sandbox = createSandbox({ apiKey: "key-of-a-test" });
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const request = new Request(`http://127.0.0.1${incoming.url}`, {
      method: incoming.method ?? "GET",
      headers: { "content-type": incoming.headers["content-type"] ?? "text/plain" },
      ...(chunks.length > 0 && { body: Buffer.concat(chunks) }),
    });
    const answer = await sandbox.fetch(request);
    response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async click() {
      const click = await sandbox.fetch(new Request("http://127.0.0.1/?a=67890&c=12"));
      return new URL(click.headers.get("location") ?? "").searchParams.get("reqid") ?? "";
    },
    async hasConverted(clickId) {
      for (const end = Date.now() + 10_000; ; ) {
        const state = await (await sandbox.fetch(new Request("http://127.0.0.1/__sandbox/state"))).text();
        const { conversions } = JSON.parse(state) as { conversions: object[] };
        if (conversions.some((conversion) => JSON.stringify(conversion).includes(clickId))) return true;
        if (Date.now() > end) return false;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
