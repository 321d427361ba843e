// The glue of wasm-bindgen has one instance per module, started once. This script turns the glue into a function that
// starts an instance on each call. A trapped instance can then be replaced, and an import starts nothing.
import { CHARACTERS, SINGLES } from "../js/inline.ts";

/** The exports of the glue: its classes and functions. */
const EXPORT = /^export (class|function) (\w+)/gm;

/** The glue of an audience as `start(module, died)`. */
export function asFactory(glue: string): string {
  const names = [...glue.matchAll(EXPORT)].map(([, , name]) => name);
  const body = replaceOnce(
    replaceOnce(
      // The rest of the glue fetches, streams and starts once.
      glue.slice(0, indexOf(glue, "async function __wbg_load(")),
      "    wasm = instance.exports;",
      "    wasm = guard(instance.exports);",
    ).replace(EXPORT, "$1 $2"),
    "let wasmModule, wasmInstance, wasm;",
    "let wasmModule, wasmInstance, wasm, isDead = false;",
  )
    // A dead instance has already reported its trap to its waiting callers.
    .replaceAll(
      "            return f(a, state.b, ...args);\n        } finally {",
      "            return f(a, state.b, ...args);\n        } catch (error) {\n            if (!isDead) throw error;\n        } finally {",
    )
    .replace('/* @ts-self-types="./', '/* From the glue of wasm-bindgen, by scripts/glue.ts: "./');
  return `${GUARD}
/** Starts an instance of the compiled \`module\`; \`died\` receives the trap that ends it. */
export function start(module, died) {
${body}
/** An exception from an export has unwound frames of the core: the state of this instance is undefined. */
function guard(exports) {
    return guarded(exports, (error) => {
        if (isDead) return;
        isDead = true;
        // Finalizers and callbacks that still run have no effect.
        wasm = nobody();
        died(error);
    });
}

__wbg_finalize_init(new WebAssembly.Instance(module, __wbg_get_imports()), module);
return { ${names.join(", ")} };
}
`;
}

/** The types of an audience's glue: an interface `name` with the exports of an instance. */
export function asFactoryTypes(types: string, name: string): string {
  const kept = types
    .slice(0, indexOf(types, "export type InitInput"))
    // No class here is disposed of by `using`, and the library of ES2022 does not have the symbol.
    .replace(/^ {4}\[Symbol\.dispose\]\(\): void;\n/gm, "");
  const names = [...kept.matchAll(EXPORT)].map(([, , exported]) => exported);
  return `${kept.replace(EXPORT, "declare $1 $2")}
/** The exports of a running instance. */
export interface ${name} {
${names.map((exported) => `    readonly ${exported}: typeof ${exported};`).join("\n")}
}

export type { ${[...kept.matchAll(/^export class (\w+)/gm)].map(([, exported]) => exported).join(", ")} };

/** Starts an instance of the compiled \`module\`; \`died\` receives the trap that ends it. */
export function start(module: object, died: (error: unknown) => void): ${name};
`;
}

/** The wasm's bytes as a module, for runtimes where no other way finds them: the text that js/inline.ts reads. */
export function asInline(wasm: Uint8Array): string {
  const counts = new Array<number>(256).fill(0);
  for (const byte of wasm) counts[byte] = (counts[byte] ?? 0) + 1;
  const order = [...counts.keys()].sort((one, other) => (counts[other] ?? 0) - (counts[one] ?? 0) || one - other);
  const texts = new Map(order.map((byte, rank) => [byte, textOf(rank)]));
  const head = Buffer.from(order).toString("hex");
  const body = Array.from(wasm, (byte) => texts.get(byte)).join("");
  return `/** The bytes of the wasm, as text: see inline.js. */
export const BYTES = "${head}${body}";
`;
}

function textOf(rank: number): string {
  const pair = rank - SINGLES;
  return pair < 0
    ? CHARACTERS.charAt(rank)
    : CHARACTERS.charAt(SINGLES + Math.floor(pair / CHARACTERS.length)) + CHARACTERS.charAt(pair % CHARACTERS.length);
}

const GUARD = `/** The exports, each of which reports what it throws. Cases by number of arguments: a spread costs more than the call. */
function guarded(exports, die) {
    const all = {};
    for (const name in exports) {
        const run = exports[name];
        all[name] = typeof run !== "function" ? run
            : run.length === 0 ? () => { try { return run(); } catch (error) { die(error); throw error; } }
            : run.length === 1 ? (a) => { try { return run(a); } catch (error) { die(error); throw error; } }
            : run.length === 2 ? (a, b) => { try { return run(a, b); } catch (error) { die(error); throw error; } }
            : run.length <= 4 ? (a, b, c, d) => { try { return run(a, b, c, d); } catch (error) { die(error); throw error; } }
            : run.length <= 6 ? (a, b, c, d, e, f) => { try { return run(a, b, c, d, e, f); } catch (error) { die(error); throw error; } }
            : (...args) => { try { return run(...args); } catch (error) { die(error); throw error; } };
    }
    return all;
}

/** The exports of a dead instance: each does nothing. */
function nobody() {
    return new Proxy({}, { get: () => () => 0 });
}
`;

function indexOf(text: string, part: string): number {
  const index = text.indexOf(part);
  if (index < 0) throw new Error(`wasm-bindgen's glue has no ${JSON.stringify(part)} any more: see scripts/glue.ts`);
  return index;
}

function replaceOnce(text: string, part: string, by: string): string {
  const index = indexOf(text, part);
  return text.slice(0, index) + by + text.slice(index + part.length);
}
