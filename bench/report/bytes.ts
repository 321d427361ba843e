// JavaScript without strings: a scanner by hand over the files' bytes. It knows the exact form of these rows, reads no
// other form, and checks nothing: the ceiling of JavaScript, not code that people write.
import { openSync, readSync } from "node:fs";
import { argv } from "node:process";

const [, , ask = "", folder = ""] = argv;

/** Calls `row` with a buffer and the place of each row; returns the place after it, or -1 where the row is cut off. */
function scan(file: string, row: (bytes: Uint8Array, at: number, end: number) => number): void {
  const handle = openSync(file, "r");
  const bytes = new Uint8Array(1 << 20);
  let filled = 0;
  for (;;) {
    const count = readSync(handle, bytes, filled, bytes.length - filled, null);
    filled += count;
    let at = 0;
    while (at < filled) {
      const after = row(bytes, at, filled);
      if (after < 0) break;
      at = after;
    }
    bytes.copyWithin(0, at, filled);
    filled -= at;
    if (count === 0) return;
  }
}

/** Texts in one buffer with open addressing; a text's number begins at 0. */
class Texts {
  bytes = new Uint8Array(1 << 22);
  ends = new Uint32Array(1 << 18);
  table = new Int32Array(1 << 19).fill(-1);
  hashes = new Uint32Array(1 << 18);
  length = 0;
  used = 0;

  find(from: Uint8Array, at: number, end: number, canAdd: boolean): number {
    let hash = 2_166_136_261;
    for (let index = at; index < end; index += 1) hash = Math.imul(hash ^ (from[index] as number), 16_777_619);
    hash = (hash ^ (hash >>> 15)) >>> 0;
    const mask = this.table.length - 1;
    let slot = hash & mask;
    for (;;) {
      const number = this.table[slot] as number;
      if (number < 0) break;
      if (this.hashes[number] === hash && this.#equals(number, from, at, end)) return number;
      slot = (slot + 1) & mask;
    }
    if (!canAdd) return -1;
    const number = this.length;
    this.table[slot] = number;
    if (number === this.ends.length) {
      this.ends = grown(this.ends);
      this.hashes = grown(this.hashes);
    }
    while (this.used + end - at > this.bytes.length) this.bytes = grown(this.bytes);
    this.bytes.set(from.subarray(at, end), this.used);
    this.used += end - at;
    this.ends[number] = this.used;
    this.hashes[number] = hash;
    this.length += 1;
    if (this.length * 2 > this.table.length) this.#spread();
    return number;
  }

  #equals(number: number, from: Uint8Array, at: number, end: number): boolean {
    let mine = number === 0 ? 0 : (this.ends[number - 1] as number);
    if ((this.ends[number] as number) - mine !== end - at) return false;
    for (let index = at; index < end; index += 1) {
      if (this.bytes[mine] !== from[index]) return false;
      mine += 1;
    }
    return true;
  }

  #spread(): void {
    const table = new Int32Array(this.table.length * 2).fill(-1);
    const mask = table.length - 1;
    for (let number = 0; number < this.length; number += 1) {
      let slot = (this.hashes[number] as number) & mask;
      while ((table[slot] as number) >= 0) slot = (slot + 1) & mask;
      table[slot] = number;
    }
    this.table = table;
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array>(list: T): T {
  const made = new (list.constructor as new (length: number) => T)(list.length * 2);
  made.set(list);
  return made;
}

const COMMA = 44;
const QUOTE = 34;
const LINE = 10;
const OPEN = 123;
const CLOSE = 125;

/** The place of a byte, or -1. */
function find(bytes: Uint8Array, at: number, end: number, byte: number): number {
  let index = at;
  while (index < end && bytes[index] !== byte) index += 1;
  return index < end ? index : -1;
}

/** An amount with two decimal places, in cents. */
function cents(bytes: Uint8Array, at: number, end: number): number {
  let sum = 0;
  for (let index = at; index < end; index += 1) {
    const byte = bytes[index] as number;
    if (byte !== 46) sum = sum * 10 + byte - 48;
  }
  return sum;
}

/** The place after the next `count` colons of an object, at each of which a value begins. */
function value(bytes: Uint8Array, at: number, count: number): number {
  let index = at;
  for (let left = count; left > 0; ) {
    const byte = bytes[index] as number;
    index += 1;
    if (byte === QUOTE) {
      while (bytes[index] !== QUOTE) index += 1;
      index += 1;
      if (bytes[index] === 58) {
        left -= 1;
        index += 1;
      }
    }
  }
  return index;
}

/** The end of a number or of a text's content. */
function endOf(bytes: Uint8Array, at: number): number {
  let index = at;
  for (;;) {
    const byte = bytes[index] as number;
    if (byte === COMMA || byte === QUOTE || byte === CLOSE) return index;
    index += 1;
  }
}

/** Calls `row` with the place of each innermost object. */
function objects(file: string, row: (bytes: Uint8Array, at: number) => void): void {
  scan(file, (bytes, at, end) => {
    let from = at;
    for (let index = at; index < end; index += 1) {
      const byte = bytes[index];
      if (byte === OPEN) from = index;
      else if (byte === CLOSE) {
        // The braces of a page follow its last row.
        if (bytes[from] === OPEN && from >= at) row(bytes, from);
        return index + 1;
      }
    }
    return -1;
  });
}

function reconcile(): Record<string, number> {
  const ids = new Texts();
  let totals = new Int32Array(1 << 18);
  /** The first letter of the status; 0 after the conversion was found. */
  let statuses = new Uint8Array(1 << 18);
  const counts: Record<string, number> = {};
  const count = (name: string, by = 1) => {
    if (by > 0) counts[name] = (counts[name] ?? 0) + by;
  };
  let isHeader = true;
  scan(`${folder}/orders.csv`, (bytes, at, end) => {
    const line = find(bytes, at, end, LINE);
    if (line < 0) return -1;
    if (isHeader) {
      isHeader = false;
      return line + 1;
    }
    const id = find(bytes, at, line, COMMA);
    const date = find(bytes, id + 1, line, COMMA);
    const total = find(bytes, date + 1, line, COMMA);
    const currency = find(bytes, total + 1, line, COMMA);
    const before = ids.length;
    const number = ids.find(bytes, at, id, true);
    if (ids.length === before) {
      count("duplicate_order");
      return line + 1;
    }
    if (number === totals.length) {
      totals = grown(totals);
      statuses = grown(statuses);
    }
    totals[number] = cents(bytes, date + 1, total);
    statuses[number] = bytes[currency + 1] as number;
    return line + 1;
  });
  const strangers = new Texts();
  objects(`${folder}/conversions.json`, (bytes, at) => {
    if (bytes[at + 2] !== 99) return;
    const revenue = value(bytes, at, 6);
    const status = value(bytes, revenue, 1) + 1;
    const id = value(bytes, status - 1, 1) + 1;
    const end = endOf(bytes, id);
    const number = ids.find(bytes, id, end, false);
    if (number < 0) {
      const before = strangers.length;
      strangers.find(bytes, id, end, true);
      if (strangers.length === before) count("duplicate_conversion");
      return;
    }
    if (statuses[number] === 0) {
      count("duplicate_conversion");
      return;
    }
    if (totals[number] !== cents(bytes, revenue, endOf(bytes, revenue))) count("revenue_differs");
    else if (statuses[number] !== bytes[status]) count("status_differs");
    else count("matched");
    statuses[number] = 0;
  });
  count("unknown_to_advertiser", strangers.length);
  let missing = 0;
  for (let number = 0; number < ids.length; number += 1) if (statuses[number] !== 0) missing += 1;
  count("missing_at_cake", missing);
  return counts;
}

/** A set of pairs of 32 bits. */
class Pairs {
  keys = new Uint32Array(1 << 18);
  length = 0;

