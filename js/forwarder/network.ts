/** The header of a caller's address. Cloudflare sets it; the Node host overwrites it. */
export const ADDRESS_HEADER = "cf-connecting-ip";

/** The network of a request's caller. */
export function callerOf(request: Request): string {
  return networkOf(request.headers.get(ADDRESS_HEADER) ?? "");
}

/**
 * The unit that limits count as one caller: an IPv4 address, or the /64 of an IPv6 address. One line has a whole /64.
 * Any other text stays unchanged.
 */
function networkOf(address: string): string {
  const text = address.trim().toLowerCase();
  if (!text.includes(":")) return text;
  const mapped = /^(?:0*:)+ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(text)?.[1];
  if (mapped !== undefined) return mapped;
  const [head = "", tail] = text.split("%", 1)[0]?.split("::") ?? [];
  const groups = (part: string) => (part === "" ? [] : part.split(":"));
  const [before, after] = [groups(head), groups(tail ?? "")];
  // An IPv4 address at the end stands for two groups.
  const length = before.length + after.length + (text.includes(".") ? 1 : 0);
  const zeros = tail === undefined ? [] : Array<string>(Math.max(0, 8 - length)).fill("0");
  const first = [...before, ...zeros, ...after].slice(0, 4);
  return `${first.map((group) => group.replace(/^0+(?=.)/, "")).join(":")}::/64`;
}
