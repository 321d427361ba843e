/** Keys and secrets among the options, all by one rule: checked before they are used, and never shown. */
import { CakeError } from "./error.js";
import { refuse, stringOption } from "./option.js";

/** What manuals write in place of a secret. */
const PLACEHOLDER = /^<|^(your|change|replace|example|placeholder|todo|insert|secret$|password)|(.)\2{7}|x{6}|\.\.\./i;

/** What programs and templates write where they have no value. */
const MISSING =
  /^(undefined|null|nan|nil|none|n\/a|true|false|missing|empty|unset|unknown|(api|cake)[-_ ]?(api[-_ ]?)?key|\[(object|function).*|\$\w*|[${%#[]+.*[\]}%#])$/i;

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

/** @throws CakeError `placeholder_text` for a text that is no secret, whatever its length */
export function refusePlaceholder(parameter: string, secret: string): void {
  const trimmed = secret.trim().replace(/^whsec_/, "");
  const isMissing = MISSING.test(trimmed);
  if (!isMissing && !PLACEHOLDER.test(trimmed)) return;
  const what = isMissing ? "stands for a missing value" : "is a manual's placeholder";
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
