import { cloudflare } from "@cloudflare/vite-plugin";

const config = {
  plugins: [cloudflare({ configPath: "fetch.wrangler.jsonc", persistState: false })],
  build: { outDir: "built/vite" },
};
export default config;
