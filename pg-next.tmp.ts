import { landOn, closeBrowser } from "./tests/packaging/site.ts";
import { spawn } from "node:child_process";
const dir = process.argv[2];
const child = spawn("node_modules/.bin/next", ["start", "-p", "5199"], { cwd: dir, detached: true, stdio: ["ignore", "pipe", "inherit"] });
await new Promise<void>((r) => child.stdout.on("data", (d) => String(d).includes("Ready") && r()));
for (const hasWasm of [true, false]) {
  try { console.log(dir, hasWasm, await landOn("http://localhost:5199/", { hasWasm })); } catch (e) { console.log(String(e).slice(0, 400)); }
}
process.kill(-(child.pid ?? 0), "SIGKILL");
await closeBrowser();
