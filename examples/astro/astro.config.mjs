import node from "@astrojs/node";
import { defineConfig } from "astro/config";

// Pages are rendered by the server, where the middleware keeps clicks: a static page has none.
export default defineConfig({ output: "server", adapter: node({ mode: "standalone" }), server: { port: 3000 } });
