/** The core of links as plain JavaScript. The build puts in its place what wasm2js makes of it (scripts/page.ts). */
import type { LinkCore } from "./core.js";

export declare const push: LinkCore["push"];
export declare const byte: LinkCore["byte"];
export declare const build: LinkCore["build"];
