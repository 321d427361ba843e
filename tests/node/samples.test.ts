/** The demo's samples for Node, run as their reader would. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { get, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type SandboxProcess, startSandbox } from "../sandbox-process.ts";

let sandbox: SandboxProcess;

beforeAll(async () => {
  sandbox = await startSandbox();
});
afterAll(() => sandbox.stop());

function run(sample: string, ...args: string[]): string {
  const env = { ...process.env, CAKE_BASE_URL: sandbox.origin, CAKE_API_KEY: "sandbox-key" };
  const { stdout, stderr, status } = spawnSync(process.execPath, [`www/samples/${sample}.node.ts`, ...args], {
    encoding: "utf8",
    env,
  });
  expect(stderr).toBe("");
  expect(status).toBe(0);
  return stdout;
}

test("the sample of the first step prints a link", () => {
  expect(run("build")).toBe("https://track.yournetwork.com/?a=67890&c=12&s1=spring_sale\n");
});

test("the sample of the second step follows a link to its click id", () => {
  expect(run("click")).toMatch(/^302 \{\s+clickId: '[0-9a-f-]{36}',\s+parameter: 'reqid'/);
});

test("the sample of the third step keeps the click id in a cookie", async () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const env = { ...process.env, PORT: "8897", CAKE_COOKIE_SECRET: secret };
  const child = spawn(process.execPath, ["www/samples/keep.node.ts"], { env });
  const ended = once(child, "exit");
  try {
    await expect.poll(() => visit("/").catch(() => undefined), { timeout: 10_000 }).toBeDefined();
    const landing = await visit("/?reqid=13b9ae60-4f60-4c9e-bf75-626dca035acf");
    const [cookie = ""] = landing.headers["set-cookie"] ?? [];
    expect(cookie).toMatch(/13b9ae60-4f60-4c9e-bf75-626dca035acf.*; Secure; HttpOnly/);
    const later = await visit("/", { cookie: cookie.split(";")[0] ?? "" });
    expect(later.body).toBe("We know the click that led here.");
  } finally {
    child.kill();
    await ended;
  }
});

/** Visits the sample's server as a browser that navigates: `fetch` would say that it does not. */
async function visit(path: string, more: Record<string, string> = {}) {
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", ...more };
  const asked = get(`http://127.0.0.1:8897${path}`, { headers });
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return { headers: answer.headers, body: await text(answer) };
}

test("the sample of the last step records a conversion", async () => {
  const link = `${sandbox.origin}/?a=67890&c=12&s1=sample`;
  const landing = (await fetch(link, { redirect: "manual" })).headers.get("location") ?? "";
  const clickId = new URL(landing).searchParams.get("reqid") ?? "";
  expect(run("convert", clickId, "ORD-SAMPLE")).toBe("998877 approved 18.00\n");
});
