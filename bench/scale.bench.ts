// The forwarder beyond one machine, simulated: the rules themselves run second by second, or message by message, so
// every run gives the same figures. Prints the tables of docs/scale.md.
import { execFileSync } from "node:child_process";
import { root } from "../scripts/build.ts";

/** The simulations, and the prefix of the names of their figures. */
const SIMULATIONS = {
  outage: "delivery::simulation::an_outage",
  fleet: "delivery::simulation::ten",
  reshard: "shards::simulation",
};

export async function measure(): Promise<Record<string, number>> {
  const figures: Record<string, number> = {};
  for (const [name, filter] of Object.entries(SIMULATIONS)) {
    const args = ["test", "--quiet", "--features", "forwarder", "--lib", filter, "--", "--nocapture"];
    const output = execFileSync("cargo", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
    const [head = [], , ...rows] = output
      .split("\n")
      .filter((line) => line.startsWith("|"))
      .map(cellsOf);
    if (rows.length === 0) throw new Error(`no simulation is named ${filter}`);
    console.error([head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n"));
    for (const [place, cells] of rows.entries()) {
      // The first cell names the simulated case.
      for (const [at, cell] of cells.entries()) {
        const [number] = /^[\d.]+/.exec(cell) ?? [];
        if (at > 0 && number !== undefined) figures[`${name}_${place + 1}_${nameOf(head[at] ?? "")}`] = Number(number);
      }
    }
  }
  return figures;
}

function cellsOf(line: string): string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

function nameOf(head: string): string {
  return head.toLowerCase().replaceAll(/[^a-z0-9]+/g, "_");
}
