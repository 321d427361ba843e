/** The server part that every starter has. */
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { install } from "./pack.ts";
import { EXAMPLES } from "./project.ts";

test("without a disk the starters' server hands conversions on, with their cookie", async () => {
  const asked: object[] = [];
  const elsewhere = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const { method, url, headers } = request;
    asked.push({ method, url, cookie: headers.cookie, origin: headers.origin, body });
    response.writeHead(202, { "content-type": "application/json" }).end(`{"state":"pending"}`);
  });
  await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  const home = mkdtempSync(join(tmpdir(), "cake-edge-starter-"));
  try {
    install(home);
    cpSync(join(EXAMPLES, "next/cake-edge.server.js"), join(home, "server.mjs"));
    writeFileSync(
      join(home, "ask.mjs"),
      `import { answerCake } from "./server.mjs";
       const headers = { origin: "https://shop.example", cookie: "__Host-cake_click=1", "content-type": "text/plain", host: "inside" };
       const request = new Request("http://127.0.0.1:3000/cake/conversions?wait=1", { method: "POST", headers, body: '{"offerId":1}' });
       const answer = await answerCake(request);
       console.log(answer.status, await answer.text());`,
    );
    const { stdout } = await promisify(execFile)(process.execPath, [join(home, "ask.mjs")], {
      env: {
        ...process.env,
        SITE_ORIGIN: "https://shop.example",
        CAKE_EDGE_ENDPOINT: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}/forwarder`,
      },
    });
    expect(stdout).toBe(`202 {"state":"pending"}\n`);
    expect(asked).toEqual([
      {
        method: "POST",
        url: "/forwarder/conversions?wait=1",
        cookie: "__Host-cake_click=1",
        origin: "https://shop.example",
        body: `{"offerId":1}`,
      },
    ]);
  } finally {
    elsewhere.close();
    rmSync(home, { recursive: true, force: true });
  }
});

test("the starters' server part is one file", () => {
  const files = ["next", "sveltekit/src/lib", "nuxt/server/utils", "astro/src/lib", "react-router/app"];
  const texts = files.map((folder) => readFileSync(join(EXAMPLES, folder, "cake-edge.server.js"), "utf8"));
  expect(new Set(texts).size).toBe(1);
});
