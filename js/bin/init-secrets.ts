/** The secrets that `npx cake-edge init` makes, and the files that hold them. */
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { checkSecret } from "../secret.js";
import { withLinesAtEnd } from "./init-project.js";

const newSecret = () => randomBytes(32).toString("hex");

/** Is it a file of variables, as wrangler, Next, Vite and dotenv read them? An example's values are none. */
export const isSecretFile = (path: string): boolean =>
  /^\.(env|dev\.vars)(\.(?!(example|sample|template|defaults|dist|vault|keys)$)[\w-]+)*$/.test(basename(path));

/** The first of them that has a secret is taken at its word: what development reads, in the order of Next. */
const FIRST_FILES = [
  "forwarder/.dev.vars",
  "site/.dev.vars",
  ".dev.vars",
  ".env.development.local",
  ".env.local",
  ".env.development",
  ".env",
];

/** The files that may hold a secret of this project. */
function secretFilesIn(folder: string): string[] {
  const found = ["", "forwarder", "site"].flatMap((below) =>
    statSync(join(folder, below), { throwIfNoEntry: false })?.isDirectory()
      ? readdirSync(join(folder, below), { withFileTypes: true })
          .filter((entry) => !entry.isDirectory() && isSecretFile(entry.name))
          .map(({ name }) => (below === "" ? name : `${below}/${name}`))
      : [],
  );
  return [
    ...FIRST_FILES.filter((path) => found.includes(path)),
    ...found.filter((path) => !FIRST_FILES.includes(path)),
  ];
}

/** The secret that the capture signs with and the forwarder reads. */
export const COOKIE_SECRET = "CAKE_COOKIE_SECRET";

/** The secrets that a forwarder needs where it is deployed. */
export const FORWARDER_SECRETS = ["CAKE_API_KEY", "CAKE_OPERATOR_SECRET", "CAKE_SIGNING_SECRETS", COOKIE_SECRET];

/** The lines that set a variable, as dotenv reads them: what stands before the value, and the value. */
const linesOf = (name: string) =>
  new RegExp(`^([ \\t]*(?:export[ \\t]+)?${name}[ \\t]*(?:=|:[ \\t])[ \\t]*)(.*)$`, "gm");

/** The value of the last line that has one, as it is written there: it counts. */
export function secretOf(text: string, name: string): string | undefined {
  return [...text.matchAll(linesOf(name))]
    .map(([, , value = ""]) => value.trim())
    .filter((value) => !/^(""|''|#.*)?$/.test(value))
    .at(-1);
}

/** The cookie's secret of a file: a forwarder may have several, the newest first. */
function cookieSecretOf(text: string): string | undefined {
  return secretOf(text, COOKIE_SECRET) ?? secretOf(text, `${COOKIE_SECRET}S`)?.split(/[\s,]+/)[0];
}

/** The cookie's secret that stands in one of the project's files, else a new one. */
export function cookieSecretIn(folder: string): string {
  const found = secretFilesIn(folder).flatMap((path) => {
    const value = cookieSecretOf(readFileSync(join(folder, path), "utf8"));
    return value === undefined ? [] : [{ path, value }];
  });
  const [first, ...others] = found;
  if (others.some(({ value }) => value !== first?.value)) {
    const files = found.map(({ path }) => path).join(", ");
    console.log(`warning   ${COOKIE_SECRET} differs in ${files}: a cookie that one of them signs is void for another`);
  }
  if (first) warnIfRefused(first.path, first.value);
  return first?.value ?? newSecret();
}

/** A secret that the library refuses works nowhere: said here, before it is copied. It is itself not shown. */
function warnIfRefused(path: string, value: string): void {
  try {
    checkSecret(COOKIE_SECRET, value.replace(/^(["'])(.*)\1$/, "$2"), 32);
  } catch (thrown) {
    console.log(`warning   ${(thrown as Error).message} (in ${path})`);
  }
}

/** Adds a secret once: a second run keeps it. A line without a value gets it. */
export function withSecret(before: string | undefined, name: string, secret: string): string {
  const text = before ?? "";
  if (secretOf(text, name) !== undefined) return text;
  if (linesOf(name).test(text)) return text.replace(linesOf(name), (_, head: string) => head + secret);
  return withLinesAtEnd(text, [`${name}=${secret}`]);
}

export function forwarderSecrets(before: string | undefined, cookieSecret: string): string {
  let after = withSecret(before, "CAKE_API_KEY", newSecret());
  after = withSecret(after, "CAKE_OPERATOR_SECRET", newSecret());
  after = withSecret(after, "CAKE_SIGNING_SECRETS", `whsec_${randomBytes(32).toString("base64")}`);
  return cookieSecretOf(after) === undefined ? withSecret(after, COOKIE_SECRET, cookieSecret) : after;
}
