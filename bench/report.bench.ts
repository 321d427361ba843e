// Reconciles and breaks down, against JavaScript as people write it, JavaScript over bytes, DuckDB, Polars and datacompy.
// Each candidate is a process that reads the same files and must find the same classes. Measured are CPU time and peak
// memory, interleaved, as medians; in Chromium, the time from files to the result.
// REPORT_ROWS and REPORT_ROUNDS set the size and the length.
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../scripts/build.ts";
import { compareInBrowser, hasDuckdb, type PageCandidate } from "./report/browser.ts";
import { makeFiles } from "./report/files.ts";

const ROWS = Number(process.env["REPORT_ROWS"] ?? 1_000_000);
const ROUNDS = Number(process.env["REPORT_ROUNDS"] ?? 5);
const PAGES = [500, 10_000];

/** The Python packages of two peers, in a folder that is never committed. */
const PYTHON = ["datacompy==1.1.0", "pandas==3.0.6", "polars==1.44.2"];
const PYTHON_HOME = join(root, "target/peers");

interface Run {
  readonly answer: Record<string, number>;
  readonly cpuMs: number;
  readonly peakMb: number;
  readonly wasmMb?: number;
}

type Ask = "reconcile" | "breakdown";

/** The program of each candidate, by the name of its figure. */
const PROGRAMS = {
  ours: "ours.ts",
  careful: "careful.ts",
  columns: "columns.ts",
  bytes: "bytes.ts",
  duckdb: "duckdb.ts",
  polars: "frames.py",
  datacompy: "compare.py",
} as const;

type Candidate = keyof typeof PROGRAMS;

/** The peers with which no other figure is compared; each reconciles only. */
const TOOLS: readonly Candidate[] = ["duckdb", "polars", "datacompy"];

/** The figures of `npm run bench -- report`. */
export async function measure(): Promise<Record<string, number>> {
  const home = mkdtempSync(join(tmpdir(), "cake-edge-bench-"));
  const figures: Record<string, number> = {};
  try {
    const missing = findMissing();
    // The memory of a process before it reads anything.
    const start = run("ours", "nothing", home).peakMb;
    for (const pageRows of PAGES) {
      const folder = join(home, String(pageRows));
      makeFiles(folder, ROWS, pageRows);
      for (const ask of ["reconcile", "breakdown"] as const) {
        const tools = ask === "reconcile" ? TOOLS.filter((tool) => !missing.has(tool)) : [];
        const runs = compare(ask, folder, ["ours", "careful", "columns", "bytes", ...tools]);
        const ours = runs.get("ours") ?? [];
        const perRound = (other: Candidate, value: (their: Run, our: Run) => number) =>
          median((runs.get(other) ?? []).map((each, round) => value(each, at(ours, round))));
        for (const other of runs.keys()) {
          if (other === "ours") continue;
          // The page size that is better for the peers counts.
          const name = `${ask}_vs_${other}`;
          const ratio = perRound(other, (their, our) => their.cpuMs / our.cpuMs);
          figures[name] = Math.min(figures[name] ?? Number.POSITIVE_INFINITY, ratio);
        }
        const most = (name: string, value: number) => {
          figures[name] = Math.max(figures[name] ?? 0, value);
        };
        const memory = perRound("careful", (their, our) => (our.peakMb - start) / (their.peakMb - start));
        most(`${ask}_memory_vs_careful`, memory);
        if (ask === "reconcile")
          most("bytes_per_row", median(ours.map(({ wasmMb = 0 }) => (wasmMb * 1_048_576) / (2 * ROWS))));
      }
      rmSync(folder, { recursive: true });
    }
    const small = join(home, "small");
    const large = join(home, "large");
    makeFiles(small, ROWS, 500);
    await inChromium(small, "careful", "browser_vs_careful_1m", figures);
    makeFiles(large, 4 * ROWS, 500);
    const growth = Array.from({ length: Math.min(3, ROUNDS) }, () => {
      const one = run("ours", "reconcile", small).cpuMs;
      return run("ours", "reconcile", large).cpuMs / 4 / one;
    });
    figures["growth_1m_to_4m"] = median(growth);
    makeFiles(small, Math.ceil(ROWS / 10), 500);
    if (hasDuckdb()) await inChromium(small, "duckdb", "browser_vs_duckdb_wasm_100k", figures);
    else console.error("not run: DuckDB-wasm, which is not in bench/node_modules");
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
  return figures;
}

async function inChromium(
  folder: string,
  peer: PageCandidate,
  name: string,
  figures: Record<string, number>,
): Promise<void> {
  const { ours = [], [peer]: theirs = [] } = await compareInBrowser(folder, ["ours", peer], ROUNDS);
  figures[name] = median(theirs.map((ms, round) => ms / (ours[round] ?? Number.NaN)));
}

/** The peers that cannot run here; each is printed with the reason. */
function findMissing(): Set<Candidate> {
  const missing = new Set<Candidate>();
  if (!existsSync(join(root, "bench/node_modules/@duckdb/node-api"))) {
    console.error("not run: DuckDB, which is not in bench/node_modules");
    missing.add("duckdb");
  }
  try {
    if (!existsSync(join(PYTHON_HOME, "ready"))) {
      execFileSync("python3", ["-m", "venv", PYTHON_HOME], { stdio: "pipe" });
      execFileSync(join(PYTHON_HOME, "bin/pip"), ["install", "--quiet", ...PYTHON], { stdio: "pipe" });
      execFileSync("touch", [join(PYTHON_HOME, "ready")]);
    }
  } catch (error) {
    console.error(`not run: Polars and datacompy, which pip could not install: ${error}`);
    missing.add("polars").add("datacompy");
  }
  return missing;
}

function compare(ask: Ask, folder: string, candidates: readonly Candidate[]): Map<Candidate, Run[]> {
  const runs = new Map<Candidate, Run[]>(candidates.map((candidate) => [candidate, []]));
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [candidate, list] of runs) list.push(run(candidate, ask, folder));
  }
  const expected = at(runs.get("ours") ?? [], 0).answer;
  for (const [candidate, [first]] of runs) {
    const found = first?.answer ?? {};
    const wanted = candidate === "datacompy" ? inTwoClasses(expected) : expected;
    if (sorted(found) !== sorted(wanted))
      throw new Error(`${ask}: ${candidate} comes to ${sorted(found)}, not ${sorted(wanted)}`);
  }
  return runs;
}

/** The classes that datacompy knows: rows of one side, and rows that differ in any cell. */
function inTwoClasses(answer: Record<string, number>): Record<string, number> {
  const count = (name: string) => answer[name] ?? 0;
  return {
    missing_at_cake: count("missing_at_cake"),
    unknown_to_advertiser: count("unknown_to_advertiser"),
    differs: count("revenue_differs") + count("status_differs"),
  };
}

function run(candidate: Candidate, ask: string, folder: string): Run {
  const file = PROGRAMS[candidate];
  const program = fileURLToPath(new URL(`report/${file}`, import.meta.url));
  const isPython = file.endsWith(".py");
  const command = isPython ? join(PYTHON_HOME, "bin/python") : process.execPath;
  const args = [...(isPython ? [] : ["--no-warnings"]), program, ask, folder];
  // One thread for each. Without the cache, Node would translate TypeScript in the measured time.
  const env = {
    ...process.env,
    POLARS_MAX_THREADS: "1",
    NODE_COMPILE_CACHE: join(root, "target/bench-cache"),
  };
  const output = execFileSync(command, args, { encoding: "utf8", env });
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
