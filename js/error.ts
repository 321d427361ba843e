/**
 * Every error code, its meaning and what to do. This is the only list: `node scripts/errors.ts` writes docs/errors.md
 * and tests/vectors/errors.json from it, and the core's tests check the core against it. `retryable` tells whether the
 * same call may be worth another try; for `http_status` that is true for 408, 425 and 5xx.
 */
export const CAKE_ERROR_CODES = [
  {
    code: "invalid_domain",
    retryable: false,
    meaning: "The tracking domain is not a valid ASCII host name.",
    remedy:
      "Give the host alone, such as track.yournetwork.com; write other letters in punycode. For the sandbox give its origin and `sandbox: true`.",
  },
  {
    code: "invalid_id",
    retryable: false,
    meaning: "An id is not a whole number from 1 to 9007199254740991.",
    remedy: "Give the number that CAKE shows.",
  },
  {
    code: "sub_id_too_long",
    retryable: false,
    meaning: "A sub id is longer than CAKE keeps: 50 characters for s1, 100 for s2 to s5.",
    remedy: "Shorten it. `spill: true` lets s2 to s5 run over into the next ones; s1 must be short.",
  },
  {
    code: "invalid_text",
    retryable: false,
    meaning: "A text has control characters.",
    remedy: "Remove them: line feeds and tabs, mostly.",
  },
  {
    code: "link_too_long",
    retryable: false,
    meaning: "The tracking link is longer than 2,000 bytes.",
    remedy: "Shorten the deep link or the sub ids.",
  },
  {
    code: "invalid_link",
    retryable: false,
    meaning: "The text is not a tracking link.",
    remedy: "Give a link such as https://DOMAIN/?a=1&c=2.",
  },
  {
    code: "invalid_price_format",
    retryable: false,
    meaning: "The price format is not 1 to 20 letters and digits.",
    remedy: "Leave it out where the campaign has none.",
  },
  {
    code: "invalid_deep_link",
    retryable: false,
    meaning: "The deep link is not a plain https URL.",
    remedy: "Give an https URL without user name, port, backslash or white space.",
  },
  {
    code: "deep_link_host",
    retryable: false,
    meaning: "The deep link leads to a host that is not allowed.",
    remedy: "Add the host to `deepLinkHosts`.",
  },
  {
    code: "reserved_parameter",
    retryable: false,
    meaning: "An extra parameter has a name that CAKE itself uses.",
    remedy: "Use the field of that name, or rename the parameter.",
  },
  {
    code: "repeated_parameter",
    retryable: false,
    meaning: "A parameter is repeated.",
    remedy: "Keep one of them; names are compared without case.",
  },
  {
    code: "invalid_click_id",
    retryable: false,
    meaning:
      "The text is not a click id: it is empty, has characters other than A-Z a-z 0-9 . _ : -, or is a placeholder.",
    remedy: "Pass what CAKE appended to the landing page's address, unchanged.",
  },
  {
    code: "invalid_unique_id",
    retryable: false,
    meaning:
      "A unique id, order id or transaction id is empty, longer than 128 characters, holds control characters, or is an e-mail address.",
    remedy: "Pass the shop's own order number, as it writes it.",
  },
  {
    code: "invalid_money",
    retryable: false,
    meaning: "The text is not an amount such as 18.00.",
    remedy: "Give up to 9 digits before the point and 4 after it, as text.",
  },
  {
    code: "invalid_time",
    retryable: false,
    meaning: "The text is not a time or day that exists, or the last day is before the first.",
    remedy: "The message says which: write times YYYY-MM-DD HH:MM:SS, days YYYY-MM-DD.",
  },
  {
    code: "invalid_cookie",
    retryable: false,
    meaning: "A cookie's name, value or path has forbidden characters, or the request's host is not within `domain`.",
    remedy: "Check `domain` against the host of the request.",
  },
  {
    code: "invalid_postback_url",
    retryable: false,
    meaning: "The postback URL is not a plain https URL on a host name.",
    remedy: "Give an https URL of at most 2,000 bytes, without user name or white space.",
  },
  {
    code: "placeholder_text",
    retryable: false,
    meaning:
      "The text is a placeholder that was never replaced (TRANSACTION_ID), or a word for a missing value (undefined).",
    remedy: "Give the value, or leave the field out.",
  },
  {
    code: "invalid_setting",
    retryable: false,
    meaning: "A setting is out of range, or is an unknown word.",
    remedy: "Use a value that the message names.",
  },
  {
    code: "weak_secret",
    retryable: false,
    meaning: "A secret is missing or shorter than 32 bytes.",
    remedy: "Make one with `openssl rand -hex 32`.",
  },
  {
    code: "invalid_field",
    retryable: false,
    meaning: "A field is missing, unknown or of the wrong type.",
    remedy: "Correct the field that the message names, by its rule.",
  },
  {
    code: "missing_api_key",
    retryable: false,
    meaning: "The API key is missing.",
    remedy: "Find it in CAKE under Setup, System Access, API Keys.",
  },
  {
    code: "invalid_base_url",
    retryable: false,
    meaning: "The API's base URL is neither https on a host name nor http on loopback.",
    remedy: "Give the origin, without a path. On loopback it is http, not https.",
  },
  {
    code: "key_in_page",
    retryable: false,
    meaning: "A client was created in a web page, where everybody can read its API key.",
    remedy: "Call CAKE from a server, or post to the forwarder.",
  },
  {
    code: "read_only",
    retryable: false,
    meaning: "The client was created with `readOnly`, and the call writes.",
    remedy: "Create a client without `readOnly` for calls that write.",
  },
  {
    code: "network",
    retryable: true,
    meaning: "A read got no answer.",
    remedy: "Try again; a read changes nothing.",
  },
  {
    code: "timeout",
    retryable: true,
    meaning: "A read got no complete answer within `timeoutMs`.",
    remedy: "Try again, or raise `timeoutMs`.",
  },
  {
    code: "outcome_unknown",
    retryable: false,
    meaning: "A write got no clear answer. CAKE may or may not have recorded it.",
    remedy: "Read `cause`, and look the conversion up in CAKE before you repeat the write.",
  },
  {
    code: "aborted",
    retryable: false,
    meaning: "The caller's signal ended the call, and the call recorded nothing.",
    remedy: "Call again if you still want the result.",
  },
  {
    code: "http_status",
    retryable: true,
    meaning: "CAKE answered with an error status.",
    remedy: "Read `status`; try again where `retryable` is true.",
  },
  {
    code: "rate_limited",
    retryable: true,
    meaning: "CAKE limits the rate of requests.",
    remedy: "Wait for `retryAfterMs`.",
  },
  {
    code: "unauthorized",
    retryable: false,
    meaning: "CAKE, or a firewall in front of it, refused the API key, the account or the caller's address.",
    remedy:
      "Read the message: it says which. Replace the key only where the message names it: a new key ends the old key at once.",
  },
  {
    code: "refused",
    retryable: false,
    meaning: "CAKE refused the request.",
    remedy: "Read the message: it has CAKE's own words.",
  },
  {
    code: "unavailable",
    retryable: true,
    meaning: "CAKE answered a read that it serves nobody for the moment, such as while it is down for maintenance.",
    remedy: "Try again later; a read changes nothing.",
  },
  {
    code: "unexpected_answer",
    retryable: false,
    meaning: "CAKE's answer does not have the documented shape.",
    remedy: "Check `baseUrl`; the message has the start of the answer.",
  },
  {
    code: "list_changed",
    retryable: false,
    meaning:
      "A list changed faster than it could be read, repeats its rows in place of others, or has no end. Rows may be missing.",
    remedy: "Read it again by days that have passed, by fewer days, or by one offer or affiliate.",
  },
  {
    code: "redirected",
    retryable: false,
    meaning: "CAKE answered with a redirect. The client does not follow it, because the target would see the key.",
    remedy: "Check `baseUrl`.",
  },
  {
    code: "answer_too_large",
    retryable: false,
    meaning: "CAKE's answer is larger than the limit.",
    remedy: "Check `baseUrl`, or ask for fewer rows.",
  },
  {
    code: "invalid_fixture",
    retryable: false,
    meaning: "The sandbox's fixture breaks a rule.",
    remedy: "Correct the field that the message names, by its rule.",
  },
  {
    code: "wasm_unavailable",
    retryable: false,
    meaning: "This runtime cannot start the core's WebAssembly.",
    remedy:
      "In a page import `cake-edge/page`, in a browser's worker allow `'wasm-unsafe-eval'`, elsewhere call `init(module, { client, checks })`. The message says which.",
  },
  {
    code: "wrong_runtime",
    retryable: false,
    meaning: "An entry was called in a runtime that cannot run it. The message names the runtime that it needs.",
    remedy: "Import the entry with `/memory` or `/node` at its end, or use the Node that the message names.",
  },
  {
    code: "outbox_in_use",
    retryable: false,
    meaning: "Another process has this outbox open.",
    remedy: "Stop that process, or choose another `folder`. Two processes would send every event twice.",
  },
  {
    code: "outbox_failed",
    retryable: false,
    meaning: "The outbox's disk is full, read-only or broken.",
    remedy: "Make room or mend the disk, then start again. Every event that was answered 202 is still there.",
  },
  {
    code: "ambiguous_file",
    retryable: false,
    meaning: "A report's file can be read in two ways.",
    remedy: "Set the option that the message names; the message shows the rows.",
  },
  {
    code: "unreadable_file",
    retryable: false,
    meaning: "A report's file cannot be read, or does not have the declared format.",
    remedy: "Check the path, the file, its dialect and `columns`; the message says what is wrong.",
  },
  {
    code: "unmapped_status",
    retryable: false,
    meaning: "An order's status has no counterpart among CAKE's.",
    remedy: "Add the word to `statuses`.",
  },
  {
    code: "report_full",
    retryable: false,
    meaning: "The report reached its memory limit.",
    remedy: "Raise `memory`, take fewer days, or read the same files once per `part`.",
  },
  {
    code: "clocks_differ",
    retryable: false,
    meaning: "Orders and conversions tell their times by two clocks.",
    remedy: "Declare `ordersTimeZone`, that of the orders' times, and `timeZone`, the account's.",
  },
  {
    code: "internal",
    retryable: false,
    meaning: "A bug in cake-edge.",
    remedy: "Please report it with the message and `cause`.",
  },
] as const;

