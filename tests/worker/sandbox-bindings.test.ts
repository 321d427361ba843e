/** A sandbox's Worker with invalid bindings names them by the names that its owner knows. */

import { env } from "cloudflare:workers";
import { sandbox } from "cake-edge/sandbox";
import { expect, test } from "vitest";

const { NETWORK: _, ...none } = env as unknown as Record<string, DurableObjectNamespace>;

test.each([
  ["KEYLESS", { code: "missing_api_key", parameter: "CAKE_API_KEY" }],
  ["ODD", { code: "invalid_fixture", parameter: "CAKE_FIXTURE" }],
] as const)("%s", async (name, error) => {
  const bound = { ...none, NETWORK: none[name] };
  for (const path of ["/?a=1&c=2", "/__sandbox/state"]) {
    const answer = await sandbox.fetch(new Request(`http://127.0.0.1${path}`), bound as never);
    expect(answer.status).toBe(500);
    expect(await answer.json()).toMatchObject({ error });
  }
});

test("a namespace that is not bound", async () => {
  const answer = await sandbox.fetch(new Request("http://127.0.0.1/"), none as never);
  expect(answer.status).toBe(500);
  expect(await answer.json()).toMatchObject({ error: { code: "invalid_field", parameter: "NETWORK" } });
});
