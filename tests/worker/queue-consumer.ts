/** `workers/queues` in a test: its consumer ends in the middle of a batch when the test requests it. */
import worker, { Conversions } from "../../workers/queues/index.ts";

export { Conversions };

interface Env {
  /** Returns the number of acknowledgements after which the next batch's consumer ends; "" for never. */
  readonly FAULTS: Fetcher;
  readonly CONVERSIONS: Queue;
}

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/unreadable") {
      // A producer of somebody's own, whose messages are no JSON.
      const cyclic: Record<string, unknown> = {};
      cyclic["itself"] = cyclic;
      const bodies = [10n, { value: 10n }, new Map([["offerId", 1]]), { of: new Set([1]) }, cyclic];
      const others = [new Date(0), "x".repeat(127_900)];
      await env.CONVERSIONS.sendBatch([...bodies, ...others].map((body) => ({ body, contentType: "v8" })));
    }
    // Other Workers call the entrypoint by a binding; the test calls it by this route.
    await new Conversions(ctx, env as never).add(await request.json<object[]>());
    return new Response(null, { status: 204 });
  },
  async queue(batch, env) {
    const wished = await (await env.FAULTS.fetch("https://faults/")).text();
    if (wished === "") return worker.queue(batch, env as never);
    let left = Number(wished);
    const messages = batch.messages.map((message) => ({
      body: message.body,
      attempts: message.attempts,
      retry: (options?: QueueRetryOptions) => message.retry(options),
      ack() {
        if (left === 0) throw new Error("the consumer has ended");
        left -= 1;
        message.ack();
      },
    }));
    return worker.queue({ ...batch, messages } as never, env as never);
  },
} satisfies ExportedHandler<Env>;
