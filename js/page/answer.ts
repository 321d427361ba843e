/** What an answer of the endpoint means for a conversion, in a page and in a frame alike. */
import type { ConvertResult } from "./options.js";

/**
 * The forwarder's codes that are about the conversion itself. Any other answer is about something that somebody can
 * mend within the seven days: a setting, an origin, a route, a load.
 */
const FINAL =
  "invalid_field invalid_click_id invalid_unique_id invalid_id invalid_text invalid_money invalid_time placeholder_text conversion_conflict click_converted body_too_large".split(
    " ",
  );

/** How long one waits, in milliseconds. */
export const LIFE_MS = 7 * 86_400_000;

const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** The longest that an endpoint's Retry-After is followed. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** An answer of the endpoint. */
export interface Answer {
  readonly status: number;
  /** Its Retry-After. */
  readonly after: string | null;
  /** Its JSON, whatever it says; `undefined` where it is none. */
  readonly json: Partial<Record<"id" | "state" | "duplicate" | "error", unknown>> | null | undefined;
}

/** What an answer that accepts nothing says. */
export interface Refusal {
  /** The forwarder's code, or what the status tells. */
  readonly code: string;
  readonly rule?: unknown;
  readonly parameter?: unknown;
  /** Is the conversion refused for good? Else it waits. */
  readonly isFinal: boolean;
}

/** What is to be waited before the next try. */
export interface Waiting {
  /** How long it waited last. */
  retryMs?: number;
}

/** Its JSON; `undefined` where it is none. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads an answer. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const json = parse(await response.text()) as Answer["json"];
  return { status, after: headers.get("retry-after"), json };
}

/** What an answer says where it is the forwarder's "accepted": nobody else's has this shape. */
export function findAcceptance({ status, json }: Answer): ConvertResult | undefined {
  const { id, state, duplicate } = json ?? {};
  return status < 300 && typeof id === "string" && (typeof state === "string" || typeof duplicate === "boolean")
    ? { state: duplicate ? "duplicate" : "accepted", id }
    : undefined;
}

/** What any other answer says. */
export function readRefusal({ status, json }: Answer): Refusal {
  const error = json?.error as Partial<Record<"code" | "rule" | "parameter" | "retryable", unknown>> | null | undefined;
  const code = typeof error?.code === "string" ? error.code : undefined;
  // A firewall's JSON may have words of ours, but not all of them.
  const isOwn = typeof error?.rule === "string" && error.retryable === false;
  const mayPass = status > 499 || status === 408 || status === 425 || status === 429;
  return {
    ...error,
    code: code ?? (mayPass ? "forwarder_busy" : "no_forwarder"),
    isFinal: isOwn && code !== undefined && FINAL.includes(code) && status > 399 && status < 500,
  };
}

/** How long is waited after an answer, or without one, in milliseconds. */
export function nextWait(waiting: Waiting, answer?: Answer): number {
  waiting.retryMs = Math.min((waiting.retryMs ?? MIN_RETRY_MS / 2) * 2, MAX_RETRY_MS);
  const asked = Math.min(Math.max(waiting.retryMs, milliseconds(answer?.after)), MAX_RETRY_AFTER_MS);
  // Up to a fifth later, so that many pages do not come in one moment.
  return Math.min(asked * (1 + Math.random() / 5), MAX_RETRY_AFTER_MS);
}

/** The wait that a Retry-After asks for, in milliseconds; 0 where it cannot be read. */
function milliseconds(after: string | null | undefined): number {
  if (!after?.trim()) return 0;
  const seconds = Number(after);
  return (Number.isNaN(seconds) ? Date.parse(after) - Date.now() : seconds * 1_000) || 0;
}
