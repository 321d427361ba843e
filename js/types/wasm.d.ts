/**
 * What hands over an imported `.wasm` as a compiled module: wrangler, workerd under Vitest, Cloudflare's Vite plugin,
 * Next and Vercel at the edge. Without `?module` some of them take it for an ES module of its own.
 */
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
