/** PHP for the tests of the plugin for WordPress: without it they are skipped, but never in CI. */
import { execFileSync } from "node:child_process";

/** The version; `undefined` where there is no PHP. */
export const phpVersion = (() => {
  try {
    return execFileSync("php", ["-r", "echo PHP_VERSION;"], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
})();

/** Are its tests skipped? In CI they fail instead. */
export const isWithoutPhp = phpVersion === undefined && !process.env["CI"];

if (isWithoutPhp) {
  console.warn("PHP is missing: the tests of the plugin for WordPress are skipped. Install php-cli to run them.");
}
