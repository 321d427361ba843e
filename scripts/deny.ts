// npm run deny: licences, sources, and advisories from the fetched database. `npm run check` checks all but the
// advisories.
import { spawnSync } from "node:child_process";
import { root } from "./build.ts";

const { status } = spawnSync("cargo", ["deny", "check"], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
