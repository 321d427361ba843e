/** A file shown as a sample; see `vite.config.ts`. */
declare module "*?sample" {
  export const text: string;
  export const html: string;
}
declare module "*.css";
