/** The core as plain JavaScript. The build puts in its place what wasm2js makes of it (scripts/page.ts). */
import type { Core } from "./core.js";

export declare const put: Core["put"];
export declare const get: Core["get"];
export declare const decide: Core["decide"];
