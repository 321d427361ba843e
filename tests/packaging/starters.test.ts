/** The server part that every starter has. */
import { execFile, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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

test("the starters' development servers stay on the port that SITE_ORIGIN names", () => {
  const read = (file: string) => readFileSync(join(EXAMPLES, file), "utf8");
  for (const [name, environment] of [
    ["next", ".env.development"],
    ["sveltekit", "dev.env"],
    ["react-router", "dev.env"],
    ["astro", "dev.env"],
  ] as const) {
    expect(read(`${name}/${environment}`), name).toMatch(/^SITE_ORIGIN=http:\/\/localhost:3000$/m);
    const { dev } = JSON.parse(read(`${name}/package.json`)).scripts;
    const config = name === "astro" ? read("astro/astro.config.mjs") : "";
    // With a port Next takes no other one.
    const fixed = name === "next" ? /--port 3000$/ : /--port 3000 --strictPort|port: 3000[\s\S]*strictPort: true/;
    expect(dev + config, name).toMatch(fixed);
  }
  // Nuxt takes another one whatever it is told.
  expect(readFileSync("docs/nuxt.md", "utf8")).toContain("Nuxt takes another one");
});

test("each guide's first commands work in an empty folder", () => {
  for (const name of ["next", "sveltekit", "nuxt", "astro", "react-router", "hono"]) {
    const [, shell = ""] = /```sh\n([\s\S]*?)```/.exec(readFileSync(`docs/${name}.md`, "utf8")) ?? [];
    const home = mkdtempSync(join(tmpdir(), "cake-edge-guide-"));
    try {
      // npm itself is elsewhere in these tests: here it brings the package, and says what was asked of it.
      const bin = join(home, "bin");
      mkdirSync(bin);
      const modules = join(install(join(home, "packed")), "..");
      writeFileSync(
        join(bin, "npm"),
        `#!/bin/sh\necho "npm $*"\nmkdir -p node_modules && cp -R "${modules}/." node_modules/\n`,
      );
      chmodSync(join(bin, "npm"), 0o755);
      const env = { ...process.env, PATH: `${bin}:${process.env["PATH"]}` };
      const { status, stdout, stderr } = spawnSync("sh", ["-ec", shell], { cwd: home, encoding: "utf8", env });
      expect([status, stderr], name).toEqual([0, ""]);
      expect(stdout).toBe("npm install cake-edge\nnpm install cake-edge\nnpm run dev\n");
      expect(Object.keys(JSON.parse(readFileSync(join(home, "my-site/package.json"), "utf8")).scripts)).toContain(
        "dev",
      );
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }
});
