/** `workers/queues` in a test: its consumer ends in the middle of a batch when the test requests it. */
import worker, { Conversions } from "../../workers/queues/index.ts";

export { Conversions };

interface Env {
  /** Returns the number of acknowledgements after which the next batch's consumer ends; "" for never. */
  readonly FAULTS: Fetcher;
}

export default {
  async fetch(request, env, ctx) {
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
