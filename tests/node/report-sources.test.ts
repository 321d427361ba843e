// Sources of a report that stall, fail or are refused: the reader lets go of them, and the report is usable afterwards.
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { openReport, type ReportSource } from "../../dist/entry/report.node.js";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Each kind of source, which gives one part and then stalls; `isLeft` says whether the reader has let go of it. */
function stalled(): { name: string; source: () => { source: ReportSource; isLeft: () => boolean } }[] {
  const part = bytes("order_id,date,revenue\n1,2026-06-01,22.00\n");
  const never = () => new Promise<never>(() => {});
  const ofStream = (type: "bytes" | undefined) => () => {
    let isLeft = false;
    const parts = [part];
    const source = new ReadableStream({
      ...(type && { type }),
      pull: (controller: ReadableStreamDefaultController) => {
        const next = parts.pop();
        if (next !== undefined) controller.enqueue(next.slice());
        return next === undefined ? never() : undefined;
      },
      // A source that does not even answer to this.
      cancel: () => {
        isLeft = true;
        return never();
      },
    } as UnderlyingDefaultSource) as ReadableStream<Uint8Array>;
    return { source, isLeft: () => isLeft };
  };
  return [
    { name: "a stream", source: ofStream(undefined) },
    { name: "a stream of bytes", source: ofStream("bytes") },
    {
      name: "an iterable",
      source: () => {
        let isLeft = false;
        const parts = [part];
        const iterator = {
          next: async () => ({ done: false as const, value: parts.pop() ?? (await never()) }),
          return: () => {
            isLeft = true;
            return never();
          },
        };
        return { source: { [Symbol.asyncIterator]: () => iterator } as ReportSource, isLeft: () => isLeft };
      },
    },
    {
      name: "a Node stream",
      source: () => {
        const parts = [part];
        const source = new Readable({
          read() {
            const next = parts.pop();
            if (next !== undefined) this.push(next);
          },
        });
        return { source: source as ReportSource, isLeft: () => source.destroyed };
      },
    },
    {
      name: "a list of streams",
      source: () => {
        const inner = ofStream(undefined)();
        return { source: [part, inner.source] as ReportSource, isLeft: inner.isLeft };
      },
    },
    {
      name: "a promise in a list",
      source: () => ({ source: [part, never()] as unknown as ReportSource, isLeft: () => true }),
    },
  ];
}

test.each(stalled())("abort and disposal end the reading of $name that stalls", async ({ name, source }) => {
  const report = await openReport();
  for (const isEarly of [false, true]) {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    if (isEarly) controller.abort(reason);
    const given = source();
    const added = report.addOrders(given.source, { signal: controller.signal });
    const outcome = expect(added).rejects.toMatchObject({ code: "aborted", cause: reason });
    if (!isEarly) await new Promise((resolve) => setTimeout(resolve, 20));
    controller.abort(reason);
    await outcome;
    await Promise.resolve();
    // A list's later parts are not touched before they are read.
    expect(given.isLeft()).toBe(!isEarly || name !== "a list of streams");
    expect(report.understood()).toEqual([]);
  }
  await report.addOrders(bytes("order_id,date,revenue\n1,2026-06-01,22.00\n"));
  await report.addConversions(bytes("[]"));
  const result = await report.reconcile();
  expect(result.orders).toBe(1);
  // A file that was aborted before it began has changed nothing.
  await report.addOrders(source().source, { signal: AbortSignal.abort() }).catch(() => {});
  expect([...result.rows()]).toHaveLength(1);
  const given = source();
  const added = report.addOrders(given.source);
  const outcome = expect(added).rejects.toMatchObject({
    code: "aborted",
    message: expect.stringContaining("disposed"),
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  report.dispose();
  await outcome;
  expect(given.isLeft()).toBe(true);
});

test("a source that fails or is refused is let go of, and its own error comes out", async () => {
  using report = await openReport();
  const left: string[] = [];
  const refused = async function* () {
    try {
      yield bytes("order_id,date,revenue\n");
      yield 7 as unknown as Uint8Array;
    } finally {
      await Promise.resolve();
      left.push("refused");
    }
  };
  await expect(report.addOrders(refused())).rejects.toMatchObject({ code: "invalid_field" });
  const failed = async function* () {
    yield bytes("order_id,date,revenue\n");
    throw new Error("disk");
  };
  await expect(report.addOrders(failed())).rejects.toThrow("disk");
  const stream = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(bytes("\u0000\u0000\u0000\u0000")),
    cancel: async () => {
      await Promise.resolve();
      left.push("stream");
    },
  });
  await expect(report.addOrders(stream)).rejects.toMatchObject({ code: "unreadable_file" });
  expect(left).toEqual(["refused", "stream"]);
});

test("disposal ends a matching", async () => {
  const report = await openReport();
  const lines = Array.from({ length: 300_000 }, (_, index) => `${index},2026-06-01 10:00:00,1.00`);
  await report.addOrders(bytes(`order_id,date,revenue\n${lines.join("\n")}\n`));
  await report.addConversions(bytes(`order_id,conversion_date,revenue\n${lines.join("\n")}\n`));
  const outcome = report.reconcile({ onProgress: () => report.dispose() });
  await expect(outcome).rejects.toMatchObject({ code: expect.stringMatching(/aborted|invalid_field/) });
});
