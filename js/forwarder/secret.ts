/** Secrets among the options, checked before any request is served. */
import { CakeError } from "../error.js";
import { refuse } from "../option.js";

const PLACEHOLDER = /^<|^(your|change|replace|example|placeholder|todo|insert|secret$|password)|(.)\2{7}|x{6}|\.\.\./i;

/** A checked secret, without surrounding white space. */
export function checkSecret(
  parameter: string,
  secret: string,
  least: number,
  missing: "missing_api_key" | "weak_secret" = "weak_secret",
): string {
  const trimmed = secret.trim();
  if (trimmed === "") throw new CakeError({ code: missing, parameter, rule: "is missing: set it as a secret" });
  if (PLACEHOLDER.test(trimmed)) {
    throw new CakeError({
      code: "placeholder_text",
      parameter,
      rule: "is a manual's placeholder: set the secret itself",
    });
  }
  if (trimmed.length < least) {
    throw new CakeError({ code: "weak_secret", parameter, rule: `must have at least ${least} characters` });
  }
  return trimmed;
}

/** One secret or several, the newest first; at least one, each of 32 characters or more. */
export function checkSecrets(parameter: string, value: unknown): string[] {
  const given = typeof value === "string" || value === undefined || value === null ? [value ?? ""] : value;
  const secrets = texts(parameter, given).map((secret) => checkSecret(parameter, secret, 32));
  return secrets.length > 0 ? secrets : refuse(parameter, "must hold one secret at least");
}

/** A list of texts; empty where it is absent. */
export function texts(name: string, value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.some((each) => typeof each !== "string")) refuse(name, "must be a list of texts");
  return value;
}
