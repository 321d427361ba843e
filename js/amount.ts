/** Exact amounts of money in JavaScript, as whole numbers of 1/10,000. */
import { refuse } from "./option.js";

const AMOUNT = /^(-?)(\d+)(?:\.(\d{1,4}))?$/;

/** An exact amount in 1/10,000. */
export function unitsOf(name: string, text: string): bigint {
  const [, sign, whole = "", fraction = ""] = AMOUNT.exec(text) ?? [];
  if (whole === "") {
    refuse(name, 'must be an amount as text, such as "500.00" or "-500.00", with at most 4 digits after the point');
  }
  const units = BigInt(whole) * 10_000n + BigInt(fraction.padEnd(4, "0"));
  return sign === "-" ? -units : units;
}

/** A cap of money, in 1/10,000: never below zero. */
export function capOf(name: string, text: string): bigint {
  if (AMOUNT.exec(text)?.[1] === "") return unitsOf(name, text);
  return refuse(name, 'must be an amount as text, such as "500.00", with at most 4 digits after the point and no sign');
}

/** The amount as text, with at least two places. */
export function textOf(units: bigint): string {
  const size = units < 0n ? -units : units;
  const fraction = String(size % 10_000n)
    .padStart(4, "0")
    .replace(/0{1,2}$/, "");
  return `${units < 0n ? "-" : ""}${size / 10_000n}.${fraction}`;
}
