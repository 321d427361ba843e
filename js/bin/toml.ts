/** Reads the tables and the texts of a TOML file. Numbers, dates and words are passed over: they are not needed here. */

/** A table: its values are texts, lists, tables, or `undefined` for another value. */
export type Table = Record<string, unknown>;

export const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const SPACE = /(?:\s|#.*)*/y;
const BLANK = /[ \t]*/y;
const LINE_END = /[ \t]*(?:#.*)?(?:\r?\n|$)/y;
const TEXTS = [/"""(?:\\[\s\S]|(?!""")[^\\])*"{3,5}/y, /'''[\s\S]*?'{3,5}/y, /"(?:\\.|[^"\\\r\n])*"/y, /'[^'\r\n]*'/y];
/** A number, a date or a word; a date may have a blank before its time. */
const OTHER = /[^\s,[\]{}#"'=]+(?: \d[^\s,[\]{}#]*)?/y;

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", t: "\t", n: "\n", f: "\f", r: "\r", e: "\u001B" };

/** @throws SyntaxError where the text is no TOML */
export function readToml(text: string): Table {
  const top: Table = Object.create(null);
  let table = top;
  let at = text.startsWith("\uFEFF") ? 1 : 0;

  function find(pattern: RegExp): string | undefined {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    at += found?.length ?? 0;
    return found;
  }
  function has(sign: string): boolean {
    const is = text.startsWith(sign, at);
    if (is) at += sign.length;
    return is;
  }
  function must<T>(value: T | undefined | false): T {
    if (value === undefined || value === false) throw new SyntaxError(`no TOML at character ${at}`);
    return value;
  }

  function findText(): string | undefined {
    for (const pattern of TEXTS) {
      const found = find(pattern);
      if (found !== undefined) return textOf(found);
    }
    return undefined;
  }
  function key(): string[] {
    const names: string[] = [];
    do {
      find(BLANK);
      names.push(must(findText() ?? find(/[\w-]+/y)));
      find(BLANK);
    } while (has("."));
    return names;
  }
  function value(): unknown {
    if (has("[")) return list();
    if (has("{")) return inlineTable();
    const found = findText();
    if (found === undefined) must(find(OTHER));
    return found;
  }
  function list(): unknown[] {
    const values: unknown[] = [];
    for (find(SPACE); !has("]"); find(SPACE)) {
      values.push(value());
      find(SPACE);
      if (!has(",")) must(text[at] === "]");
    }
    return values;
  }
  function inlineTable(): Table {
    const inner: Table = Object.create(null);
    for (find(SPACE); !has("}"); find(SPACE)) {
      setting(inner);
      find(SPACE);
      if (!has(",")) must(text[at] === "}");
    }
    return inner;
  }
  function setting(into: Table): void {
    const names = key();
    must(has("="));
    find(BLANK);
    const last = names.pop() as string;
    tableAt(into, names)[last] = value();
  }
  /** The table under these names, which is made where it is missing; of a list of tables it is the last. */
  function tableAt(from: Table, names: readonly string[]): Table {
    return names.reduce((above, name) => {
      above[name] ??= Object.create(null);
      const found = above[name];
      const last = Array.isArray(found) ? found.at(-1) : found;
      return must(isTable(last) && last);
    }, from);
  }

  for (find(SPACE); at < text.length; find(SPACE)) {
    if (has("[[")) {
      const names = key();
      must(has("]]"));
      const above = tableAt(top, names.slice(0, -1));
      const name = names.at(-1) as string;
      table = Object.create(null);
      above[name] = [...(Array.isArray(above[name]) ? above[name] : []), table];
    } else if (has("[")) {
      table = tableAt(top, key());
      must(has("]"));
    } else {
      setting(table);
    }
    must(find(LINE_END));
  }
  return top;
}

/** The text of its spelling in TOML. */
function textOf(spelling: string): string {
  const isLong = /^("""|''')/.test(spelling);
  const inside = isLong ? spelling.slice(3, -3).replace(/^\r?\n/, "") : spelling.slice(1, -1);
  if (spelling.startsWith("'")) return inside;
  return inside.replace(
    /\\(?:[ \t]*\r?\n\s*|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|x([0-9a-fA-F]{2})|([\s\S]))/g,
    (_, short, long, byte, sign) => {
      const code = short ?? long ?? byte;
      if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16));
      return sign === undefined ? "" : (ESCAPES[sign] ?? sign);
    },
  );
}
