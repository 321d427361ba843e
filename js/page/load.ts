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

/** Says in which folder the tag's files lie. */
export function setBase(folder = ""): void {
  if (IS_TAG) base = folder.replace(/\/$/, "");
}

/**
 * Loads a file, and once more where that failed: Firefox remembers a failed import for the life of the page, so that the
 * second one has another address.
 *
 * @throws where the network fails; with `missing`, the file's address, where an answer came and it was no such file
 */
export function load<Name extends keyof Files>(name: Name): Promise<Files[Name]> {
  const retry = async (missing: string): Promise<Files[Name]> => {
    await fetch(missing);
    return import(/* @vite-ignore */ `${missing}?${Date.now()}`).catch(() => {
      throw { missing };
    });
  };
  if (IS_TAG) {
    // The page's address: a base element is another one's affair.
    const address = new URL(`${base}/${name}.js`, location.href).href;
    return import(/* @vite-ignore */ address).catch(() => retry(address));
  }
  return (FILES[name]() as Promise<Files[Name]>).catch((error) => {
    // Chromium and Firefox name the address in their message.
    const [address] = /http\S+/.exec(error) ?? [];
    if (!address) throw error;
    return retry(address);
  });
}
