/** Which route a path is, below whatever path the forwarder is mounted at: it is read from its end. */

/** A route, and what stands behind its name. */
export interface Route {
  readonly name: "conversions" | "corrections" | "health" | "operator" | "webhooks" | "postback" | "token";
  readonly rest: string;
}

/** The route of a path; `undefined` where there is none. */
export function findRoute(method: string, pathname: string): Route | undefined {
  const [last = "", before = "", third = ""] = pathname.replace(/\/$/, "").split("/").reverse();
  if (last === "health") return { name: "health", rest: "" };
  if (last === "operator") return { name: "operator", rest: "" };
  if (last === "token") return { name: "token", rest: "" };
  // `/operator/conversions` is a mount path's as well as the operators' list: they read, and others hand over.
  const isAccept = method === "POST" || method === "OPTIONS";
  if (last === "conversions" && (before !== "operator" || isAccept)) return { name: "conversions", rest: "" };
  if (last === "corrections") return { name: "corrections", rest: "" };
  if (before === "corrections") return { name: "corrections", rest: last };
  if (before === "operator" || before === "conversions") return { name: before, rest: last };
  if (before === "webhooks" || before === "postback") return { name: before, rest: last };
  if (third === "postback") return { name: third, rest: `${before}/${last}` };
  return undefined;
}
