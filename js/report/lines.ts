/** Options as the core reads them: one a line. */
import { checkNames, checkRecord, flagOption, refuse, stringOption } from "../option.js";
import type { Model, ReportOptions, SourceOptions } from "./options.js";
import { instantOf } from "./zone.js";

/** The names of {@link SourceOptions}. */
export const SOURCE_OPTIONS = [
  "name",
  "dialect",
  "format",
  "delimiter",
  "decimal",
  "group",
  "units",
  "dates",
  "encoding",
  "columns",
  "idPrefix",
  "cakeIdPrefix",
  "readAt",
  "covers",
  "testOrders",
  "state",
  "revenue",
  "signal",
  "onProgress",
];

/** The entries of a plain object; a `Map` would have none. */
export function entriesOf<Value>(name: string, given: Readonly<Partial<Record<string, Value>>> | undefined) {
  if (given === undefined || given === null) return [];
  checkRecord(name, given);
  return Object.entries(given);
}

/** An option as a line for the core, which reads one option a line. */
export function line(name: string, value: string): string {
  if (/[\r\n]/.test(value)) refuse(name, "must not contain line feeds");
  return `${name}=${value}`;
}

export function sourceLines(
  kind: string,
  options: SourceOptions & { readonly revenue?: ReportOptions["revenue"] | undefined },
): string[] {
  const lines = [`kind=${kind}`];
  // The dialect first: a declared option overrides the dialect's.
  for (const name of [
    "dialect",
    "name",
    "format",
    "decimal",
    "group",
    "units",
    "dates",
    "encoding",
    "state",
  ] as const) {
    const value = options[name];
    if (value !== undefined) lines.push(line(name, stringOption(name, value)));
  }
  if (options.delimiter !== undefined) {
    const delimiter = stringOption("delimiter", options.delimiter);
    lines.push(line("delimiter", delimiter === "\t" ? "tab" : delimiter));
  }
  if (options.idPrefix !== undefined) lines.push(line("prefix", stringOption("idPrefix", options.idPrefix)));
  if (options.cakeIdPrefix !== undefined) {
    lines.push(line("cakePrefix", stringOption("cakeIdPrefix", options.cakeIdPrefix)));
  }
  if (options.readAt !== undefined) lines.push(`readAt=${Math.floor(instantOf("readAt", options.readAt) / 1_000)}`);
  if (options.covers !== undefined) {
    checkNames("covers", options.covers, ["from", "to"]);
    const { from, to } = options.covers;
    lines.push(line("covers", `${stringOption("covers.from", from)}/${stringOption("covers.to", to)}`));
  }
  if (options.testOrders !== undefined) lines.push(`testOrders=${flagOption("testOrders", options.testOrders)}`);
  for (const [role, column] of entriesOf("columns", options.columns)) {
    if (column !== undefined) lines.push(line(`column.${role}`, stringOption("columns", column)));
  }
  const { revenue } = options;
  if (typeof revenue === "string") lines.push(line("column.revenue", revenue));
  else if (revenue !== undefined && kind === "orders") {
    checkNames("revenue", revenue, ["percent", "of"]);
    lines.push(line("percent", stringOption("revenue.percent", revenue.percent)));
    lines.push(line("column.revenue", stringOption("revenue.of", revenue.of)));
  }
  return lines;
}

export function modelLine(model: Model): string {
  if (typeof model === "string") {
    if (model === ("timeDecay" as string))
      refuse("models", "must give timeDecay a half-life: { timeDecay: { halfLifeDays: 7 } }");
    return line("model", model);
  }
  checkNames("models", model, ["position", "timeDecay"]);
  if ("position" in model) checkNames("position", model.position, ["first", "last"]);
  else checkNames("timeDecay", model.timeDecay, ["halfLifeDays"]);
  if ("position" in model) return `model=position:${model.position.first}:${model.position.last}`;
  const days = model.timeDecay?.halfLifeDays;
  if (!(days > 0)) refuse("models", "must have a halfLifeDays above 0");
  return `model=timeDecay:${Math.max(1, Math.round(days * 86_400))}`;
}
