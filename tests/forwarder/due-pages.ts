/** Due events of a store, read page by page. */
import { expect } from "vitest";
import type { OutboxStore, Row } from "../../dist/forwarder/store.js";

/** Expects that all due events are read, each once. */
export function expectPages(store: OutboxStore, nowMs: number, limit: number, due: readonly Row[]): void {
  const sorted = (numbers: readonly number[]) => [...numbers].sort((a, b) => a - b);
  expect(sorted(pagesOf(store, nowMs, limit))).toEqual(sorted(due.map(({ number }) => number)));
}

/** The numbers of all due events, read page by page. */
function pagesOf(store: OutboxStore, nowMs: number, limit: number): number[] {
  const numbers: number[] = [];
  for (let after: { fresh?: Row; tried?: Row } = {}; ; ) {
    const rows = store.due(nowMs, limit, after);
    numbers.push(...rows.map(({ number }) => number));
    for (const row of rows) after = { ...after, [row.next_ms === row.accepted_ms ? "fresh" : "tried"]: row };
    if (rows.length < limit) return numbers;
  }
}
