/** Which of the Worker's bindings an option came from: whoever mends a deployment knows those names alone. */
import { CakeError, isCakeError } from "../error.js";

/** Reads the options from the bindings and uses them; an error about an option names its binding. */
export function byBinding<Env extends object, Options extends object, T>(
  env: Env,
  configure: (env: Env) => Options,
  use: (options: Options) => T,
): T {
  const read = new Map<string, unknown>();
  const watched = new Proxy(env, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof name === "string") read.set(name, value);
      return value;
    },
  });
  const options = configure(watched);
  try {
    return use(options);
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.parameter === undefined) throw thrown;
    const binding = bindingOf(thrown.parameter, valueAt(options, thrown.parameter), read);
    if (binding === undefined) throw thrown;
    const rule = thrown.message.slice(thrown.parameter.length + 1);
    throw new CakeError({ code: thrown.code, parameter: binding, rule }, { cause: thrown });
  }
}

/** An option's value; one within is named by its path, such as `shops.shopify.secrets`. */
function valueAt(options: object, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], options);
}

/** The binding whose value it is; of several, the one that is named like the option. */
function bindingOf(option: string, value: unknown, read: ReadonlyMap<string, unknown>): string | undefined {
  const isFrom = (bound: unknown) =>
    bound === value ||
    (typeof bound === "string" && Array.isArray(value) && value.some((part) => bound.includes(part)));
  const candidates = [...read].filter(([, bound]) => isFrom(bound)).map(([name]) => name);
  if (candidates.length === 1) return candidates[0];
  // apiKey and CAKE_API_KEY.
  const plain = (name: string) => name.replaceAll("_", "").toLowerCase();
  return candidates.find((name) => plain(name).endsWith(plain(option)));
}
