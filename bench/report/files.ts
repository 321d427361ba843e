// The files that every candidate reads: orders and conversions with planted errors, and clicks with their sales.
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";

/** Writes the files with the given numbers of rows per side and per page; the rows are the same every time. */
export function makeFiles(folder: string, rows: number, pageRows: number): void {
  mkdirSync(folder, { recursive: true });
  let seed = 1;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return Math.floor((seed / 0x7fff_ffff) * below) % below;
  };
  const START = Date.UTC(2026, 5, 1);
  const dateOf = (index: number) =>
    new Date(START + Math.floor((index / rows) * 29 * 86_400_000)).toISOString().slice(0, 19).replace("T", " ");
  const idOf = (index: number) => `ORD-${((index * 7_919) % rows) + 100_000}`;
  const money = (cents: number) => (cents / 100).toFixed(2);

  write(`${folder}/orders.csv`, function* () {
    yield "order_id,date,total,currency,status\n";
    for (let index = 0; index < rows; index += 1) {
      const total = money(1_000 + random(9_000));
      if (index % 100 === 7) continue;
      yield `${idOf(index)},${dateOf(index)},${total},USD,approved\n`;
      if (index % 1_000 === 11) yield `${idOf(index)},${dateOf(index)},${total},USD,approved\n`;
    }
  });
  seed = 1;
  write(`${folder}/conversions.json`, () =>
    inPages(
      pageRows,
      (list) => `{"request_status":"Success","response":{"data":{"conversions":[${list}]}}}\n`,
      (function* () {
        for (let index = 0; index < rows; index += 1) {
          const cents = 1_000 + random(9_000);
          if (index % 100 === 13) continue;
          const revenue = index % 200 === 3 ? cents + 1 : cents;
          const status = index % 50 === 9 ? "pending" : "approved";
          yield `{"conversion_id":${900_000 + index},"conversion_date":"${dateOf(index)}","offer_id":${12_345 + (index % 20)},"affiliate_id":${67_890 + (index % 300)},"payout":${money(Math.round(revenue * 0.8))},"revenue":${money(revenue)},"conversion_status":"${status}","unique_id":"${idOf(index)}"}`;
        }
      })(),
    ),
  );
  write(`${folder}/clicks.json`, () =>
    inPages(
      pageRows,
      (list) => `{"request_status":"Success","response":{"clicks":[${list}],"total_rows":${rows}}}\n`,
      (function* () {
        for (let index = 0; index < rows; index += 1) {
          const hasSale = index % 20 === 4;
          const address = `${1 + random(200)}.${random(40)}.${random(20)}.${random(10)}`;
          yield `{"click_id":"${uuidOf(index)}","click_date":"${dateOf(index)}","offer_id":${12_345 + random(20)},"affiliate_id":${67_890 + random(300)},"sub_id_1":"place_${random(40)}","ip_address":"${address}","country":"US","converted":${hasSale},"conversion_id":${hasSale ? 5_000_000 + index : null}}`;
        }
      })(),
    ),
  );
  write(`${folder}/sales.json`, () =>
    inPages(
      pageRows,
      (list) => `{"request_status":"Success","response":{"data":{"conversions":[${list}]}}}\n`,
      (function* () {
        for (let index = 4; index < rows; index += 20) {
          const status = index % 100 === 24 ? "pending" : "approved";
          yield `{"conversion_id":${5_000_000 + index},"conversion_date":"${dateOf(index)}","offer_id":12345,"affiliate_id":67890,"payout":${money(1_800 + (index % 7))},"revenue":22.00,"conversion_status":"${status}","unique_id":"S-${index}"}`;
        }
      })(),
    ),
  );
}

function* inPages(rows: number, page: (list: string) => string, all: Iterable<string>): Generator<string> {
  let list: string[] = [];
  for (const row of all) {
    list.push(row);
    if (list.length < rows) continue;
    yield page(list.join());
    list = [];
  }
  if (list.length > 0) yield page(list.join());
}

function uuidOf(index: number): string {
  const hex = (index * 2_654_435_761).toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-e5f6-4890-abcd-${hex.slice(-12).padStart(12, "0")}`;
}

function write(file: string, parts: () => Iterable<string>): void {
  const handle = openSync(file, "w");
  let buffer: string[] = [];
  let length = 0;
  for (const part of parts()) {
    buffer.push(part);
    length += part.length;
    // A part is a row or a whole page: by their number alone, the text could be longer than a string may be.
    if (length < 4_000_000) continue;
    writeSync(handle, buffer.join(""));
    buffer = [];
    length = 0;
  }
  writeSync(handle, buffer.join(""));
  closeSync(handle);
}
