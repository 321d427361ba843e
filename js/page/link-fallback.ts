/** The core of links as plain JavaScript. The build puts in its place what wasm2js makes of it (scripts/page.ts). */
import type { LinkCore } from "./core.js";

export declare const memory: LinkCore["memory"];
export declare const buffer: LinkCore["buffer"];
export declare const build: LinkCore["build"];
