// A report in workerd: the module is already compiled, and no Node API exists.
import { openReport } from "cake-edge/report";
import { expect, test } from "vitest";

test("a report reconciles streams in a Worker", async () => {
  const report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
  const stream = (text: string) => new Response(text).body as ReadableStream<Uint8Array>;
  await report.addOrders(stream("unique_id,date,revenue\nA,2026-06-01,22.00\nB,2026-06-02,22.00\n"));
  await report.addConversions(stream('[{"conversion_id":1,"unique_id":"A","revenue":22.00}]'));
  const { counts } = await report.reconcile();
  expect(counts.matched).toEqual({ orders: 1, conversions: 1 });
  expect(counts.missing_at_cake).toEqual({ orders: 1, conversions: 0 });
  report.dispose();
});

test("abort ends the reading of a stream that stalls in a Worker", async () => {
  const report = await openReport();
  const controller = new AbortController();
  const { readable, writable } = new TransformStream<Uint8Array>();
  const added = report.addOrders(readable, { signal: controller.signal });
  const outcome = expect(added).rejects.toMatchObject({ code: "aborted" });
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode("unique_id\nA\n"));
  controller.abort();
  await outcome;
  // The stream was cancelled.
  await expect(writer.closed).rejects.toBeDefined();
  await report.addOrders(new TextEncoder().encode("unique_id\nA\n"));
  report.dispose();
});
