export default defineNuxtConfig({
  compatibilityDate: "2026-10-01",
  buildDir: "built/nuxt",
  nitro: { output: { dir: "built/output" } },
});
