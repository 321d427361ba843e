// npm run bench -- NAME: measures one thing and its peers, in one run.
// `--json` as the last argument prints only the figures.
import { existsSync, globSync } from "node:fs";
import { basename, join } from "node:path";
import { BuildError, build, root } from "./build.ts";

const names = globSync("*.bench.ts", { cwd: join(root, "bench") })
  .map((file) => basename(file, ".bench.ts"))
  .sort();
const [name, ...rest] = process.argv.slice(2);
const file = join(root, "bench", `${name}.bench.ts`);
if (name === undefined || !existsSync(file)) {
  console.error(`bench: say which: ${names.map((known) => `npm run bench -- ${known}`).join(", ")}`);
  process.exit(2);
}
try {
  await build();
  const { measure } = (await import(file)) as { measure: () => Promise<Record<string, number>> };
  const figures = await measure();
  if (rest.at(-1) === "--json") console.log(JSON.stringify(figures));
  else console.table(figures);
} catch (error) {
  if (!(error instanceof BuildError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
