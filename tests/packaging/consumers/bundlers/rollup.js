// node rollup.js es|iife|cjs: with only the plugin that finds packages.
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { rollup } from "rollup";

const [format] = process.argv.slice(2);
const isServer = format === "cjs";
const bundle = await rollup({
  input: isServer ? "shared/print.js" : "shared/page.js",
  plugins: [nodeResolve({ browser: !isServer })],
  onwarn(warning) {
    throw new Error(warning.message);
  },
});
await bundle.write({
  dir: `built/rollup-${format}`,
  format,
  entryFileNames: isServer ? "landing.cjs" : "landing.js",
  ...(format === "es" ? {} : { inlineDynamicImports: true }),
});
