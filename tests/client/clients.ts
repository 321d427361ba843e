/** A client of the core under test, and how a test names its answers and its errors. */
import vectors from "../vectors/api_samples.json" with { type: "json" };

export type Edge = typeof import("../../dist/edge/index.js");
type Cake = ReturnType<Edge["createCakeClient"]>;
type Options = Partial<Parameters<Edge["createCakeClient"]>[0]>;

/** The helpers of each suite of the client. */
export function clientsOf({ createCakeClient, isCakeError }: Edge) {
  const base = { baseUrl: vectors.base_url, apiKey: vectors.api_key };
  const client = (fetch: (request: Request) => Response | Promise<Response>, options: Options = {}) =>
    createCakeClient({ ...base, fetch: async (request) => fetch(request as never) as never, ...options });
  const nobody = () => Promise.reject(new Error("nothing may be sent"));

  /** The calls by name, as in the vectors; a list call returns its page. */
  const run = (cake: Cake, action: string, params: unknown): Promise<unknown> => {
    if (action === "getClick") return cake.getClick((params as { clickId: string }).clickId);
    const result = (cake[action as keyof Cake] as (params: unknown) => unknown)(params);
    return action === "listClicks" || action === "listConversions"
      ? (result as ReturnType<Cake["listClicks"]>).page()
      : (result as Promise<unknown>);
  };
  /** The value as JSON, without the numbers that JavaScript adds to amounts. */
  const plain = (value: unknown) =>
    value === undefined
      ? null
      : JSON.parse(JSON.stringify(value, (name, each) => (name === "payout" || name === "revenue" ? undefined : each)));
  const codeOf = (promise: Promise<unknown> | (() => unknown)) =>
    new Promise((resolve) => resolve(typeof promise === "function" ? promise() : promise)).then(
      (value) => `resolved to ${JSON.stringify(value)}`,
      (error: unknown) => {
        if (!isCakeError(error)) return String(error);
        return error.parameter === undefined ? error.code : `${error.code} ${error.parameter}`;
      },
    );

  return { base, client, nobody, run, plain, codeOf };
}
