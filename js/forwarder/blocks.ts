/**
 * The positions of events that were never tried. Such events are due in the order of their numbers, so no write is
 * needed to find them. Numbers are searched in blocks, and an empty block is never searched again.
 */
import type { Partition } from "./tables.js";

/** The count of numbers in a block. */
const SIZE = 1_000;

interface Block {
  readonly partition: Partition;
  /** The block has no such event below this number, or from `until` on. */
  from: number;
  until: number;
}

/** Reads never-tried events from a table, from one number up to but excluding another, at most `limit`. */
type Read<Row> = (partition: Partition, from: number, until: number, limit: number) => Row[];

/** The blocks of a store, the oldest first. */
export class Blocks {
  #blocks: Block[] = [];

  /** No such event has a number below this one. */
  get first(): number | undefined {
    return this.#blocks[0]?.from;
  }

  /** The first number from which a table may have such events. */
  firstOf(partition: Partition): number | undefined {
    return this.#blocks.find((block) => block.partition === partition)?.from;
  }

  /** There may be such events at these numbers. */
  fill(partition: Partition, from: number, last: number): void {
    for (let at = from; at <= last; at += SIZE) this.#blocks.push({ partition, from: at, until: at + SIZE });
  }

  /** Adds the event with this number, the highest so far; returns whether a new block begins with it. */
  add(partition: Partition, number: number): boolean {
    const last = this.#blocks.at(-1);
    if (last?.partition === partition && number < last.until) return false;
    this.fill(partition, number, number);
    return true;
  }

  /** Forgets a dropped table. */
  forget(partition: Partition): void {
    this.#blocks = this.#blocks.filter((block) => block.partition !== partition);
  }

  /** At most `limit` events, the oldest or the newest first. `next` is the number of the next event. */
  take<Row extends { readonly number: number }>(
    limit: number,
    isNewestFirst: boolean,
    next: number,
    read: Read<Row>,
  ): Row[] {
    const rows: Row[] = [];
    let index = isNewestFirst ? this.#blocks.length - 1 : 0;
    for (let block = this.#blocks[index]; block !== undefined && rows.length < limit; block = this.#blocks[index]) {
      const most = limit - rows.length;
      const found = read(block.partition, block.from, block.until, most);
      const isLast = index === this.#blocks.length - 1;
      const isEmpty = found.length === 0;
      if (isEmpty && isLast) block.from = Math.max(block.from, Math.min(next, block.until));
      else if (isEmpty) this.#blocks.splice(index, 1);
      else narrow(block, found, isNewestFirst, found.length < most, isLast);
      rows.push(...found);
      if (isNewestFirst) index -= 1;
      else if (!isEmpty || isLast) index += 1;
    }
    return rows;
  }

  /** At most `limit` events from a number on, the oldest first. */
  takeFrom<Row extends { readonly number: number }>(number: number, limit: number, read: Read<Row>): Row[] {
    const rows: Row[] = [];
    for (const { partition, from, until } of this.#blocks) {
      if (rows.length >= limit) break;
      if (until > number) rows.push(...read(partition, Math.max(from, number), until, limit - rows.length));
    }
    return rows;
  }
}

/**
 * Narrows a block to what was found: nothing lies beyond it on the side of the search, nor on the other if all was
 * read.
 */
function narrow(
  block: Block,
  found: readonly { readonly number: number }[],
  isNewestFirst: boolean,
  isAll: boolean,
  isLast: boolean,
): void {
  const numbers = found.map(({ number }) => number);
  if (!isNewestFirst || isAll) block.from = Math.min(...numbers);
  // The last block still gets events.
  if (!isLast && (isNewestFirst || isAll)) block.until = Math.max(...numbers) + 1;
}
