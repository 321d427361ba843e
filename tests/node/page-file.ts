/** The page's script, evaluated anew by each call: a page's trackers share what it has read. */
import { readFileSync } from "node:fs";
import type * as Page from "../../js/page/index.ts";

const text = readFileSync(new URL("../../dist/page/page.js", import.meta.url), "utf8");

/** A page of its own. */
export const openPage = new Function(
  text.replace(/export\{(.*)\}/, (_, names: string) => `return {${names.replace(/(\w+) as (\w+)/g, "$2:$1")}}`),
) as () => typeof Page;
