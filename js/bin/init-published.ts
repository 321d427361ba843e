/** Whether a deploy by wrangler would publish a file of secrets: it leaves out no `.dev.vars` and no `.env`. */
import { basename, join, resolve, sep } from "node:path";
import { ignores, type Taken } from "./init-git.js";
import { namesOf, realPath, textIn } from "./init-project.js";
import { readWranglerConfig } from "./wrangler-config.js";

/** `undefined` where no configuration of the project serves the folder that the file is in. */
export function publishedByWrangler(folder: string, path: string): Taken | undefined {
  const file = realPath(join(folder, path));
  for (const config of ["", "forwarder/", "site/"].flatMap((below) => namesOf(`${below}wrangler.jsonc`))) {
    const said = readWranglerConfig(config, textIn(folder, config) ?? "");
    const served = said?.served.map((each) => realPath(resolve(folder, config, "..", each)));
    const around = served?.find((each) => file.startsWith(each.endsWith(sep) ? each : each + sep));
    if (said === undefined || around === undefined) continue;
    // Pages reads no such file.
    if (!said.isPages && ignores(textIn(around, ".assetsignore") ?? "", basename(file))) continue;
    const mended = said.isPages ? "" : `, or name the file in ${join(around, ".assetsignore")}`;
    const refusal =
      `${config} serves the folder that it is in, so a deploy would publish its secrets. ` +
      `Serve another folder, such as public${mended}, then run this command again`;
    return { refusal, warning: `${path}: ${refusal}` };
  }
  return undefined;
}
