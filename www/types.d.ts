/** A file shown as a sample; see `vite.config.ts`. */
declare module "*?sample" {
  export const text: string;
  export const html: string;
}
declare module "*.css";
declare module "*?url" {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: as Vite has it.
  export default url;
}
/** Is this the build that runs without a server? */
declare const __STATIC__: boolean;
