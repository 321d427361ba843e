/**
 * Sends writes that cannot be repeated, one by one. The journal gets an entry before each write leaves and once its
 * outcome is known, so that a rerun sends nothing twice. Postbacks and corrections share this file.
 */
import { abortedError, type CakeError, isCakeError } from "../error.js";
import { copyOf, refuse } from "../option.js";
import { elapsed, startTimer } from "../timer.js";
import { intervalOf } from "./client.js";

/** A journal's entry about a step, without its subject. */
export interface Step {
  readonly state: "sending" | "refused" | "unknown";
  /** The error's message. */
  readonly message?: string | undefined;
}

/** The outcome of a write. */
export type Sent<Done> =
  | { readonly outcome: "done"; readonly done: Done }
  | { readonly outcome: "refused" | "unknown" | "left"; readonly error: CakeError };

/** Sends writes one after the other. */
export interface Sender {
  /** Why nothing more is sent: CAKE refuses the key, an outage, `aborted`. */
  readonly stopped: CakeError | undefined;
  /**
   * Notes, sends, and notes the outcome; the caller itself notes a success. An error that is not CAKE's is thrown: it
   * comes from the journal or a caller, and the row stays `sending`.
   */
  send<Done>(note: (step: Step) => void | Promise<void>, write: () => Promise<Done>): Promise<Sent<Done>>;
}

/** @throws CakeError `invalid_field` if they are no list of objects */
export function listRows<Row>(rows: Iterable<Row>): Row[] {
  if (typeof rows !== "object" || rows === null || !(Symbol.iterator in rows)) refuse("rows", "must be a list");
  const list = [...rows];
  list.forEach((row, index) => {
    if (typeof row !== "object" || row === null || Array.isArray(row)) refuse(`rows[${index}]`, "must be an object");
  });
  return list;
}

/** The rows as they are at the call: a run may wait for another one, and takes its time. */
export function copyRows<Row>(rows: Iterable<Row>): Row[] {
  return listRows(rows).map(copyOf);
}

/** The last run over each journal. */
const runs = new WeakMap<object, Promise<unknown>>();

/** Runs one after the other over a journal: two at once would both send what neither has noted. */
export function inTurn<Done>(journal: object | undefined, run: () => Promise<Done>): Promise<Done> {
  // Refused by the run itself.
  if (typeof journal !== "object" || journal === null) return run();
  const turn = (runs.get(journal) ?? Promise.resolve()).then(run, run);
  runs.set(journal, turn);
  return turn;
}

/** After this many rows in a row without a clear answer CAKE is down: each further row would be one more to look up. */
const MAX_UNKNOWN = 2;
/** How often a row waits for a rate limit to pass; then the longest wait. */
const MAX_WAITS = 5;
const MAX_WAIT_MS = 60_000;

/** Errors that every further row would get too. */
const STOPS: ReadonlySet<string> = new Set(["unauthorized", "rate_limited", "read_only", "aborted", "internal"]);

/** Makes a sender with a limit of requests a second; `signal` ends it between two requests. */
export function createSender(rateLimit: number, signal: AbortSignal | undefined): Sender {
  const pause = intervalOf(rateLimit);
  let stopped: CakeError | undefined;
  let unknown = 0;
  let sentAt = Number.NEGATIVE_INFINITY;
  const leave = (error: CakeError) => {
    stopped = error;
    return { outcome: "left", error } as const;
  };
  return {
    get stopped() {
      return stopped;
    },
    async send(note, write) {
      for (let waits = 0; ; waits += 1) {
        await sleep(sentAt + pause - elapsed(), signal);
        if (signal?.aborted) return leave(abortedError());
        await note({ state: "sending" });
        sentAt = elapsed();
        try {
          const done = await write();
          unknown = 0;
          return { outcome: "done", done };
        } catch (thrown) {
          if (!isCakeError(thrown)) throw thrown;
          const { code, message, cause, retryAfterMs } = thrown;
          if (code === "outcome_unknown") {
            const because = cause instanceof Error ? `: ${cause.message}` : "";
            await note({ state: "unknown", message: `${message}${because}` });
            unknown += 1;
            if (unknown >= MAX_UNKNOWN) stopped = thrown;
            return { outcome: "unknown", error: thrown };
          }
          await note({ state: "refused", message });
          if (code === "rate_limited" && waits < MAX_WAITS && (retryAfterMs ?? 0) <= MAX_WAIT_MS) {
            await sleep(retryAfterMs ?? Math.min(1_000 * 2 ** waits, MAX_WAIT_MS), signal);
            continue;
          }
          if (STOPS.has(code)) return leave(thrown);
          unknown = 0;
          return { outcome: "refused", error: thrown };
        }
      }
    },
  };
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve();
    };
    const timer = startTimer(end, ms);
    signal?.addEventListener("abort", end);
  });
}
