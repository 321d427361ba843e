/** How the demo writes figures. */

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

/** Money from 1/10000, to so many places. */
export function amount(units: number, places = 2): string {
  return (units / 10_000).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}
