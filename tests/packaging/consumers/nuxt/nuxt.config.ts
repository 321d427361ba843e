// Nuxt writes the path of its folder `shared` for a build of this depth.
export default defineNuxtConfig({ compatibilityDate: "2026-10-01", buildDir: "built/nuxt" });
