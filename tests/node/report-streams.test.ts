// What a source of a report may give, and what its progress tells.
import { Readable } from "node:stream";
import { expect, test } from "vitest";
import { openReport, type ReportSource } from "../../dist/entry/report.node.js";

const TEXT = "order_id,date,revenue\n1,2026-06-01,22.00\n";
const bytes = (text: string) => new TextEncoder().encode(text);
const streamOf = (...parts: unknown[]) =>
  new ReadableStream({
    start(controller) {
      for (const part of parts) controller.enqueue(part);
      controller.close();
    },
  });

test.each([
  ["a stream of text", () => new Blob([TEXT]).stream().pipeThrough(new TextDecoderStream())],
  ["a stream of bytes and text", () => streamOf(bytes(TEXT), TEXT)],
  ["a Node stream with an encoding", () => Readable.from([Buffer.from(TEXT)]).setEncoding("utf8")],
  ["a Node stream of texts", () => Readable.from([TEXT, TEXT])],
  ["a list of texts", () => [TEXT]],
  // A part that names a file is no path.
  ["a list of paths", () => [import.meta.filename]],
])("%s is refused in plain words", async (_, source) => {
  using report = await openReport();
  await expect(report.addOrders(source() as unknown as ReportSource)).rejects.toMatchObject({
    code: "invalid_field",
    parameter: "source",
    message: expect.stringContaining("must give bytes, and gives text"),
  });
  expect(report.understood()).toEqual([]);
});

test.each([
  ["numbers", () => streamOf(7)],
  ["nothing", () => streamOf(undefined)],
  ["buffers", () => streamOf(bytes(TEXT).buffer)],
  ["larger numbers", () => streamOf(new Uint16Array([1, 2]))],
  ["a list of numbers", () => [7]],
])("a stream of %s is refused in plain words", async (_, source) => {
  using report = await openReport();
  await expect(report.addOrders(source() as unknown as ReportSource)).rejects.toMatchObject({
    code: "invalid_field",
    message: expect.stringContaining("must be a Blob, a stream of bytes"),
  });
});

test.each([
  ["bytes", (text: string) => bytes(text)],
  ["a Buffer", (text: string) => Buffer.from(text)],
  ["a Blob", (text: string) => new Blob([text])],
  ["a stream", (text: string) => streamOf(bytes(text.slice(0, 9)), bytes(text.slice(9)))],
  ["a Node stream", (text: string) => Readable.from([Buffer.from(text)])],
  ["a list", (text: string) => [bytes(text.slice(0, 9)), new Blob([text.slice(9)])]],
])("the progress of %s ends with all its bytes", async (_, source) => {
  using report = await openReport();
  const long = TEXT + "2,2026-06-01,22.00\n".repeat(500_000);
  for (const text of [TEXT, long]) {
    const told: number[] = [];
    const onProgress = ({ done }: { readonly done: number }) => told.push(done);
    await report.addOrders(source(text) as ReportSource, { onProgress });
    expect(told.at(-1)).toBe(text.length);
    expect(told).toEqual([...new Set(told)].sort((one, other) => one - other));
    if (text === long) expect(told.length).toBeGreaterThan(1);
  }
});
