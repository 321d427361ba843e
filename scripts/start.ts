// npm start: builds, serves on 127.0.0.1, does the main job once and prints it.
// `-- --once` stops after the transcript.
import { parseArgs } from "node:util";
import { BuildError, buildPages, buildServers } from "./build.ts";
import { type Served, serve } from "./serve.ts";
import { StepFailed, walk } from "./walk.ts";

const { values } = parseArgs({ options: { once: { type: "boolean", default: false } } });
/** The history in the demo's plots. */
const PAST = { days: 30, clicks: 20_000 };

const started = Date.now();
const port = Number(process.env["PORT"] ?? 8787);
let served: Served | undefined;

try {
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new BuildError(`PORT must be a whole number up to 65535, not ${JSON.stringify(process.env["PORT"])}`);
  }
  await buildServers();
  served = await serve(port);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Not `once`: npm and the terminal may both pass the signal on, and the second one must not interrupt the stop.
    process.on(signal, () => void served?.stop());
  }
  for await (const line of walk(served)) console.log(line);
  console.log(`\ntranscript after ${((Date.now() - started) / 1000).toFixed(1)} s`);
  if (values.once) {
    await served.stop();
  } else {
    // The transcript has not waited for the browser's part of the build.
    await buildPages();
    await makePast(served.origin);
    console.log(`\nServing on ${served.origin}: open it in a browser. Ctrl-C stops everything.`);
    console.log(
      `The forwarder's page for its operator: ${served.origin}/cake/operator, secret ${served.operatorSecret}`,
    );
    await served.ended;
    await served.stop();
  }
} catch (error) {
  await served?.stop();
  if (!(error instanceof BuildError || error instanceof StepFailed)) throw error;
  console.error(`start: ${error.message}`);
  process.exitCode = 1;
}

/** Generates a history without progress messages: it takes a second. */
async function makePast(origin: string): Promise<void> {
  const answer = await fetch(`${origin}/__sandbox/history`, { method: "POST", body: JSON.stringify(PAST) });
  await answer.text();
}
