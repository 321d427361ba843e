/** The demo's samples for Node, run as their reader would. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
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
  const child = spawn(process.execPath, ["www/samples/keep.node.ts"], { env: { ...process.env, PORT: "8897" } });
  const ended = once(child, "exit");
  try {
    const visit = () =>
      fetch("http://127.0.0.1:8897/?reqid=13b9ae60-4f60-4c9e-bf75-626dca035acf").catch(() => undefined);
    await expect.poll(visit, { timeout: 10_000 }).toBeDefined();
    const landing = await visit();
    const cookie = landing?.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(/^cake_click=.*13b9ae60-4f60-4c9e-bf75-626dca035acf/);
    const later = await fetch("http://127.0.0.1:8897/", { headers: { cookie: cookie.split(";")[0] ?? "" } });
    expect(await later.text()).toBe("We know the click that led here.");
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
