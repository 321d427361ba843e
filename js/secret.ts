/** Keys and secrets among the options, all by one rule: checked before they are used, and never shown. */
import { CakeError } from "./error.js";
import { refuse, stringOption } from "./option.js";

/** What manuals and people write in place of a secret. */
const PLACEHOLDER =
  /^<|^(your|change|replace|example|placeholder|todo|insert|password)|^(nil|none|n\/a|true|false|missing|empty|unset|unknown|secret|(api|cake)[-_ ]?(api[-_ ]?)?key)$|(.)\5{7}|x{6}|\.\.\./i;

/** What a file of two lines, or one in UTF-16, has inside. */
const BROKEN = /[\p{Cc}\ufffd]/u;

/** What `docker --env-file` and others leave around a value, where a shell would take it away. */
const QUOTED = /^(["'`]).*\1$/s;

/** What programs, templates and our own examples write where they have no value. */
const MISSING = /^(undefined|null|nan|\u2026|\[(object|function).*|\$\w*|[${%#[]+.*[\]}%#])$/i;

/**
 * A checked secret, without surrounding white space.
 *
 * @throws CakeError `placeholder_text`, `weak_secret` or `missing_api_key`, named after `parameter`
 */
export function checkSecret(
  parameter: string,
  secret: string,
  least: number,
  missing: "missing_api_key" | "weak_secret" = "weak_secret",
): string {
  const trimmed = secret.trim();
  if (trimmed === "") throw new CakeError({ code: missing, parameter, rule: "is missing: set it as a secret" });
  refusePlaceholder(parameter, trimmed);
  if (trimmed.length < least) {
    throw new CakeError({ code: "weak_secret", parameter, rule: `must have at least ${least} characters` });
  }
  return trimmed;
}

/**
 * Refuses a word for a missing value, and what a broken file or a quoted one leaves: CAKE would say that it does not know
 * the key, and a new key ends the old one. A manual's placeholder is not refused here: an example runs against the
 * sandbox or a stub.
 *
 * @throws CakeError `placeholder_text`
 */
export function refuseBroken(parameter: string, secret: string): void {
  const trimmed = secret.trim();
  if (MISSING.test(bare(trimmed))) refuseText(parameter, "stands for a missing value");
  if (QUOTED.test(trimmed)) refuseText(parameter, "has quotes around it");
  if (BROKEN.test(trimmed)) refuseText(parameter, "has a line break, a control character or a byte that is no UTF-8");
}

/** Refuses also a manual's placeholder: nobody but us would notice it. */
function refusePlaceholder(parameter: string, secret: string): void {
  refuseBroken(parameter, secret);
  if (PLACEHOLDER.test(bare(secret))) refuseText(parameter, "is a placeholder");
}

const bare = (secret: string): string => secret.trim().replace(/^whsec_/, "");

function refuseText(parameter: string, what: string): never {
  throw new CakeError({ code: "placeholder_text", parameter, rule: `${what}: set the secret itself` });
}

/** One secret or several, the newest first; at least one, each of 32 characters or more. */
export function checkSecrets(parameter: string, value: unknown): string[] {
  const given = typeof value === "string" || value === undefined || value === null ? [value ?? ""] : value;
  const secrets = texts(parameter, given).map((secret) => checkSecret(parameter, secret, 32));
  return secrets.length > 0 ? secrets : refuse(parameter, "must hold one secret at least");
}

/** A list of secrets for the core, which has the rule of their number and length. */
export function secretsOption(parameter: string, value: unknown): string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) refuse(parameter, "must be a list");
  return value.map((each) => {
    const secret = stringOption(parameter, each);
    refusePlaceholder(parameter, secret);
    return secret;
  });
}

/** A list of texts; empty where it is absent. */
export function texts(name: string, value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) refuse(name, "must be a list of texts");
  return value;
}
