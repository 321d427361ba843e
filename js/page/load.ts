/** The files that lie beside this script: each is loaded when it is first needed. */

/** Is this the tag? scripts/page.ts says so. A module's bundler wants to see the imports themselves. */
declare const IS_TAG: boolean;

const FILES = {
  outbox: () => import("./outbox.js"),
  decorate: () => import("./decorate.js"),
  link: () => import("./link.js"),
  fallback: () => import("./fallback.js"),
};
type Files = { [Name in keyof typeof FILES]: Awaited<ReturnType<(typeof FILES)[Name]>> };

let base = "";

/** Says in which folder, a URL, the tag's files lie. */
export function setBase(url: string): void {
  base = url;
}

/**
 * Loads a file, and once more where that failed: Firefox remembers a failed import for the life of the page, so that the
 * second one has another address.
 *
 * @throws where the network fails; with `missing`, the file's address, where an answer came and it was no such file
 */
export function load<Name extends keyof Files>(name: Name): Promise<Files[Name]> {
  const find = (again = ""): Promise<Files[Name]> => import(/* @vite-ignore */ `${base}${name}.js${again}`);
  return (IS_TAG ? find() : (FILES[name]() as Promise<Files[Name]>)).catch(async (error) => {
    // Chromium and Firefox name the address in their message.
    const [missing] = IS_TAG ? [`${base}${name}.js`] : (/http\S+/.exec(error) ?? []);
    if (!missing) throw error;
    await fetch(missing);
    return (IS_TAG ? find(`?${Date.now()}`) : import(/* @vite-ignore */ `${missing}?${Date.now()}`)).catch(() => {
      throw { missing };
    });
  });
}
