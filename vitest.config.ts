import { fileURLToPath } from "node:url";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export default defineConfig({
  test: {
    // Two cores: a browser, a workerd and a packed install beside each other
    // make timings, not tests.
    fileParallelism: false,
    projects: [
      {
        test: {
          name: "node",
          include: ["tests/node/**/*.test.ts", "tests/packaging/*.test.ts"],
          exclude: ["tests/packaging/{consumers,tag}.test.ts"],
          globalSetup: ["tests/client/fault-server.ts", "tests/fake-cake/server.ts"],
          // Concurrent tests wait most of their time: for a retry, for a restart.
          maxConcurrency: 24,
          testTimeout: 60_000,
          // The packed package is unpacked in some.
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "consumers",
          include: ["tests/packaging/{consumers,tag}.test.ts"],
          // The first run on a machine installs.
          testTimeout: 900_000,
          maxConcurrency: 2,
        },
      },
      {
        test: { name: "browser", include: ["tests/browser/**/*.test.ts"], testTimeout: 60_000, hookTimeout: 60_000 },
      },
      {
        plugins: [
          cloudflareTest({
            main: path("tests/worker/worker.ts"),
            miniflare: {
              compatibilityDate: "2026-10-01",
              // As workerd does it: an imported .wasm is a compiled module.
              modulesRules: [{ type: "CompiledWasm", include: ["**/*.wasm", "**/*.wasm?module"] }],
              bindings: {
                CAKE_API_KEY: "CANARY-KEY",
                CAKE_SANDBOX_LOOPBACK: "yes",
                // Nobody listens here for postbacks.
                CAKE_ALLOWED_HOSTS: "nobody.invalid",
              },
              durableObjects: {
                NETWORK: { className: "CakeNetwork", useSQLite: true },
                KEYLESS: { className: "KeylessNetwork", useSQLite: true },
                ODD: { className: "OddNetwork", useSQLite: true },
                OUTBOX: { className: "CakeOutbox", useSQLite: true },
                WISHED: { className: "WishedOutbox", useSQLite: true },
              },
            },
          }),
        ],
        resolve: {
          alias: {
            "cake-edge/forwarder": path("dist/entry/forwarder.workerd.js"),
            "cake-edge/report": path("dist/entry/report.workerd.js"),
            "cake-edge/sandbox": path("dist/entry/sandbox.workerd.js"),
            "cake-edge": path("dist/entry/edge.workerd.js"),
          },
        },
        test: {
          name: "worker",
          include: ["tests/worker/**/*.test.ts"],
          globalSetup: ["tests/client/fault-server.ts", "tests/fake-cake/server.ts"],
          maxConcurrency: 24,
          testTimeout: 20_000,
        },
      },
    ],
  },
});
