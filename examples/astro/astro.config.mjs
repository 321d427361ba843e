import node from "@astrojs/node";
import { defineConfig } from "astro/config";

// Pages are rendered by the server, where the middleware keeps clicks: a static page has none.
export default defineConfig({
  output: "server",
  adapter: node({ mode: "standalone" }),
  server: { port: 3000 },
  // On another port the site would not be SITE_ORIGIN, and its forwarder refuses each conversion.
  vite: { server: { strictPort: true } },
});
