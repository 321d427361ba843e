// npm run deny: licences, sources and the advisories, whose database is fetched; `npm run check` has the rest without.
import { spawnSync } from "node:child_process";
import { root } from "./build.ts";

const { status } = spawnSync("cargo", ["deny", "check"], { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
