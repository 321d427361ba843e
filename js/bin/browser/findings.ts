/** The steps of the doctor's visit, and the finding of each. */

/** A step of the visit. */
export interface Finding {
  readonly name: string;
  readonly status: "PASS" | "FAIL" | "UNKNOWN";
  /** The finding. */
  readonly found: string;
  /** The advice, unless the step has passed. */
  readonly advice?: string;
}

/** The steps, in the order of the report. */
const STEPS = [
  "page",
  "redirect",
  "tracker",
  "files",
  "policy",
  "landing",
  "parameters",
  "consent_later",
  "consent_no",
  "consent_yes",
  "reload",
  "second_landing",
  "thank_you",
  "thank_you_reload",
  "endpoint",
  "blocked_cookies",
  "blocked_storage",
  "privacy_control",
  "cookie_cache",
] as const;
export type Step = (typeof STEPS)[number];
/** Steps that are reported only if there is a finding. */
const SILENT: readonly Step[] = ["redirect", "thank_you_reload"];

/** The findings so far. */
export class Findings {
  readonly #findings = new Map<Step, Finding>();

  /** The findings; a step that was not reached is unknown. */
  report(version: string): Finding[] {
    const steps = STEPS.filter((name) => this.#findings.has(name) || !SILENT.includes(name));
    const unknown = (name: Step): Finding => ({
      name,
      status: "UNKNOWN",
      found: "the visit did not come this far",
      advice: "Mend what failed above, then examine again.",
    });
    const browser: Finding = {
      name: "browser",
      status: "PASS",
      found: `${version.replace("/", " ")}; conversions are answered here, and nothing real is sent`,
    };
    return [browser, ...steps.map((name) => this.#findings.get(name) ?? unknown(name))];
  }

  of(name: Step): Finding | undefined {
    return this.#findings.get(name);
  }
  has(name: Step): boolean {
    return this.#findings.has(name);
  }
  pass(name: Step, found: string): void {
    this.#findings.set(name, { name, status: "PASS", found });
  }
  fail(name: Step, found: string, advice: string): void {
    this.#findings.set(name, { name, status: "FAIL", found, advice });
  }
  unknown(name: Step, found: string, advice: string): void {
    this.#findings.set(name, { name, status: "UNKNOWN", found, advice });
  }
}
