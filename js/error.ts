/** Every error code, as in `tests/vectors/errors.json`. */
export type CakeErrorCode =
  | "invalid_domain"
  | "invalid_id"
  | "sub_id_too_long"
  | "invalid_text"
  | "link_too_long"
  | "invalid_link"
  | "invalid_price_format"
  | "invalid_deep_link"
  | "deep_link_host"
  | "reserved_parameter"
  | "repeated_parameter"
  | "invalid_click_id"
  | "invalid_unique_id"
  | "invalid_money"
  | "invalid_time"
  | "invalid_cookie"
  | "invalid_postback_url"
  | "placeholder_text"
  | "invalid_setting"
  | "weak_secret"
  | "invalid_field"
  | "missing_api_key"
  | "invalid_base_url"
  | "key_in_page"
  | "read_only"
  | "network"
  | "timeout"
  | "outcome_unknown"
  | "aborted"
  | "http_status"
  | "rate_limited"
  | "unauthorized"
  | "refused"
  | "unexpected_answer"
  | "redirected"
  | "answer_too_large"
  | "invalid_fixture"
  | "ambiguous_file"
  | "unreadable_file"
  | "unmapped_status"
  | "report_full"
  | "clocks_differ"
  | "internal";

/** What an error is made of. */
export interface CakeErrorParts {
  /** The stable code. */
  readonly code: CakeErrorCode;
  /** What happened or which rule was broken. */
  readonly rule: string;
  /** Is the same call worth another try, and safe to repeat? @default false */
  readonly retryable?: boolean;
  /** The parameter at fault, where there is one. */
  readonly parameter?: string;
  /** CAKE's HTTP status, where it answered with one that matters. */
  readonly status?: number;
  /** How long CAKE asks to wait, in milliseconds, where it said so. */
  readonly retryAfterMs?: number;
  /** What an unknown outcome came from. */
  readonly cause?: CakeErrorParts;
}

/**
 * Every error that cake-edge throws. Its message names the parameter and the
 * rule; it never holds an API key or a whole URL.
 */
export class CakeError extends Error {
  override readonly name = "CakeError";
  /** The stable code, to branch on. */
  readonly code: CakeErrorCode;
  /** Is the same call worth another try, and safe to repeat? */
  readonly retryable: boolean;
  /** The parameter at fault, where there is one. */
  readonly parameter: string | undefined;
  /** CAKE's HTTP status, where it answered with one that matters. */
  readonly status: number | undefined;
  /** How long CAKE asks to wait before the next call, in milliseconds, where it said so. */
  readonly retryAfterMs: number | undefined;

  constructor(parts: CakeErrorParts, options?: ErrorOptions) {
    const subject = parts.parameter === undefined ? "" : `${parts.parameter} `;
    const status = parts.status === undefined ? "" : ` (status ${parts.status})`;
    super(subject + parts.rule + status, options);
    this.code = parts.code;
    this.retryable = parts.retryable ?? false;
    this.parameter = parts.parameter;
    this.status = parts.status;
    this.retryAfterMs = parts.retryAfterMs;
  }
}

/**
 * Is this a `CakeError`? True across two copies of the package, where
 * `instanceof` is not.
 */
export function isCakeError(value: unknown): value is CakeError {
  return value instanceof Error && value.name === "CakeError" && "code" in value;
}

/** Makes what the core threw a `CakeError`; a trap of the core is `internal`. */
export function toCakeError(thrown: unknown): CakeError {
  if (isCakeError(thrown)) return thrown;
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "rule" in thrown) {
    const parts = thrown as CakeErrorParts;
    return new CakeError(parts, parts.cause && { cause: toCakeError(parts.cause) });
  }
  return new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause: thrown });
}

/** Calls into the core; what it throws becomes a `CakeError`. */
export function call<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}

/**
 * Passes a text on to the core, which takes nothing else. For callers without
 * types: an absent one is the empty text, for which the core has a rule.
 */
export function text(parameter: string, value: unknown): string {
  if (value === undefined || value === null) return "";
  return optionalText(parameter, value) as string;
}

/** The same where it may be absent. */
export function optionalText(parameter: string, value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value === "string") return value;
  throw new CakeError({ code: "invalid_field", parameter, rule: "must be text" });
}

/** The same for a whole number; what is none becomes 0, for which the core has a rule. */
export function whole(value: unknown): number {
  return typeof value === "number" ? value : 0;
}
