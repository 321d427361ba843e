/** The fields of a row as CAKE, .NET services and JSON gateways write them. What a row lacks is absent, and no more than that. */

/** A row's fields by CAKE's names. */
export type Row = Readonly<Record<string, unknown>>;

/** The names that gateways give to the text of an element that has attributes. */
const TEXTS = ["#text", "$t", "_", "$", "__text", "value"];

/** How deep a value is looked for. */
const MAX_DEPTH = 4;

/** A row without the record that some accounts put around it; `undefined` where it is none. */
export function findRow(value: unknown, name: string): Row | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner) && folded(key) === name)
      return inner as Row;
  }
  return value as Row;
}

/** The same row with CAKE's names, where it has them in another case: `ClickId`, `clickId`. */
export function withNames(row: Row, names: readonly string[]): Row {
  const byFolded = new Map(Object.entries(row).map(([name, value]) => [folded(name), value]));
  return Object.fromEntries(names.map((name) => [name, row[name] ?? byFolded.get(folded(name))]));
}

function folded(name: string): string {
  return name.replace(/[_-]/g, "").toLowerCase();
}

/** The value itself, without an element's attributes around it or a list of one; `undefined` for nothing. */
export function plain(value: unknown, depth = MAX_DEPTH): unknown {
  if (typeof value !== "object") return value;
  if (value === null || depth === 0) return undefined;
  if (Array.isArray(value)) return value.length === 1 ? plain(value[0], depth - 1) : undefined;
  for (const name of TEXTS) {
    const text = (value as Row)[name];
    if (text !== undefined && (typeof text !== "object" || text === null)) return plain(text, depth - 1);
  }
  return undefined;
}

/** A text, or a number's digits. */
export function textOf(value: unknown): string | undefined {
  const found = plain(value);
  if (typeof found === "string") return found;
  return typeof found === "number" ? String(found) : undefined;
}

/** An id: a whole number from 1. .NET writes 0 for "none". */
export function idOf(value: unknown): number | undefined {
  if (typeof value === "number" && value > 0 && Number.isSafeInteger(value)) return value;
  const digits = textOf(value)?.trim() ?? "";
  const number = /^\d+(\.0+)?$/.test(digits) ? Number(digits) : 0;
  return number > 0 && Number.isSafeInteger(number) ? number : undefined;
}

/** Is it yes, in any of the words for it? */
export function flagOf(value: unknown): boolean {
  const found = plain(value);
  return found === true || (found !== undefined && /^(true|1|yes|y)$/i.test(String(found).trim()));
}

/**
 * JSON whose numbers keep their digits: a number that JavaScript would write
 * otherwise becomes a text.
 */
export function parseExact(json: string): unknown {
  if (!hasLongNumbers(json)) return JSON.parse(json);
  // Strings are passed over as a whole: what stands in them is no number.
  const quoted = json.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (part) =>
    part.startsWith('"') || String(Number(part)) === part ? part : `"${part}"`,
  );
  return JSON.parse(quoted);
}

/** May a number of this JSON have more digits than JavaScript keeps, or others than it writes? */
export function hasLongNumbers(json: string): boolean {
  return /[:[,]\s*-?(?:\d{16}|\d+[.eE])/.test(json);
}
