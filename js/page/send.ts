/**
 * The sending of a conversion: part of the first script, so that a conversion leaves in the very task that reports it.
 * An answer other than "accepted" is the outbox's affair.
 */
import type { ConvertResult, PageConversion } from "./options.js";

/** How long an answer is waited for, in milliseconds: `convert` has resolved within 15 s. */
export const ANSWER_MS = 14_000;

/** An answer of the endpoint. */
export interface Answer {
  readonly status: number;
  /** Its Retry-After. */
  readonly after: string | null;
  /** Its JSON, whatever it says; `undefined` where it is none. */
  readonly json: Partial<Record<"id" | "duplicate" | "error", unknown>> | null | undefined;
}

/** Its JSON; `undefined` where it is none. */
export function parse(text: string): Answer["json"] {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Posts it. Rejects where no answer comes in time. */
export async function post(url: string, fields: PageConversion): Promise<Answer> {
  const control = new AbortController();
  setTimeout(() => control.abort(), ANSWER_MS);
  // A text needs no preflight, and so no second request on the way out of a page.
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify(fields),
    keepalive: true,
    signal: control.signal,
  });
  const { status, headers } = response;
  return { status, after: headers.get("retry-after"), json: parse(await response.text()) };
}

/** What an answer says where it is the forwarder's "accepted": nobody else's has this shape. */
export function findAcceptance({ status, json }: Answer): ConvertResult | undefined {
  const { id, duplicate } = json ?? {};
  return status < 300 && typeof id === "string" && typeof duplicate === "boolean"
    ? { state: duplicate ? "duplicate" : "accepted", id }
    : undefined;
}

/**
 * The unique id of a click's order: 128 bits of FNV-1a in hex. One order has one id in every tab, with no store and no
 * lock. It hides nothing, and has nothing to hide: click id and order id are sent beside it.
 */
export function uniqueIdOf(clickId: string, orderId: string): string {
  let hash = 0x6c62272e07bb014262b821756295c58dn;
  for (const character of JSON.stringify([clickId, orderId])) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(character.codePointAt(0) as number)) * 0x1000000000000000000013bn);
  }
  return hash.toString(16).padStart(32, "0");
}
