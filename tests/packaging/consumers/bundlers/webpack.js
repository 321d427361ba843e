// node webpack.js webpack|@rspack/core web|node: one bundle, as the bundler does it by default.
import { resolve } from "node:path";

const [name, target] = process.argv.slice(2);
// Its bundles for a server are CommonJS, and this project's .js files are not.
const extension = target === "node" ? "cjs" : "js";
const { default: bundler, ...named } = await import(name);
(bundler ?? named.rspack)(
  {
    mode: "production",
    target: target === "node" ? "node20" : "web",
    entry: { landing: target === "node" ? "./shared/print.js" : "./shared/page.js" },
    output: {
      path: resolve("built", `${name}-${target}`.replaceAll("/", "-")),
      filename: `landing.${extension}`,
      chunkFilename: `[id].${extension}`,
    },
    // Its one advice is on the size of assets.
    performance: { hints: false },
  },
  (error, stats) => {
    if (error || stats.hasErrors() || stats.hasWarnings()) {
      console.error(error ?? stats.toString());
      process.exitCode = 1;
    }
  },
);