/** The stable code of an error. */
export type CakeErrorCode = (typeof CAKE_ERROR_CODES)[number]["code"];

/** The fields of an error. */
export interface CakeErrorInit {
  /** The stable code. */
  readonly code: CakeErrorCode;
  /** Says what happened or which rule was broken. */
  readonly rule: string;
  /** Is the same call worth another try, and safe to repeat? @default false */
  readonly retryable?: boolean | undefined;
  /** The parameter at fault, if there is one. */
  readonly parameter?: string | undefined;
  /** CAKE's HTTP status, if it answered with one that matters. */
  readonly status?: number | undefined;
  /** The wait that CAKE asked for, in milliseconds, if it did. */
  readonly retryAfterMs?: number | undefined;
}

/** An error as the core throws it; see src/bindings/error.rs. */
interface CoreError extends CakeErrorInit {
  /** The error behind an unknown outcome. */
  readonly cause?: CoreError | undefined;
  /** The platform's message if no answer came, without URL and key. */
  readonly because?: string;
}

/**
 * Every error that cake-edge throws. Its message names the parameter and the
 * rule; it never holds an API key or a whole URL.
 */
export class CakeError extends Error {
  override readonly name = "CakeError";
  /** The stable code, to branch on. */
  declare readonly code: CakeErrorCode;
  /** Is the same call worth another try, and safe to repeat? */
  declare readonly retryable: boolean;
  /** The parameter at fault, if there is one. */
  declare readonly parameter: string | undefined;
  /** CAKE's HTTP status, if it answered with one that matters. */
  declare readonly status: number | undefined;
  /** The wait that CAKE asked for before the next call, in milliseconds, if it did. */
  declare readonly retryAfterMs: number | undefined;

