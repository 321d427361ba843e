/** Finds the route of a path. The path is read from its end, because the forwarder may be mounted below any path. */

/** The names of the routes. */
export const ROUTES = ["conversions", "corrections", "webhooks", "postback", "token", "health", "operator"] as const;

/** A route, and the path after its name. */
interface Route {
  readonly name: (typeof ROUTES)[number];
  readonly rest: string;
}

/** The path of a request's URL, which is an absolute one in its normal form. */
export function pathOf(url: string): string {
  const [path = ""] = url.slice(url.indexOf("/", url.indexOf("//") + 2)).split(/[?#]/, 1);
  return path;
}

/** The route of a path; `undefined` where there is none. */
export function findRoute(method: string, pathname: string): Route | undefined {
  const [last = "", before = ""] = pathname.replace(/\/$/, "").split("/").reverse();
  if (last === "health") return { name: "health", rest: "" };
  if (last === "operator") return { name: "operator", rest: "" };
  if (last === "token") return { name: "token", rest: "" };
  // `/operator/conversions` is both a conversions route below a mount path and the operators' list: the list is only
  // read.
  const isAccept = method === "POST" || method === "OPTIONS";
  if (last === "conversions" && (before !== "operator" || isAccept)) return { name: "conversions", rest: "" };
  if (last === "corrections") return { name: "corrections", rest: "" };
  if (before === "corrections") return { name: "corrections", rest: last };
  if (before === "operator" || before === "conversions") return { name: before, rest: last };
  if (before === "webhooks") return { name: before, rest: last };
  // The secret of a postback may have slashes.
  const [, rest] = /^.*\/postback\/([^/].*)$/s.exec(pathname) ?? [];
  return rest === undefined ? undefined : { name: "postback", rest };
}
