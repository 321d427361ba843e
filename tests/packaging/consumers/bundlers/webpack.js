// node webpack.js webpack|@rspack/core web|node: one bundle, with the bundler's defaults.
import { resolve } from "node:path";

const [name, target] = process.argv.slice(2);
// The server bundles are CommonJS, but this project's .js files are ES modules.
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
    // The only warning is about the size of assets.
    performance: { hints: false },
  },
  (error, stats) => {
    if (error || stats.hasErrors() || stats.hasWarnings()) {
      console.error(error ?? stats.toString());
      process.exitCode = 1;
    }
  },
);
