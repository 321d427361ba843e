// Reconciles and breaks down, against JavaScript as people write it. Each candidate is a process that reads the same
// files and must find the same classes. Measured are CPU time and peak memory, interleaved, as medians.
// REPORT_ROWS and REPORT_ROUNDS set the size and the length.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeFiles } from "./report/files.ts";

const ROWS = Number(process.env["REPORT_ROWS"] ?? 1_000_000);
const ROUNDS = Number(process.env["REPORT_ROUNDS"] ?? 5);
const PAGES = [500, 10_000];

interface Run {
  readonly answer: Record<string, number>;
  readonly cpuMs: number;
  readonly peakMb: number;
  readonly wasmMb?: number;
}

type Candidate = "ours" | "careful" | "columns";

/** The figures of `npm run bench -- report`. */
export async function measure(): Promise<Record<string, number>> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-bench-"));
  const figures: Record<string, number> = {};
  try {
    // The memory of a process before it reads anything.
    const start = run("ours", "nothing", home).peakMb;
    for (const pageRows of PAGES) {
      const folder = join(home, String(pageRows));
      makeFiles(folder, ROWS, pageRows);
      for (const ask of ["reconcile", "breakdown"] as const) {
        const runs = compare(ask, folder);
        const ratio = (other: Candidate) =>
          median(runs[other].map((each, round) => each.cpuMs / at(runs.ours, round).cpuMs));
        const memory = (other: Candidate) =>
          median(runs.ours.map((each, round) => (each.peakMb - start) / (at(runs[other], round).peakMb - start)));
        // The page size that is better for the peers counts.
        const least = (name: string, value: number) => {
          figures[name] = Math.min(figures[name] ?? Number.POSITIVE_INFINITY, value);
        };
        const most = (name: string, value: number) => {
          figures[name] = Math.max(figures[name] ?? 0, value);
        };
        least(`${ask}_vs_careful`, ratio("careful"));
        least(`${ask}_vs_columns`, ratio("columns"));
        most(`${ask}_memory_vs_careful`, memory("careful"));
        if (ask === "reconcile")
          most("bytes_per_row", median(runs.ours.map(({ wasmMb = 0 }) => (wasmMb * 1_048_576) / (2 * ROWS))));
      }
      rmSync(folder, { recursive: true });
    }
    const small = join(home, "small");
    const large = join(home, "large");
    makeFiles(small, ROWS, 500);
    makeFiles(large, 4 * ROWS, 500);
    const growth = Array.from({ length: Math.min(3, ROUNDS) }, () => {
      const one = run("ours", "reconcile", small).cpuMs;
      return run("ours", "reconcile", large).cpuMs / 4 / one;
    });
    figures["growth_1m_to_4m"] = median(growth);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return figures;
}

function compare(ask: "reconcile" | "breakdown", folder: string): Record<Candidate, Run[]> {
  const runs: Record<Candidate, Run[]> = { ours: [], careful: [], columns: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const candidate of ["ours", "careful", "columns"] as const) runs[candidate].push(run(candidate, ask, folder));
  }
  const expected = sorted(at(runs.ours, 0).answer);
  for (const [candidate, [first]] of Object.entries(runs)) {
    const found = sorted(first?.answer ?? {});
    if (found !== expected) throw new Error(`${ask}: ${candidate} comes to ${found}, not ${expected}`);
  }
  return runs;
}

function run(candidate: Candidate, ask: string, folder: string): Run {
  const program = fileURLToPath(new URL(`report/${candidate}.ts`, import.meta.url));
  const output = execFileSync(process.execPath, ["--no-warnings", program, ask, folder], { encoding: "utf8" });
  console.error(`${ask} ${candidate}: ${output.trim()}`);
  return JSON.parse(output) as Run;
}

function sorted(answer: Record<string, number>): string {
  return JSON.stringify(Object.entries(answer).sort(([one], [other]) => one.localeCompare(other)));
}

function at(runs: readonly Run[], round: number): Run {
  return runs[round] ?? { answer: {}, cpuMs: 1, peakMb: 1 };
}

function median(values: number[]): number {
  const list = values.toSorted((one, other) => one - other);
  return Number((list[Math.floor(list.length / 2)] ?? 0).toPrecision(4));
}
