/** Carries out the steps of attempts, as the core decides them (`src/delivery/attempt.rs`). */
import type { Deliverer } from "../wasm/forwarder.js";
import { Deadlines } from "./deadlines.js";
import type { ResolvedOptions } from "./options.js";
import type { Row } from "./store.js";

/** What an attempt asks of its shard. */
export type Question = "siblings" | "conversion" | "family" | "sending";

/** Answers a question as the core reads it; an error leaves it unknown. */
export type Ask = (question: Question, conversionId?: number) => Promise<string>;

/** This object's knowledge of a waiting event that has no attempt under way. */
export type Knowledge = "not_recorded" | "in_doubt";

/** The facts of an attempt beside its row (`src/delivery/attempt/step.rs`). */
export interface Facts {
  readonly isDeduplicated: boolean;
  /** Empty where nothing is known; `copied` for a row of a copy that was put back. */
  readonly knowledge: Knowledge | "copied" | "";
  readonly quietFromMs: number;
}

/** An answer: read as a whole, without a Retry-After, or a `Response` for the core to read, by the names of its fields. */
export type Answered = { readonly status: number; readonly body: Uint8Array } | { readonly response: object };

/** Sends a request whose answer has a body of at most `limit` bytes; `signal` ends it. */
export type Send = (url: string, signal: AbortSignal, limit: number) => Promise<Answered>;

/** Attempts of one shard. */
export class Attempts {
  readonly #deliverer: () => Deliverer;
  readonly #fetch: ResolvedOptions["fetch"];
  readonly #send: Send;
  readonly #deadlines: Deadlines;
  readonly #clockSpeed: number;

  /** `send` stands in for the platform's `fetch`, where the host has a better way. */
  constructor(
    {
      deliverer,
      fetch,
      timeoutMs,
      clockSpeed,
    }: Pick<ResolvedOptions, "deliverer" | "fetch" | "timeoutMs" | "clockSpeed">,
    send: Send = sendByFetch,
  ) {
    this.#deliverer = deliverer;
    this.#fetch = fetch;
    this.#send = send;
    this.#clockSpeed = clockSpeed;
    this.#deadlines = new Deadlines(timeoutMs);
  }

  /** Makes an attempt at a row; returns the row's change as JSON. */
  async make(row: Row, { isDeduplicated, knowledge, quietFromMs }: Facts, ask: Ask): Promise<string> {
    const deliverer = this.#deliverer();
    const attempt = deliverer.start(
      row.number,
      row.text,
      row.accepted_at,
      Math.floor(row.accepted_ms / this.#clockSpeed),
      row.attempts,
      row.is_in_doubt === 1,
      row.code,
      row.changed_ms,
      isDeduplicated,
      knowledge,
      quietFromMs,
    );
    try {
      for (;;) {
        const step = deliverer.step(attempt);
        if (step === undefined) await this.#exchange(deliverer, attempt);
        else if (step.startsWith("{")) return step;
        else {
          // A question, maybe with the id of the conversion that CAKE names.
          const [question, id] = step.split(" ") as [Question, string?];
          const asked = ask(question, id === undefined ? undefined : Number(id));
          deliverer.told(attempt, await asked.catch(() => undefined));
        }
      }
    } finally {
      deliverer.end(attempt);
    }
  }

  /** Sends an attempt's request and reports the answer. Redirects are not followed: their target would see the key. */
  async #exchange(deliverer: Deliverer, attempt: number): Promise<void> {
    const deadline = this.#deadlines.start();
    const { signal } = deadline;
    const standIn = this.#fetch;
    try {
      // The URL may hold the key: it is in these two lines and nowhere else.
      const answered = await deadline.race(
        standIn === undefined
          ? this.#send(deliverer.url(attempt), signal, deliverer.limit(attempt))
          : askStandIn(standIn, new Request(deliverer.url(attempt), requestInit(signal))),
      );
      if ("response" in answered) await deliverer.receive(attempt, answered.response, signal);
      else deliverer.answered(attempt, answered.status, answered.body);
    } catch (thrown) {
      deliverer.failed(attempt, thrown, deadline.isReached);
    } finally {
      this.#deadlines.end(deadline);
    }
  }
}

async function askStandIn(standIn: NonNullable<ResolvedOptions["fetch"]>, request: Request): Promise<Answered> {
  return { response: await standIn(request) };
}

async function sendByFetch(url: string, signal: AbortSignal, limit: number): Promise<Answered> {
  const response = await fetch(url, requestInit(signal));
  if (!isShort(response, limit)) return { response };
  // One turn of the event loop, where a stream takes three.
  return { status: response.status, body: new Uint8Array(await response.arrayBuffer()) };
}

/**
 * Is the answer one with a body whose length is known and within the limit? A packed body may become longer. A
 * Retry-After is the core's to read.
 */
function isShort({ status, headers }: Response, limit: number): boolean {
  const length = headers.get("content-length");
  return (
    status === 200 &&
    length !== null &&
    /^\d+$/.test(length) &&
    Number(length) <= limit &&
    headers.get("content-encoding") === null &&
    headers.get("retry-after") === null
  );
}

/** Does the platform know the option `cache`? A Worker's compatibility date may be older than it. */
let knowsCache: boolean | undefined;

function requestInit(signal: AbortSignal): RequestInit {
  const init: RequestInit = { redirect: "manual", signal };
  if (knowsCache === undefined) {
    try {
      knowsCache = new Request("https://cake.invalid", { cache: "no-store" }) !== undefined;
    } catch {
      knowsCache = false;
    }
  }
  return knowsCache ? { ...init, cache: "no-store" } : init;
}
