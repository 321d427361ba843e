/** The forwarder's answers: JSON with a code, and the headers that let a browser read them. */
import { type CakeError, type CakeErrorCode, isCakeError } from "../error.js";

/** Codes of the forwarder's own answers, with their HTTP status. */
const STATUS = {
  not_found: 404,
  method_not_allowed: 405,
  origin_refused: 403,
  signature_refused: 401,
  secret_refused: 401,
  token_refused: 401,
  token_expired: 401,
  operator_refused: 401,
  unsupported_type: 415,
  body_too_large: 413,
  conversion_conflict: 409,
  correction_conflict: 409,
  corrections_unavailable: 501,
  click_converted: 409,
  webhook_id_reused: 409,
  token_used: 409,
  not_cancellable: 409,
  too_many_requests: 429,
  map_failed: 500,
  outbox_full: 503,
  outbox_unavailable: 503,
} as const;

/** A code of the forwarder's own answers. */
export type ForwarderCode = keyof typeof STATUS;

/** The error in an answer. */
export interface ForwarderError {
  /** A stable code to branch on. */
  readonly code: ForwarderCode | CakeErrorCode;
  /** The rule that was broken. */
  readonly rule: string;
  /** The invalid field, where there is one. */
  readonly parameter?: string | undefined;
  /** Can the same request succeed later? */
  readonly retryable: boolean;
}

/** A refusal, thrown until it becomes an answer. It never leaves the forwarder. */
export class Refusal extends Error {
  readonly code: ForwarderCode;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ForwarderCode, rule: string, headers: Readonly<Record<string, string>> = {}) {
    super(rule);
    this.code = code;
    this.headers = headers;
  }
}

/** Refuses every method but these; `more` are allowed too, and named in the header alone. @throws Refusal */
export function checkMethod({ method }: Request, methods: readonly string[], more: readonly string[] = []): void {
  if (methods.includes(method) || more.includes(method)) return;
  const rule = `method not allowed: use ${methods.join(" or ")}`;
  throw new Refusal("method_not_allowed", rule, { allow: [...methods, ...more].join(", ") });
}

const NO_MORE: Readonly<Record<string, string>> = {};

/** The headers of answers, by the object with the further ones: an answer copies them faster than it reads an object. */
const headersWith = new WeakMap<Readonly<Record<string, string>>, Headers>();

/** An answer with JSON that no cache stores. `more` are further headers; an object of them does not change. */
export function json(status: number, body: unknown, more = NO_MORE): Response {
  let headers = headersWith.get(more);
  if (headers === undefined) {
    const fixed = { "content-type": "application/json", "cache-control": "no-store" };
    headers = new Headers({ ...fixed, "x-content-type-options": "nosniff", ...more });
    headersWith.set(more, headers);
  }
  return new Response(JSON.stringify(body), { status, headers });
}

/** The answer to a thrown error: a caller's mistake by its code; any other error without its text. */
export function failure(thrown: unknown): Response {
  if (thrown instanceof Refusal) {
    return json(statusOf(thrown.code), { error: errorOf(thrown.code, thrown.message) }, thrown.headers);
  }
  if (isCakeError(thrown) && thrown.code !== "internal") return json(400, { error: partsOf(thrown) });
  return json(500, { error: { code: "internal", rule: "a bug in the forwarder", retryable: true } });
}

/** The answer where the configuration is invalid: the owner's mistake, never the caller's. */
export function misconfigured(thrown: unknown): Response {
  const error = isCakeError(thrown)
    ? { ...partsOf(thrown), retryable: true }
    : { code: "internal", rule: "the forwarder's configuration cannot be read", retryable: true };
  return json(500, { error });
}

/** An error by its code. */
export function errorOf(code: ForwarderCode, rule: string): ForwarderError {
  return { code, rule, retryable: [429, 500, 503].includes(STATUS[code]) };
}

/** The HTTP status of a code. */
export function statusOf(code: ForwarderCode): number {
  return STATUS[code];
}

/** The parts of an error that an answer shows. */
export function partsOf(error: CakeError): ForwarderError {
  const { code, retryable, parameter } = error;
  const rule = parameter === undefined ? error.message : error.message.slice(parameter.length + 1);
  return { code, rule, retryable, parameter };
}
