/** The core of links as plain JavaScript. The build replaces this file with the output of wasm2js (scripts/page.ts). */
import type { LinkCore } from "./core.js";

export declare const push: LinkCore["push"];
export declare const byte: LinkCore["byte"];
export declare const build: LinkCore["build"];
