/** workerd and wrangler hand over an imported `.wasm` file as a compiled module. */
declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}
/** So do Next and Vercel, where it is asked for. */
declare module "*.wasm?module" {
  const module: WebAssembly.Module;
  export default module;
}
