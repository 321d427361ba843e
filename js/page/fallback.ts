/** The core as plain JavaScript. The build replaces this file with the output of wasm2js (scripts/page.ts). */
import type { Core } from "./core.js";

export declare const put: Core["put"];
export declare const reply: Core["reply"];
export declare const decide: Core["decide"];