  constructor({ rule, ...fields }: CakeErrorInit, options?: { readonly cause?: unknown }) {
    super((fields.parameter ? `${fields.parameter} ` : "") + rule, options);
    // In one statement: a page uses this code too, and counts its bytes.
    Object.assign(this, { retryable: false }, fields);
  }
}

/**
 * Is this a `CakeError`? Also recognises errors of another copy of the package or of another realm (a frame, a worker's
 * context), for which `instanceof` says no.
 */
export function isCakeError(value: unknown): value is CakeError {
  // The class itself has that name as well, but no code.
  return (value as Error | null | undefined)?.name === "CakeError" && "code" in (value as Error);
}

/** The error of a call that its caller's signal has aborted. */
export function abortedError(options?: { readonly cause?: unknown }): CakeError {
  return new CakeError({ code: "aborted", rule: "the call was aborted by its signal" }, options);
}

/** Turns an error of the core into a `CakeError`; a trap of the core is `internal`. */
export function toCakeError(thrown: unknown): CakeError {
  if (isCakeError(thrown)) return thrown;
  if (typeof thrown === "object" && thrown !== null && "code" in thrown && "rule" in thrown) {
    const { cause: inner, because, ...init } = thrown as CoreError;
    const rule = init.rule + (init.status ? ` (status ${init.status})` : "");
    const cause = inner ? toCakeError(inner) : because && new Error(because);
    return new CakeError({ ...init, rule }, cause ? { cause } : undefined);
  }
  return new CakeError({ code: "internal", rule: "a bug in cake-edge" }, { cause: thrown });
}

/** Calls into the core; its error becomes a `CakeError`. */
export function call<T>(run: () => T): T {
  try {
    return run();
  } catch (thrown) {
    throw toCakeError(thrown);
  }
}
