/** The files beside this script: each is loaded on first use. */

import { now, resolve } from "./store.js";

/** Is this the tag? scripts/page.ts sets it. A module's bundler needs to see the imports themselves. */
declare const IS_TAG: boolean;

const FILES = {
  outbox: () => import("./outbox.js"),
  rare: () => import("./rare.js"),
  decorate: () => import("./decorate.js"),
  attach: () => import("./attach.js"),
  link: () => import("./link.js"),
  fallback: () => import("./fallback.js"),
};
/** The files' exports. */
export type Files = { [Name in keyof typeof FILES]: Awaited<ReturnType<(typeof FILES)[Name]>> };

let base: string;

/** Sets the folder of the tag's files. */
export function setBase(settings: { readonly base?: string }): void {
  if (IS_TAG) base = (settings.base ?? "").replace(/\/*$/, "/");
}

/**
 * Loads a file, and tries once more after a failure. Firefox remembers a failed import for the life of the page. So the
 * tag retries with another address; a module's next try is on the next page.
 *
 * @throws if the network fails; with `missing`, which names the file's address, if an answer came but not that file
 */
export function load<Name extends keyof Files>(name: Name): Promise<Files[Name]> {
  let own = IS_TAG ? `${resolve(`${base + name}.js`)}` : "";
  // A module's imports are literals: bundlers know no others, and Turbopack refuses them.
  const open = (address: string): Promise<unknown> => (IS_TAG ? import(/* @vite-ignore */ address) : FILES[name]());
  return open(own).catch(async (error) => {
    // Chromium and Firefox include the address in their message.
    if (!IS_TAG) own = /http\S+/.exec(error)?.[0] ?? "";
    if (!IS_TAG && !own) throw error;
    await fetch(own);
    return open(`${own}?${now()}`).catch(() => {
      throw { missing: ` ${own}${IS_TAG ? ": see data-base" : ""}` };
    });
  }) as Promise<Files[Name]>;
}
