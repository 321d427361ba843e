/** `npm start` as a user types it; the build already exists. */
import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { expect, test } from "vitest";

function start(port: string) {
  return spawnSync(process.execPath, ["scripts/start.ts", "--once"], {
    encoding: "utf8",
    env: { ...process.env, PORT: port },
  });
}

test("the transcript tells the whole chain and the exit status is 0", () => {
  const { status, stdout, stderr } = start("0");
  expect(stderr).toBe("");
  expect(
    stdout
      .split("\n")
      .slice(0, 6)
      .map((line) => line.slice(0, 20).trim()),
  ).toEqual(["tracking link", "redirected to", "click id kept", "conversion accepted", "recorded", "postback fired"]);
  expect(stdout).toMatch(/approved, payout 18\.00/);
  expect(stdout).toMatch(/answered 200/);
  expect(status).toBe(0);
});

test("a port in use is one clear sentence and a non-zero exit", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const { status, stderr } = start(String(port));
  server.close();
  expect(status).toBe(1);
  expect(stderr).toMatch(new RegExp(`^start: port ${port} is in use: stop what listens there, or choose another`));
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

test("a port that is none is refused", () => {
  const { status, stderr } = start("banana");
  expect(status).toBe(1);
  expect(stderr).toBe('start: PORT must be a whole number up to 65535, not "banana"\n');
});
