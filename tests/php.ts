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

/** A test's name that says so. */
export const PHP_IS_HERE = isWithoutPhp
  ? "PHP is missing, so the plugin for WordPress is not tested: install php-cli"
  : "PHP is here";
