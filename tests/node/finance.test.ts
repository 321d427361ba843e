/** The sum of docs/finance.md, run as it stands there. */
import { readFileSync } from "node:fs";
import { describe, expect, test, vi } from "vitest";
import { createCakeClient, dayRange } from "../../dist/entry/edge.inline.js";

const [, block = ""] = /```js\n([\s\S]*?)```/.exec(readFileSync("docs/finance.md", "utf8")) ?? [];
const run = Object.getPrototypeOf(async () => undefined).constructor as new (
  ...parts: string[]
) => (create: (options: object) => unknown, range: typeof dayRange, out: object) => Promise<void>;
const sum = new run("createCakeClient", "dayRange", "console", block.replace(/^import .*\n/m, ""));

async function summed(services: "older" | "young", amounts: readonly string[]): Promise<string> {
  const row = (text: string, at: number) => {
    const [amount = "", status = "approved"] = text.split(" ");
    return services === "older"
      ? `<event_conversion><event_conversion_id>${at + 1}</event_conversion_id><disposition_type>${status}</disposition_type><paid><currency_id>1</currency_id><amount>${amount}</amount></paid></event_conversion>`
      : `{"conversion_id":${at + 1},"payout":${amount}${status && `,"conversion_status":"${status}"`}}`;
  };
  const answer = (rows: readonly string[]) =>
    services === "older"
      ? `<?xml version="1.0"?><r><success>true</success><row_count>${amounts.length}</row_count><event_conversions>${rows.join("")}</event_conversions></r>`
      : `{"request_status":"Success","total_rows":${amounts.length},"conversions":[${rows.join(",")}]}`;
  const create = (options: object) =>
    createCakeClient({
      ...(options as { baseUrl: string }),
      ...(services === "older" ? { services } : {}),
      apiKey: "k3yk3yk3yk3yk3y",
      onWarning: () => undefined,
      fetch: async (request: Request) => {
        const start = Number(new URL(request.url).searchParams.get("start_at_row"));
        return new Response(answer(start > 1 ? [] : amounts.map(row)));
      },
    });
  const log = vi.fn();
  await sum(create, dayRange, { log });
  return `${log.mock.calls[0]?.[0]}`;
}

describe.each(["older", "young"] as const)("the documented sum is exact: %s services", (services) => {
  test.each<[readonly string[], string]>([
    [[], "0.00"],
    [["18.0000"], "18.00"],
    [["18"], "18.00"],
    [["0.1", "0.2"], "0.30"],
    [["3.3333333333"], "3.3333333333"],
    [["1.123456"], "1.123456"],
    [["18.00", "-0.5000"], "17.50"],
    [["-18.50"], "-18.50"],
    [["-0.01", "0.005"], "-0.005"],
    [["0.00000012"], "0.00000012"],
    [["999999999.99", "0.01"], "1000000000.00"],
    [
      ["18.00 approved", "18.00 reversed", "18.00 pending", "18.00 rejected", "18.00 returned", "18.00 scrubbed"],
      "18.00",
    ],
    [["18.00 Approved"], "18.00"],
  ])("%j is %s", async (amounts, wanted) => {
    expect(await summed(services, amounts)).toBe(wanted);
  });
});

test.each(["older", "young"] as const)(
  "a conversion without a status is never counted: %s services",
  async (services) => {
    await expect(summed(services, ["18.00", "18.00 "])).rejects.toThrow(/conversion 2 has no status/);
  },
);

test("an amount that cannot be read is never counted as nothing", async () => {
  await expect(summed("older", ["$18.00"])).rejects.toThrow(/conversion 1 pays \$18\.00/);
});
