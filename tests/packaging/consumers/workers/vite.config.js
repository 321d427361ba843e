import { cloudflare } from "@cloudflare/vite-plugin";

const config = { plugins: [cloudflare({ persistState: false })], build: { outDir: "built/vite" } };
export default config;
