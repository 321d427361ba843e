/** What a wrangler configuration says of its Worker: comments and texts that only look like keys are passed over. */

/** The keys that decide whose a Worker is. */
export interface WranglerConfig {
  /** The Worker's file: the top level's, else an environment's. */
  readonly main: string | undefined;
  readonly isPages: boolean;
}

type Table = Readonly<Record<string, unknown>>;

/** Reads wrangler.toml, wrangler.json or wrangler.jsonc; `undefined` where the text is neither. */
export function readWranglerConfig(file: string, text: string): WranglerConfig | undefined {
  const [top, ...environments] = file.endsWith(".toml") ? tomlTables(text) : jsoncTables(text);
  if (top === undefined) return undefined;
  const mains = [top, ...environments].map(({ main }) => main);
  const main = mains.find((each): each is string => typeof each === "string" && each !== "");
  return { main, isPages: typeof top["pages_build_output_dir"] === "string" };
}

/** The top level, and each environment. */
function jsoncTables(text: string): Table[] {
  // Texts are matched first, so that a `//` in one is no comment.
  const bare = text.replace(/^\uFEFF/, "").replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[\s\S]*?\*\//g, "$1");
  try {
    const top = JSON.parse(bare.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1")) as unknown;
    return isTable(top) ? [top, ...(isTable(top["env"]) ? Object.values(top["env"]).filter(isTable) : [])] : [];
  } catch {
    return [];
  }
}

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const TOML_TEXT = `"(?:\\\\.|[^"\\\\\\n])*"|'[^'\\n]*'`;

/** The texts of the top level and of each `[env.NAME]`: all that is asked of TOML here. */
function tomlTables(text: string): Table[] {
  const tables: Record<string, unknown>[] = [{}];
  let table = tables[0];
  // The brackets that are open: a line within a list or an inline table begins no table and sets no key.
  let open = 0;
  const several = /"""[\s\S]*?"""|'''[\s\S]*?'''/.source;
  const bare = text
    .replace(/^\uFEFF/, "")
    .replace(new RegExp(`(${several})|(${TOML_TEXT})|#.*`, "g"), (_, long, short) =>
      long === undefined ? (short ?? "") : '""',
    );
  for (const line of bare.split(/\r?\n/)) {
    const [, header] = (open === 0 && /^\s*\[\s*([^\]]*?)\s*\]/.exec(line)) || [];
    if (header !== undefined) {
      table = /^env\s*\.\s*[^.]+$/.test(header) ? {} : undefined;
      if (table !== undefined) tables.push(table);
      continue;
    }
    const [, key = "", value = ""] = new RegExp(`^\\s*["']?(\\w+)["']?\\s*=\\s*(${TOML_TEXT})\\s*$`).exec(line) ?? [];
    if (open === 0 && key !== "" && table !== undefined) {
      // A basic text has JSON's escapes, nearly all; a literal one has none.
      table[key] = value.slice(1, -1).replace(/\\(["\\])/g, value.startsWith('"') ? "$1" : "$&");
    }
    for (const [mark] of line.replace(new RegExp(TOML_TEXT, "g"), "").matchAll(/[[\]{}]/g)) {
      open += mark === "[" || mark === "{" ? 1 : -1;
    }
  }
  return tables;
}
