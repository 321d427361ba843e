/** The wasm of a file. Not as it streams: a static host may have no type for such a file. */
export async function compiled(url: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await (await fetch(url)).arrayBuffer());
}
