/**
 * The shared parts of `postbacks` and `corrections`: a file whose rows are sent one by one, with a journal beside it.
 */
import { existsSync } from "node:fs";
import { beside, isSameFile } from "./journal.js";
import { endingOf, type OptionValues, UsageError } from "./usage.js";

/** The options that both commands have. */
export const ROW_OPTION_TYPES = {
  file: { type: "string" },
  "base-url": { type: "string" },
  apply: { type: "boolean" },
  rate: { type: "string" },
  ignore: { type: "string", multiple: true },
  journal: { type: "string" },
  settle: { type: "string", multiple: true },
  json: { type: "boolean" },
} as const;

/** The same options, parsed; `Done` is the outcome of a row that CAKE has accepted. */
export interface RowOptions<Done extends string> {
  readonly file: string;
  readonly baseUrl: string | undefined;
  readonly isApplied: boolean;
  readonly rateLimit: number;
  readonly ignored: readonly string[];
  readonly journal: string;
  /** The outcomes that a person has seen in CAKE, by line. */
  readonly settled: ReadonlyMap<number, Done | "missing">;
  readonly isJson: boolean;
}

/** @throws UsageError */
export function readRowOptions<Done extends string>(values: OptionValues, done: Done): RowOptions<Done> {
  const one = (name: string) => values[name] as string | undefined;
  const many = (name: string) => (values[name] as string[] | undefined) ?? [];
  const file = one("file");
  const baseUrl = one("base-url");
  if (file === undefined) throw new UsageError("--file is needed: the rows, as CSV");
  const rateLimit = Number(one("rate") ?? "2");
  if (!(rateLimit > 0 && rateLimit <= 1_000)) throw new UsageError("--rate must be a number above 0 and at most 1000");
  const settled = new Map(
    many("settle").map((text) => {
      const [, line, word] = /^(\d+)=(\w+)$/.exec(text.toLowerCase()) ?? [];
      const state = ([done, "missing"] as const).find((known) => known === word);
      if (state === undefined) {
        throw new UsageError(`--settle takes a line and what is true: 12=${done}, 12=missing`);
      }
      return [Number(line), state] as const;
    }),
  );
  const isApplied = values["apply"] === true;
  if ((isApplied || settled.size > 0) && baseUrl === undefined) {
    throw new UsageError("--base-url is needed with --apply and --settle: your CAKE domain");
  }
  const journal = one("journal") ?? journalOf(file);
  if (isSameFile(file, journal)) {
    throw new UsageError("--journal and --file are one file: the journal would be written into the rows");
  }
  return {
    file,
    baseUrl,
    isApplied,
    rateLimit,
    ignored: many("ignore"),
    journal,
    settled,
    isJson: values["json"] === true,
  };
}

/** The journal beside the rows. */
function journalOf(file: string): string {
  const journal = beside(file, ".journal");
  const other = `${file}.journal`;
  if (existsSync(other) && !isSameFile(other, journal)) {
    throw new UsageError(
      `${file} is a link, with a journal beside it, and the journal of its rows is ${journal}: add the lines of ${other} to it and remove that, or name one with --journal`,
    );
  }
  return journal;
}

/**
 * Runs a command, and returns its exit status: 2 for a mistake of the caller, 4 for a problem of account or network.
 */
export async function withExitStatus(command: string, run: () => Promise<number> | number): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const ending = endingOf(error);
    if (ending === undefined) throw error;
    console.error(`cake-edge ${command}: ${ending.sentence}`);
    return ending.status;
  }
}

/** `3 ready, 1 invalid`. */
export function summaryOf(rows: readonly { readonly outcome?: string }[]): string {
  const counts = new Map<string, number>();
  for (const { outcome = "" } of rows) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return [...counts].map(([outcome, count]) => `${count} ${outcome}`).join(", ") || "none";
}

/**
 * Runs until the end, or until this process is asked to end: the row under way keeps its outcome, and no other is sent.
 * `send` gets the signal for it.
 */
export async function untilAsked<Done>(command: string, send: (signal: AbortSignal) => Promise<Done>): Promise<Done> {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) return;
    controller.abort();
    console.error(
      `cake-edge ${command}: no other row is sent. It waits for the outcome of a request under way: at most a minute as a rule, longer where CAKE asks for it. A killed run leaves that row unknown`,
    );
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  try {
    return await send(controller.signal);
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
  }
}
