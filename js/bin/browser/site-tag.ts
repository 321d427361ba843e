/** The tag of a page. */
import type { Tab } from "../tab.js";

/** The page's tag, if it has one. */
export interface Tag {
  /** The script's address. */
  readonly src: string;
  /** Whether it has run: it then leaves its consent at `cakeEdge`. */
  readonly isOpen: boolean;
  readonly base: string;
  readonly endpoint: string;
  readonly parameters: string;
  readonly isInline: boolean;
  /** The consent that the tag starts with. */
  readonly consent: string;
}

/** The page's tag, whether it runs or not. Its settings are read in the tag's order of sources. */
export function findTag(tab: Tab): Promise<Tag | undefined> {
  return tab.evaluate<Tag>(`(() => {
    const isOpen = typeof window.cakeEdge?.consent === "string";
    const script = document.querySelector("script[src*=cake-edge]") ?? (isOpen ? document.querySelector("script[data-endpoint]") : null);
    if (!script && !isOpen) return undefined;
    const src = script?.src ?? "";
    const query = src ? Object.fromEntries(new URL(src).searchParams) : {};
    const plain = (name) => name.replace(/^data-|[-_]/g, "").toLowerCase();
    const setting = (name) => [window.cakeEdge?.options, { ...script?.dataset }, query]
      .flatMap((source) => Object.entries(source ?? {})).find(([given]) => plain(given) === name)?.[1];
    const inline = [...document.scripts].some(({ src, textContent }) => !src && /cakeEdge\\s*\\(/.test(textContent));
    return {
      src: src || location.href,
      isOpen,
      base: new URL(setting("base") ?? src.replace(/\\/[^/?]*(\\?.*)?$/, ""), document.baseURI).href,
      endpoint: String(setting("endpoint") ?? "/cake"),
      parameters: String(setting("parameters") ?? ""),
      isInline: inline,
      consent: String(setting("consent") ?? "").trim().toLowerCase(),
    };
  })()`);
}
