/** The number formats of the demo. */

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(2)} %`;
}

/** An exact amount, such as `18.50`, in 1/10000: whole numbers add up exactly. */
export function unitsOf(text = "0"): number {
  const [whole = "0", fraction = ""] = text.split(".");
  return Number(whole) * 10_000 + Number(fraction.padEnd(4, "0"));
}

/** An amount from 1/10000, with the given number of places. */
export function amount(units: number, places = 2): string {
  return (units / 10_000).toLocaleString("en", { minimumFractionDigits: places, maximumFractionDigits: places });
}
