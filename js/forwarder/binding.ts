/** Names the Worker's binding behind an option, because the person who corrects a deployment knows only those names. */
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

/** An option's value. A nested option is named by its path, such as `shops.shopify.secrets`. */
function valueAt(options: object, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], options);
}

/** The binding with this value; among several, the one with a name like the option's. */
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