  add(one: number, other: number): boolean {
    const mask = this.keys.length / 2 - 1;
    let slot = (Math.imul(one, 2_654_435_761) ^ Math.imul(other, 2_246_822_519)) >>> 0;
    slot = (slot ^ (slot >>> 15)) & mask;
    for (;;) {
      const first = this.keys[slot * 2] as number;
      if (first === 0) break;
      if (first === one && this.keys[slot * 2 + 1] === other) return false;
      slot = (slot + 1) & mask;
    }
    this.keys[slot * 2] = one;
    this.keys[slot * 2 + 1] = other;
    this.length += 1;
    if (this.length * 4 > this.keys.length) {
      const before = this.keys;
      this.keys = new Uint32Array(before.length * 2);
      this.length = 0;
      for (let index = 0; index < before.length; index += 2) {
        if (before[index] !== 0) this.add(before[index] as number, before[index + 1] as number);
      }
    }
    return true;
  }
}

function breakDown(): Record<string, number> {
  const payouts = new Map<number, number>();
  objects(`${folder}/sales.json`, (bytes, at) => {
    if (bytes[at + 2] !== 99) return;
    const id = value(bytes, at, 1);
    const payout = value(bytes, id, 4);
    const status = value(bytes, payout, 2) + 1;
    const isApproved = bytes[status] === 97;
    payouts.set(cents(bytes, id, endOf(bytes, id)), isApproved ? cents(bytes, payout, endOf(bytes, payout)) : 0);
  });
  const subs = new Texts();
  const groups = new Texts();
  const seen = new Pairs();
  const key = new Uint8Array(8);
  const view = new DataView(key.buffer);
  const sum = { groups: 0, clicks: 0, unique: 0, conversions: 0, cents: 0 };
  objects(`${folder}/clicks.json`, (bytes, at) => {
    if (bytes[at + 3] !== 108) return;
    const affiliate = value(bytes, at, 4);
    const sub = value(bytes, affiliate, 1) + 1;
    const address = value(bytes, sub - 1, 1) + 1;
    const conversion = value(bytes, address - 1, 3);
    view.setUint32(0, cents(bytes, affiliate, endOf(bytes, affiliate)));
    view.setUint32(4, subs.find(bytes, sub, endOf(bytes, sub), true));
    const group = groups.find(key, 0, 8, true);
    let number = 0;
    let part = 0;
    for (let index = address; bytes[index] !== QUOTE; index += 1) {
      const byte = bytes[index] as number;
      if (byte === 46) {
        number = (number << 8) | part;
        part = 0;
      } else part = part * 10 + byte - 48;
    }
    number = ((number << 8) | part) >>> 0;
    sum.clicks += 1;
    if (seen.add(group + 1, number)) sum.unique += 1;
    if (bytes[conversion] === 110) return;
    sum.conversions += 1;
    sum.cents += payouts.get(cents(bytes, conversion, endOf(bytes, conversion))) ?? 0;
  });
  sum.groups = groups.length;
  return sum;
}

const answer = ask === "reconcile" ? reconcile() : breakDown();
const { user, system } = process.cpuUsage();
console.log(JSON.stringify({ answer, cpuMs: (user + system) / 1_000, peakMb: process.resourceUsage().maxRSS / 1_024 }));
