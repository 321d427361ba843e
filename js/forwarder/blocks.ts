/**
 * Where the events lie that were never tried. They are due in the order of
 * their numbers, so nothing need be written to find them: numbers are looked
 * through in blocks, and a block with none left is never looked at again.
 */
import type { Partition } from "./tables.js";

/** How many numbers a block has. */
const SIZE = 1_000;

interface Block {
  readonly partition: Partition;
  /** Below this number, and from `until` on, the block has none. */
  from: number;
  until: number;
}

/** Reads events that were never tried from a table, from one number to before another, at most so many. */
type Read<Row> = (partition: Partition, from: number, until: number, limit: number) => Row[];

/** The blocks of a store, the oldest first. */
export class Blocks {
  #blocks: Block[] = [];

  /** Below this number there is none. */
  get first(): number | undefined {
    return this.#blocks[0]?.from;
  }

  /** From which number on a table may have some. */
  firstOf(partition: Partition): number | undefined {
    return this.#blocks.find((block) => block.partition === partition)?.from;
  }

  /** There may be some at these numbers. */
  fill(partition: Partition, from: number, last: number): void {
    for (let at = from; at <= last; at += SIZE) this.#blocks.push({ partition, from: at, until: at + SIZE });
  }

  /** There is one at this number, the highest; says whether a block begins with it. */
  add(partition: Partition, number: number): boolean {
    const last = this.#blocks.at(-1);
    if (last?.partition === partition && number < last.until) return false;
    this.fill(partition, number, number);
    return true;
  }

  /** A table is gone. */
  forget(partition: Partition): void {
    this.#blocks = this.#blocks.filter((block) => block.partition !== partition);
  }

  /** At most so many, the oldest or the newest first. `next` is the number that the next event gets. */
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

  /** At most so many from a number on, the oldest first. */
  takeFrom<Row extends { readonly number: number }>(number: number, limit: number, read: Read<Row>): Row[] {
    const rows: Row[] = [];
    for (const { partition, from, until } of this.#blocks) {
      if (rows.length >= limit) break;
      if (until > number) rows.push(...read(partition, Math.max(from, number), until, limit - rows.length));
    }
    return rows;
  }
}

/** Beyond what was found there is none on the side that was looked from, nor on the other where all was found. */
function narrow(
  block: Block,
  found: readonly { readonly number: number }[],
  isNewestFirst: boolean,
  isAll: boolean,
  isLast: boolean,
): void {
  const numbers = found.map(({ number }) => number);
  if (!isNewestFirst || isAll) block.from = Math.min(...numbers);
  // The last one is still to be filled.
  if (!isLast && (isNewestFirst || isAll)) block.until = Math.max(...numbers) + 1;
}
