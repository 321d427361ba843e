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

/** Posts it. Rejects where no answer comes in time, with a `TimeoutError`. */
export async function post(url: string, fields: PageConversion): Promise<Answer> {
  // A text needs no preflight, and so no second request on the way out of a page.
  const response = await fetch(url, {
    method: "POST",
    body: JSON.stringify(fields),
    keepalive: true,
    // So that it keeps no connection. Where browsers lack this, whoever waits gives up.
    signal: AbortSignal.timeout?.(ANSWER_MS),
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
 * The unique id of a click's order: both, readable, with each other character by its number. One order has one id in
 * every tab, with no store and no lock. Nothing where it is too long.
 */
export function findOrderUniqueId(clickId: string, orderId: string): string | undefined {
  const plain = (id: string) => id.replace(/[^a-z0-9.-]/gi, (character) => `_${character.charCodeAt(0)}_`);
  const id = `${plain(clickId)}:${plain(orderId)}`;
  return id.length > 128 ? undefined : id;
}
