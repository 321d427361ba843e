/** The files that lie beside this script: each is loaded when it is first needed. */

/** Is this the tag? scripts/page.ts says so. A module's bundler wants to see the imports themselves. */
declare const IS_TAG: boolean;

const FILES = {
  outbox: () => import("./outbox.js"),
  decorate: () => import("./decorate.js"),
  attach: () => import("./attach.js"),
  link: () => import("./link.js"),
  fallback: () => import("./fallback.js"),
};
type Files = { [Name in keyof typeof FILES]: Awaited<ReturnType<(typeof FILES)[Name]>> };

let base = "";

/** Says in which folder the tag's files lie. */
export function setBase(folder = ""): void {
  if (IS_TAG) base = folder.replace(/\/$/, "");
}

/** Imports a file. A module's imports are literal, each in its place: bundlers know no others, and Turbopack refuses them. */
const open = (name: keyof Files, address: string): Promise<unknown> =>
  IS_TAG ? import(/* @vite-ignore */ address) : FILES[name]();

/**
 * Loads a file, and once more where that failed. Firefox remembers a failed import for the life of the page: the tag
 * asks by another address then, a module's next try is the next page's.
 *
 * @throws where the network fails; with `missing`, the file's address, where an answer came and it was no such file
 */
export function load<Name extends keyof Files>(name: Name): Promise<Files[Name]> {
  // The page's address: a base element is another one's affair.
  const own = IS_TAG ? new URL(`${base}/${name}.js`, location.href).href : "";
  return open(name, own).catch(async (error) => {
    // Chromium and Firefox name the address in their message.
    const missing = own || /http\S+/.exec(error)?.[0];
    if (!missing) throw error;
    await fetch(missing);
    return open(name, `${missing}?${Date.now()}`).catch(() => {
      throw { missing };
    });
  }) as Promise<Files[Name]>;
}
