/** What is left to do after `npx cake-edge init`: each command as it works in this project. */
import { relative } from "node:path";
import { forwarderScripts, keepsClicksInWorker, lackingPackages, pageModule } from "./init-files.js";
import {
  dependenciesIn,
  MANAGERS,
  type Plan,
  packageIn,
  sandboxTest,
  scriptsIn,
  siteWorkerIn,
  standing,
  testCommand,
} from "./init-project.js";
import { COOKIE_SECRET, FORWARDER_SECRETS } from "./init-secrets.js";

export function nextSteps(plan: Plan): string[] {
  const { folder, parts, framework, manager, installs } = plan;
  const { exec } = MANAGERS[manager];
  const where = relative(process.cwd(), folder);
  const steps = ["", where === "" ? "Next:" : `Next, in ${where}:`];
  /** The script, or its command where the project has another script of that name. */
  const script = (name: string, command: string, byHand = `${exec} ${command}`) =>
    scriptsIn(folder)[name]?.includes(command) ? `${manager} run ${name}` : byHand;
  const lacking = lackingPackages(plan).join(" and ");
  if (lacking !== "") steps.push(`  this command again with --yes: package.json does not name ${lacking}`);
  else if (!installs) steps.push(`  ${manager} install`);
  if (parts.has("forwarder")) {
    const config = standing(folder, "forwarder/wrangler.jsonc");
    const scripts = forwarderScripts(folder);
    const [first, ...others] = FORWARDER_SECRETS;
    steps.push(
      `  ${script("forwarder", scripts.forwarder)}`,
      "    the forwarder on http://localhost:8787/cake, delivering into a sandbox",
      `  ${config}`,
      "    name your CAKE domain, its time zone and your site's route there",
      `  ${exec} wrangler secret put ${first} --config ${config}`,
      `    and in the same way ${others.join(", ")}`,
      `  ${script("forwarder:deploy", scripts["forwarder:deploy"])}`,
    );
  }
  if (parts.has("page")) {
    const module = pageModule(plan);
    const step = {
      next: `render <CakeEdge /> of ${module} in your layout`,
      sveltekit: `import ${module} in your layout`,
      vite: `import ${module} in your main module`,
      wrangler: `mkdir -p public/js && cp ${packageIn(folder)}/dist/page/*.js public/js/`,
    }[framework];
    steps.push(`  ${step}`);
  }
  if (parts.has("capture") && framework === "next") {
    steps.push(`  export const dynamic = "force-dynamic" in the pages that clicks land on`);
    steps.push("    else a cache may share a prerendered page with its cookie");
  }
  if (keepsClicksInWorker(plan)) steps.push(...siteSteps(plan, exec));
  if (parts.has("sandbox")) {
    const all = dependenciesIn(folder);
    const [path, runner] = sandboxTest(all);
    const byHand = runner === "vitest" ? `${exec} vitest run ${path}` : `node --test ${path}`;
    // Another command, such as `vitest run --project web`, may leave the file out.
    const isOurs = scriptsIn(folder)["test"] === testCommand(all);
    steps.push(`  ${isOurs ? `${manager} run test` : byHand}`);
  }
  return steps;
}

function siteSteps({ folder, framework }: Plan, exec: string): string[] {
  const { kind, config, file } = siteWorkerIn(folder);
  const secret = `secret put ${COOKIE_SECRET}`;
  const same = "    the secret that the forwarder has";
  if (kind === "pages") return [`  ${exec} wrangler pages ${secret}`, same];
  const steps = [`  ${exec} wrangler ${secret} --config ${config}`, same];
  if (kind === "own" || kind === "built") {
    return [`  ${file}`, "    wrap its fetch handler in withClickCapture", ...steps];
  }
  const built = framework === "vite" ? `${exec} vite build && ` : "";
  return [
    `  ${built}${exec} wrangler dev --config ${config}`,
    ...steps,
    `  ${exec} wrangler deploy --config ${config}`,
  ];
}
