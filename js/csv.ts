/**
 * One cell of a CSV file. `isGuarded` for text that a spreadsheet would take for a
 * formula, which begins with `=`, `+`, `-`, `@`, a tab or a carriage return: it gets
 * an apostrophe in front. An amount below zero is no formula.
 */
export function csvCell(value: string | number | undefined, isGuarded: boolean): string {
  const text = value === undefined ? "" : String(value);
  const isFormula = /^\s*[=+\-@\t\r\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text);
  const safe = isGuarded && isFormula ? `'${text}` : text;
  return /[",;\r\n\t]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
