/** Options as the core reads them: one a line. */
import { checkNames, checkRecord, flagOption, refuse, stringOption } from "../option.js";
import type { JourneyInput, Model, ReportOptions, SourceOptions } from "./options.js";
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
    checkFields("covers", options.covers, ["from", "to"]);
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
    checkFields("revenue", revenue, ["percent", "of"]);
    lines.push(line("percent", stringOption("revenue.percent", revenue.percent)));
    lines.push(line("column.revenue", stringOption("revenue.of", revenue.of)));
  }
  return lines;
}

/** Checks for an object of these fields that must be there. */
function checkFields(what: string, given: unknown, names: readonly string[]): void {
  checkRecord(what, given);
  checkNames(what, given, names);
}

/** The attribution's own journeys. */
export function* journeyLines(journeys: Iterable<JourneyInput>): Generator<string> {
  for (const journey of itemsOf("journeys", journeys)) {
    checkFields("journey", journey, ["touches", "converted", "payout"]);
    const { touches, converted, payout = "0" } = journey;
    const parts = [];
    for (const touch of itemsOf("touches", touches)) {
      checkFields("touch", touch, ["channel", "secondsBefore"]);
      const { channel, secondsBefore } = touch;
      if (typeof channel !== "string") refuse("channel", "must be text");
      parts.push(cellOf(channel));
      const isNumber = secondsBefore === undefined || typeof secondsBefore === "number";
      const seconds = Math.round(secondsBefore ?? 0);
      if (!isNumber || !Number.isSafeInteger(seconds) || seconds < 0)
        refuse("secondsBefore", "must be a number of seconds from 0 to 9007199254740991");
      parts.push(secondsBefore === undefined ? "" : String(seconds));
    }
    if (typeof converted !== "boolean") refuse("converted", "must be true or false");
    yield `journey=${[converted ? "1" : "0", cellOf(stringOption("payout", payout)), ...parts].join("\t")}`;
  }
}

/** A text between tabs in one line. */
function cellOf(text: string): string {
  return text.replace(/[\t\r\n]/g, " ");
}

function itemsOf<Item>(name: string, given: Iterable<Item>): Iterable<Item> {
  const isList = typeof given === "object" && given !== null && Symbol.iterator in given;
  return isList ? given : refuse(name, "must be a list");
}

const MAX_HALF_LIFE_DAYS = 36_500;

export function modelLine(model: Model): string {
  if (typeof model === "string") {
    if (model === ("timeDecay" as string))
      refuse("models", "must give timeDecay a half-life: { timeDecay: { halfLifeDays: 7 } }");
    return line("model", model);
  }
  checkFields("models", model, ["position", "timeDecay"]);
  if (Object.keys(model).length !== 1) refuse("models", "must have one name in each object: position or timeDecay");
  if ("position" in model) {
    checkFields("position", model.position, ["first", "last"]);
    return `model=position:${model.position.first}:${model.position.last}`;
  }
  checkFields("timeDecay", model.timeDecay, ["halfLifeDays"]);
  const days = model.timeDecay.halfLifeDays;
  const seconds = typeof days === "number" && days > 0 ? Math.max(1, Math.round(days * 86_400)) : 0;
  // The core counts seconds in 32 bits.
  if (seconds === 0 || seconds > MAX_HALF_LIFE_DAYS * 86_400) {
    refuse("halfLifeDays", `must be a number of days above 0 and at most ${MAX_HALF_LIFE_DAYS}`);
  }
  return `model=timeDecay:${seconds}`;
}
