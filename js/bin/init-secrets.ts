/** The secrets that `npx cake-edge init` makes, and the files that hold them. */
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { checkSecret } from "../secret.js";
import { isFolder, textIn } from "./init-project.js";
import { findValue, withValue } from "./init-variables.js";

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
    isFolder(join(folder, below))
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

/** The cookie's secrets of a file, of which the first signs: a forwarder may have several, the newest first. */
function cookieSecretsOf(text: string): string[] {
  const one = findValue(text, COOKIE_SECRET);
  const several = findValue(text, `${COOKIE_SECRET}S`) ?? "";
  return [...(one === undefined ? [] : [one]), ...several.split(/[\s,]+/).filter((secret) => secret !== "")];
}

/** The files that hold a secret of cake-edge's. */
export const filesWithSecrets = (folder: string): string[] =>
  secretFilesIn(folder).filter((path) => {
    const text = textIn(folder, path) ?? "";
    return [...FORWARDER_SECRETS, `${COOKIE_SECRET}S`].some((name) => findValue(text, name) !== undefined);
  });

/** The cookie's secret that stands in one of the project's files, else a new one. */
export function cookieSecretIn(folder: string): string {
  const found = secretFilesIn(folder).flatMap((path) => {
    const secrets = cookieSecretsOf(textIn(folder, path) ?? "");
    return secrets.length === 0 ? [] : [{ path, secrets }];
  });
  const [first, ...others] = found;
  const [secret] = first?.secrets ?? [];
  if (others.some((other) => !other.secrets.some((each) => first?.secrets.includes(each)))) {
    const files = found.map(({ path }) => path).join(", ");
    console.log(`warning   ${COOKIE_SECRET} differs in ${files}: a cookie that one of them signs is void for another`);
  }
  if (first === undefined || secret === undefined) return newSecret();
  warnIfRefused(first.path, secret);
  return secret;
}

/** A secret that the library refuses works nowhere: said here, before it is copied. It is itself not shown. */
function warnIfRefused(path: string, value: string): void {
  try {
    checkSecret(COOKIE_SECRET, value, 32);
  } catch (thrown) {
    console.log(`warning   ${(thrown as Error).message} (in ${path})`);
  }
  if (/[\s,]/.test(value)) {
    console.log(`warning   ${COOKIE_SECRET} has a blank or a comma: the forwarder reads several secrets (in ${path})`);
  }
}

export function forwarderSecrets(text: string, cookieSecret: string): string {
  let after = withValue(text, "CAKE_API_KEY", newSecret());
  after = withValue(after, "CAKE_OPERATOR_SECRET", newSecret());
  after = withValue(after, "CAKE_SIGNING_SECRETS", `whsec_${randomBytes(32).toString("base64")}`);
  return cookieSecretsOf(after).length === 0 ? withValue(after, COOKIE_SECRET, cookieSecret) : after;
}
