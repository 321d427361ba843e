/** Reads options that are text, such as a configuration file. */
import { call } from "../../error.js";
import { checkNoMore, refuse, stringOption } from "../../option.js";
import { core } from "../core.js";

/**
 * The options in a JSON text. Pass them on to `openForwarder` or `serveForwarder`, which check each. A name that an
 * object has twice is refused at any depth: `JSON.parse` would take the last one in silence.
 *
 * @throws CakeError `invalid_field`; SyntaxError for a text that is no JSON
 */
export function parseOptions(json: string): Record<string, unknown>;
export function parseOptions(json: string, ...more: unknown[]): Record<string, unknown> {
  checkNoMore("parseOptions", 1, more);
  const text = stringOption("json", json);
  const options: unknown = JSON.parse(text);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    refuse("json", "must be an object of options");
  }
  const repeated = call(() => core.api().repeatedName(text));
  if (repeated !== "") refuse(repeated, "is given twice in one object: leave one of the two");
  return options as Record<string, unknown>;
}
