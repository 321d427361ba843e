/**
 * Cloudflare Queues in front of the forwarder: any Worker adds conversions to a queue by a service binding, and the
 * consumer hands them to the forwarder in batches. See docs/scale.md.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import { signConversion } from "cake-edge";

interface Env {
  /** The forwarder's Worker, by a service binding. */
  readonly FORWARDER: Fetcher;
  readonly CONVERSIONS: Queue;
  /** Conversions that the forwarder refuses for good, and why. */
  readonly REFUSED: Queue;
  /** The first of the forwarder's `signingSecrets`. */
  readonly CAKE_SIGNING_SECRET: string;
  /** The wait before another try, in seconds; it doubles each time, up to an hour. @default 10 */
  readonly CAKE_RETRY_SECONDS?: string;
}

/** What the forwarder answers to one conversion of a batch. */
interface Result {
  readonly error?: { readonly code: string; readonly retryable: boolean };
}

/** The most conversions of one request, and the most bytes of its body, with some room. A `sendBatch` has the same limits. */
const MAX_BATCH = 100;
const MAX_BYTES = 250_000;

const MAX_WAIT_S = 3_600;

/** The producer. Other Workers bind it as a service with the entrypoint `Conversions`. */
export class Conversions extends WorkerEntrypoint<Env> {
  /** Adds conversions. Once it has resolved, Queues keeps them for as long as the queue's retention says. */
  async add(conversions: readonly object[]): Promise<void> {
    const items = conversions.map((body) => ({ body, text: JSON.stringify(body) }));
    for (const part of partsOf(items)) await this.env.CONVERSIONS.sendBatch(part.map(({ body }) => ({ body })));
  }
}

export default {
  /** The consumer. Each message is acknowledged, retried or put aside by the forwarder's own answer to it. */
  async queue(batch, env) {
    const items = batch.messages.map((message) => ({ message, text: textOf(message.body) ?? "null" }));
    for (const part of partsOf(items)) {
      const answer = await handOver(
        part.map(({ text }) => text),
        env,
      );
      for (const [index, { message }] of part.entries()) {
        const result = answer.results[index];
        if (result === undefined || result.error?.retryable === true) {
          message.retry({ delaySeconds: waitOf(message.attempts, answer.waitS, env) });
        } else if (result.error === undefined) {
          // Accepted now, or known from before: a repetition of a batch does no harm.
          message.ack();
        } else {
          // The forwarder will say no each time.
          await putAside(message, result.error, env);
        }
      }
    }
  },
} satisfies ExportedHandler<Env>;

/** A message as JSON. `undefined` where JSON does not hold all of it, as of a BigInt, a Map or a cycle. */
function textOf(body: unknown): string | undefined {
  try {
    return JSON.stringify(body, (_, value: unknown) => {
      if (value instanceof Map || value instanceof Set) throw new TypeError("JSON loses its entries");
      return value;
    });
  } catch {
    return undefined;
  }
}

/** Puts a message aside before it is acknowledged. Where that fails, it alone comes again, and not its whole batch. */
async function putAside(message: Message, error: Result["error"], env: Env): Promise<void> {
  try {
    const contentType = textOf(message.body) === undefined ? "v8" : "json";
    await env.REFUSED.send({ conversion: message.body, error }, { contentType });
  } catch {
    // Such as one that is too long together with its error: it ends in the dead-letter queue.
    return message.retry({ delaySeconds: waitOf(message.attempts, 0, env) });
  }
  message.ack();
}

interface Answer {
  /** In the order of the conversions; empty where the forwarder did not take the request. */
  readonly results: readonly Result[];
  /** How long the forwarder asks to be left alone, in seconds. */
  readonly waitS: number;
}

/** Hands conversions over in one signed request. */
async function handOver(texts: readonly string[], { FORWARDER, CAKE_SIGNING_SECRET }: Env): Promise<Answer> {
  const body = `{"conversions":[${texts.join(",")}]}`;
  try {
    const response = await FORWARDER.fetch("https://forwarder/cake/conversions", {
      method: "POST",
      headers: { "content-type": "application/json", ...(await signConversion(body, CAKE_SIGNING_SECRET)) },
      body,
    });
    if (response.status === 202) return { ...((await response.json()) as Pick<Answer, "results">), waitS: 0 };
    const { error } = (await response.json()) as Result;
    console.error(
      JSON.stringify({ event: "queue", status: response.status, code: error?.code, alert: response.status !== 503 }),
    );
    return { results: [], waitS: Number(response.headers.get("retry-after")) || 0 };
  } catch {
    // No answer, or one that breaks off: the forwarder may have accepted them, and will know them.
    return { results: [], waitS: 0 };
  }
}

function waitOf(attempts: number, askedS: number, { CAKE_RETRY_SECONDS }: Env): number {
  const waitS = Number(CAKE_RETRY_SECONDS ?? 10) * 2 ** Math.min(attempts - 1, 16);
  return Math.min(MAX_WAIT_S, Math.max(waitS, askedS));
}

/** Parts that fit into one request. */
function partsOf<Item extends { readonly text: string }>(items: readonly Item[]): Item[][] {
  const parts: Item[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const item of items) {
    const length = new TextEncoder().encode(item.text).length + 1;
    const last = parts.at(-1);
    if (last === undefined || last.length >= MAX_BATCH || bytes + length > MAX_BYTES) {
      parts.push([item]);
      bytes = length;
    } else {
      last.push(item);
      bytes += length;
    }
  }
  return parts;
}
