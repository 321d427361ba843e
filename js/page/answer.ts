/** The meaning of an endpoint's answer to a conversion, in a page and in a frame. */
import type { ConvertResult } from "./options.js";
import { attempt, now } from "./store.js";

/**
 * The forwarder's codes about the conversion itself. Any other answer is about something that can be fixed within the
 * seven days: a setting, an origin, a route, overload. So can a body that no page sends, such as that of
 * `invalid_field`: a script or a proxy has changed it.
 */
const FINAL =
  "invalid_click_id invalid_unique_id invalid_id placeholder_text conversion_conflict click_converted".split(" ");

/** The states of the forwarder's conversions. */
const STATES = ["pending", "paused", "delivered", "refused", "dead", "cancelled"];

/** How long a conversion waits, in milliseconds. */
export const LIFE_MS = 7 * 86_400_000;

const MIN_RETRY_MS = 5_000;
const MAX_RETRY_MS = 300_000;
/** The longest Retry-After that is followed, in milliseconds. */
const MAX_RETRY_AFTER_MS = 3_600_000;

/** An answer of the endpoint. */
export interface Answer {
  readonly status: number;
  /** The answer's Retry-After header. */
  readonly after: string | null;
  /** The answer's JSON; `undefined` if the body is no JSON. */
  readonly json: Partial<Record<"id" | "state" | "duplicate" | "error", unknown>> | null | undefined;
  /** Was the request led elsewhere, where it may have lost its body? */
  readonly isRedirected?: boolean | undefined;
}

/** The error of an answer that accepts nothing. */
export interface Refusal {
  /** The forwarder's code, or a code derived from the status. */
  readonly code: string;
  readonly rule?: unknown;
  readonly parameter?: unknown | undefined;
  /** Is the conversion refused for good? Otherwise it waits. */
  readonly isFinal: boolean;
}

/** The state of a conversion's retries. */
export interface Waiting {
  /** The last wait, in milliseconds. */
  retryMs?: number;
}

/**
 * The time of a stored conversion, as it counts now; `undefined` if its life is over. A clock may have been wrong once,
 * at the sale or now. So what seems too old lives once more, from now on, and what seems to come is of now.
 */
export function livingSince(at: unknown, again: unknown): { readonly at: number; readonly again: boolean } | undefined {
  const time = now();
  if (typeof at !== "number") return undefined;
  const isOld = at < time - LIFE_MS;
  if (isOld && again) return undefined;
  return { at: isOld ? time : Math.min(at, time), again: isOld || !!again };
}

/** The value of a JSON text; `undefined` if the text is no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads an answer. */
export async function readAnswer(response: Response): Promise<Answer> {
  const { status, headers, redirected } = response;
  const json = parse(await response.text()) as Answer["json"];
  return { status, after: headers.get("retry-after"), json, isRedirected: redirected };
}

/** The result if the answer is the forwarder's "accepted": no other server's answer has this shape. */
export function findAcceptance({ status, json }: Answer): ConvertResult | undefined {
  const { id, state, duplicate } = json ?? {};
  return status < 300 &&
    id &&
    typeof id === "string" &&
    typeof duplicate === "boolean" &&
    STATES.includes(state as string)
    ? { state: duplicate ? "duplicate" : "accepted", id }
    : undefined;
}

/** The error of any other answer. */
export function readRefusal({ status, json, isRedirected }: Answer): Refusal {
  const error = json?.error as Partial<Record<"code" | "rule" | "parameter" | "retryable", unknown>> | null | undefined;
  const code = typeof error?.code === "string" ? error.code : undefined;
  // A firewall's JSON may share some of our fields, but not all of them.
  const isOwn = error?.rule && typeof error.rule === "string" && error.retryable === false;
  const mayPass = status > 499 || status === 408 || status === 425 || status === 429;
  return {
    ...error,
    code: code ?? (mayPass ? "forwarder_busy" : "no_forwarder"),
    isFinal: !!isOwn && !isRedirected && code !== undefined && FINAL.includes(code) && status > 399 && status < 500,
  };
}

/** How long to wait before the next try, in milliseconds, with or without an answer. */
export function nextWait(waiting: Waiting, answer?: Answer): number {
  waiting.retryMs = Math.min((waiting.retryMs ?? MIN_RETRY_MS / 2) * 2, MAX_RETRY_MS);
  const asked = Math.min(Math.max(waiting.retryMs, milliseconds(answer?.after)), MAX_RETRY_AFTER_MS);
  // Up to a fifth later, so that many pages do not retry at the same moment.
  return Math.min(asked * (1 + (attempt(Math.random) ?? 0) / 5), MAX_RETRY_AFTER_MS);
}

/** The wait that a Retry-After asks for, in milliseconds; 0 if it cannot be read. */
function milliseconds(after: string | null | undefined): number {
  if (!after?.trim()) return 0;
  const seconds = Number(after);
  return (Number.isNaN(seconds) ? Date.parse(after) - now() : seconds * 1_000) || 0;
}
