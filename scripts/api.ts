// Reports of the public types: tests/api/ENTRY.api.md, one for each import path. `npm run check` compares them, so that
// every change of the API is seen. `-- --fix` writes them.
import { globSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Extractor, ExtractorConfig, ExtractorLogLevel } from "@microsoft/api-extractor";
import { root } from "./build.ts";

const isFix = process.argv.includes("--fix");
const folder = join(root, "tests/api");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: Record<string, string | { types?: string; default: string }>;
};
mkdirSync(folder, { recursive: true });

let changed = 0;
const seen = new Set<string>();
for (const [path, target] of Object.entries(exports)) {
  const types = typeof target === "string" ? undefined : target.types;
  // `cake-edge/slim` has the types of `cake-edge`; a .wasm import has a single line of types.
  if (types === undefined || path.endsWith(".wasm") || seen.has(types)) continue;
  seen.add(types);
  const name = path === "." ? "edge" : path.slice(2).replaceAll("/", "-");
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(root, "package.json"),
    packageJson: undefined,
    configObjectFullPath: join(root, "api-extractor.json"),
    configObject: {
      projectFolder: root,
      mainEntryPointFilePath: join(root, types),
      newlineKind: "lf",
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: "ES2022",
            module: "ESNext",
            moduleResolution: "Bundler",
            strict: true,
            lib: name === "page" || name === "frame" ? ["ES2022", "DOM", "DOM.Iterable"] : ["ES2022"],
            types: name === "page" || name === "frame" ? [] : ["@cloudflare/workers-types"],
          },
          files: [join(root, types)],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: `${name}.api.md`,
        reportFolder: folder,
        reportTempFolder: join(root, "target/api"),
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        // Only the report is needed: Biome and reviewers check the prose.
        compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Warning } },
        extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
      },
    },
  });
  const result = Extractor.invoke(config, {
    localBuild: isFix,
    showVerboseMessages: false,
    messageCallback(message) {
      // The extractor reports its own TypeScript's version, and the file that it wrote or would write.
      message.handled =
        message.logLevel === ExtractorLogLevel.Info || message.messageId === "console-compiler-version-notice";
    },
  });
  if (!result.apiReportChanged) continue;
  changed += 1;
  console.log(`api: ${name}.api.md ${isFix ? "is written" : "is not what the types say"}`);
}
// A site compiles with exactOptionalPropertyTypes, or hands on a value that may be missing, such as an environment's:
// whatever may be left out may be given as `undefined`.
for (const file of globSync("*.api.md", { cwd: folder })) {
  for (const line of readFileSync(join(folder, file), "utf8").split("\n")) {
    if (!/^\s+(readonly )?\w+\?: .*;$/.test(line) || /\bundefined\b|: unknown;$/.test(line)) continue;
    console.error(`api: ${file} has an optional property that does not take undefined: ${line.trim()}`);
    process.exitCode = 1;
  }
}
if (changed > 0 && !isFix) {
  console.error(
    "api: the public types have changed: look at it with `npm run check -- --fix`, then `git diff tests/api`",
  );
  process.exitCode = 1;
}
