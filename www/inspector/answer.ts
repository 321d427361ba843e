/** Shows how the client reads an answer from CAKE. */
import type { ReadAnswer } from "./answers.worker.js";
import type { Report } from "./report.js";

let worker: Worker | undefined;

/** Lets the client read the text, in a worker. */
export async function readAnswer(text: string): Promise<Report> {
  worker ??= new Worker(new URL("./answers.worker.ts", import.meta.url), { type: "module" });
  const running = worker;
  const answer = await new Promise<ReadAnswer>((resolve, reject) => {
    running.onmessage = ({ data }: MessageEvent<ReadAnswer>) => resolve(data);
    running.onerror = () => reject(new Error("the worker that reads answers did not start"));
    running.postMessage(text);
  });
  return reportOf(answer);
}

function reportOf({ action, value, error, warnings = [] }: ReadAnswer): Report {
  if (error !== undefined) {
    return {
      kind: "answer",
      verdict: "A failure, or no answer of CAKE's: the call throws.",
      isGood: false,
      facts: [
        ["Read as", action],
        ["It throws", error],
      ],
      findings: [],
    };
  }
  const page = value as { readonly rows?: readonly object[]; readonly totalRows?: number };
  const rows = Array.isArray(value) ? (value as object[]) : (page.rows ?? [value as object]);
  const shown = Object.entries(rows[0] ?? {}).filter(([, field]) => field !== undefined);
  return {
    kind: "answer",
    verdict: warnings.length === 0 ? `A success of ${action}.` : `A success of ${action}, not read in full.`,
    isGood: warnings.length === 0,
    facts: [
      ["Read as", action],
      ["Rows", page.totalRows === undefined ? `${rows.length}` : `${rows.length} of ${page.totalRows}`],
      ...shown.map(([name, field]) => [`First row, ${name}`, textOf(field)] as const),
    ],
    findings: warnings,
  };
}

function textOf(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
