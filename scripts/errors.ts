// `node scripts/errors.ts`: writes docs/errors.md and tests/vectors/errors.json from the only list of error codes, in
// js/error.ts. A test compares both files with the list.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CAKE_ERROR_CODES } from "../js/error.ts";
import { root } from "./build.ts";

/** The files that are made from the list, by their path in the repository. */
export function filesOfCodes(): Record<string, string> {
  const rows = CAKE_ERROR_CODES.map(
    ({ code, retryable, meaning, remedy }) => `| \`${code}\` | ${meaning} | ${remedy} | ${retryable ? "yes" : "no"} |`,
  );
  const codes = CAKE_ERROR_CODES.map(({ code, retryable }) => `    { "code": "${code}", "retryable": ${retryable} }`);
  return {
    "docs/errors.md": `# Error codes

Every error of cake-edge is a \`CakeError\`: \`code\` is stable, \`parameter\` names what is at fault, \`message\` is a
sentence. \`cause\` is the error behind it, where one is known. No message holds a secret or a whole URL.
\`isCakeError(value)\` recognises one, also of another copy of the package or of another realm.

| code | what has happened | what to do | retryable |
| --- | --- | --- | --- |
${rows.join("\n")}

An \`http_status\` is retryable for 408, 425 and 5xx.
`,
    "tests/vectors/errors.json": `{
  "about": "Every error code, written by scripts/errors.ts. An http_status is retryable for 408, 425 and 5xx.",
  "codes": [
${codes.join(",\n")}
  ]
}
`,
  };
}

if (import.meta.main) {
  for (const [path, text] of Object.entries(filesOfCodes())) writeFileSync(join(root, path), text);
}
