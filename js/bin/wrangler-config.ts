/** What a wrangler configuration says of its Worker: comments and texts that only look like keys are passed over. */
import { parse } from "smol-toml";

type Table = Record<string, unknown>;

const isTable = (value: unknown): value is Table =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The keys that decide whose a Worker is, and what a deploy publishes. */
export interface WranglerConfig {
  /** The Worker's file: the top level's, else an environment's. */
  readonly main: string | undefined;
  readonly isPages: boolean;
  /** The folders whose files a deploy publishes, as seen from the configuration's. */
  readonly served: readonly string[];
}

/** Reads wrangler.toml, wrangler.json or wrangler.jsonc; `undefined` where the text is neither. */
export function readWranglerConfig(file: string, text: string): WranglerConfig | undefined {
  const top = findTop(file, text);
  if (top === undefined) return undefined;
  const tables = [top, ...Object.values(isTable(top["env"]) ? top["env"] : {}).filter(isTable)];
  const pages = top["pages_build_output_dir"];
  const assets = tables.map(({ assets }) => (isTable(assets) ? assets["directory"] : undefined));
  return {
    // On Windows a path may have these signs.
    main: tables
      .map(({ main }) => main)
      .find(isName)
      ?.replaceAll("\\", "/"),
    isPages: typeof pages === "string",
    served: [pages, ...assets].filter(isName),
  };
}

const isName = (value: unknown): value is string => typeof value === "string" && value !== "";

function findTop(file: string, text: string): Table | undefined {
  try {
    const top: unknown = file.endsWith(".toml") ? parse(withoutMark(text)) : readJsonc(text);
    return isTable(top) ? top : undefined;
  } catch {
    return undefined;
  }
}

const withoutMark = (text: string) => text.replace(/^\uFEFF/, "");

function readJsonc(text: string): unknown {
  // Texts are matched first, so that a `//` in one is no comment.
  const bare = withoutMark(text).replace(/("(?:\\.|[^"\\])*")|\/\/.*|\/\*[\s\S]*?\*\//g, "$1");
  return JSON.parse(bare.replace(/("(?:\\.|[^"\\])*")|,(?=\s*[}\]])/g, "$1"));
}
