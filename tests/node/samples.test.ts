/** The demo's samples for Node, run as a reader would run them. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
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
  const env = { ...process.env, PORT: "8897", CAKE_COOKIE_SECRET: "a cookie's secret of 32 characters or more" };
  const child = spawn(process.execPath, ["www/samples/keep.node.ts"], { env });
  const ended = once(child, "exit");
  try {
    // Not `fetch`: its headers say that the request is not a navigation.
    const visit = (path: string, cookie = "") =>
      new Promise<{ cookie: string; body: string } | undefined>((resolve) => {
        const headers = { accept: "text/html", cookie };
        get(`http://127.0.0.1:8897${path}`, { headers }, async (answer) => {
          resolve({ cookie: answer.headers["set-cookie"]?.[0] ?? "", body: await text(answer) });
        }).on("error", () => resolve(undefined));
      });
    await expect.poll(() => visit("/"), { timeout: 10_000 }).toBeDefined();
    const landing = await visit("/?reqid=13b9ae60-4f60-4c9e-bf75-626dca035acf");
    // The sample's public address is https: a proxy in front has the certificate.
    expect(landing?.cookie).toMatch(/^__Host-cake_click=.*13b9ae60-4f60-4c9e-bf75-626dca035acf/);
    const later = await visit("/", landing?.cookie.split(";")[0]);
    expect(later?.body).toBe("We know the click that led here.");
  } finally {
    child.kill();
    await ended;
  }
});

test("the sample of the last step records a conversion", async () => {
  const link = `${sandbox.origin}/?a=67890&c=12&s1=sample`;
  const landing = (await fetch(link, { redirect: "manual" })).headers.get("location") ?? "";
  const clickId = new URL(landing).searchParams.get("reqid") ?? "";
  expect(run("convert", clickId, "ORD-SAMPLE")).toBe("998877 approved 18.00\n");
});
