/** A write whose answer was lost, and the look-up that settles it; Node and workerd both run this file. */
import { expect, test, vi } from "vitest";
import { clientsOf, type Edge } from "./clients.ts";

export function lookUpTests(edge: Edge): void {
  const { client } = clientsOf(edge);

  const doubtful = { clickId: "abc", offerId: 5, uniqueId: "U1" };
  const not = { click_id: "abc", offer_id: 5, converted: false, conversion_id: null };
  const other = { conversion_id: 9, offer_id: 5, unique_id: "OTHER" };

  /**
   * A Record Conversion whose first answer is lost, and a look-up with this answer and no rows after its first page.
   */
  const lookedUp = async (verify: "click" | "report", answer: object, isEndless = false) => {
    let [writes, looks] = [0, 0];
    const cake = client(
      (request) => {
        const { pathname, searchParams } = new URL(request.url);
        if (pathname.endsWith("/2/conversion.json")) {
          writes += 1;
          return writes === 1
            ? new Response("", { status: 500 })
            : Response.json({ conversion: { conversion_id: 77, unique_id: "U1" } });
        }
        looks += 1;
        const isBehind = !isEndless && Number(searchParams.get("start_at_row") ?? 0) > 0;
        return Response.json({ response: isBehind ? { data: { conversions: [] } } : answer });
      },
      { retries: 1, verify },
    );
    const outcome = await cake.recordConversion(doubtful).then(
      ({ conversionId, isRecovered }) => `${conversionId}${isRecovered ? " recovered" : ""}`,
      (error) => error.code,
    );
    return { outcome, writes, looks };
  };

  test.each([
    ["click", { clicks: [], total_rows: 1 }, "outcome_unknown"],
    ["click", { clicks: [null], total_rows: 1 }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: null, offer_id: 5, converted: false }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "zzz", offer_id: 5, converted: false }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "zzz", offer_id: 5, converted: true, conversion_id: 4 }] }, "outcome_unknown"],
    ["click", { clicks: [{ click_id: "ABC", offer_id: 5, converted: true, conversion_id: 4 }] }, "4 recovered"],
    ["click", { clicks: [], total_rows: 0 }, "outcome_unknown"],
    ["click", { clicks: null }, "outcome_unknown"],
    ["click", { clicks: [not] }, "77"],
    ["click", { clicks: [{ ...not, conversion_id: false }] }, "outcome_unknown"],
    ["click", { success: false, clicks: [], total_rows: 0 }, "outcome_unknown"],
    ["click", { error: "replica down", clicks: [] }, "outcome_unknown"],
    ["click", { clicks: [{ ...not, success: false }] }, "outcome_unknown"],
    ["click", { clicks: [{ ...not, conversion_id: "AB-998877" }] }, "outcome_unknown"],
    ["click", { clicks: [{ ...not, converted: {} }] }, "outcome_unknown"],
    ["click", { clicks: [{ ...not, conversion: { conversion_id: 4 } }] }, "outcome_unknown"],
    ["click", { clicks: [{ ...not, error: null }] }, "77"],
    ["report", { data: { success: false, message: "Timeout", conversions: [] } }, "outcome_unknown"],
    ["report", { request_status: "Failure", data: { conversions: [] } }, "outcome_unknown"],
    ["report", { data: { conversions: [] }, total_rows: 5 }, "outcome_unknown"],
    ["report", { data: { conversions: [null] } }, "outcome_unknown"],
    ["report", { data: { conversions: [other, null] }, total_rows: 2 }, "outcome_unknown"],
    ["report", { data: { conversions: [{}] } }, "outcome_unknown"],
    ["report", { data: { conversions: [{ offer_id: 5, unique_id: "U1" }] } }, "outcome_unknown"],
    ["report", { data: { conversions: [{ ...other, unique_id: " U1 " }] } }, "9 recovered"],
    ["report", { data: { conversions: [{ ...other, unique_id: "N/A" }] } }, "outcome_unknown"],
    ["report", { data: { conversions: [other, { ...other, conversion_id: 8, unique_id: "0" }] } }, "outcome_unknown"],
  ] as const)("a look-up by %s that brings %j is %s", async (verify, answer, expected) => {
    const { outcome, writes } = await lookedUp(verify, answer);
    expect(outcome).toBe(expected);
    expect(writes).toBe(expected === "77" ? 2 : 1);
  });

  test.each([{ data: { conversions: [other] } }, { data: { conversions: [] }, total_rows: 0 }])(
    "a report that brings %j is asked again after a minute, and then the conversion is sent again",
    async (answer) => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        let isOver = false;
        const all = lookedUp("report", answer).finally(() => {
          isOver = true;
        });
        let seconds = 0;
        for (; !isOver && seconds < 120; seconds += 1) await vi.advanceTimersByTimeAsync(1_000);
        expect(await all).toMatchObject({ outcome: "77", writes: 2 });
        expect(seconds).toBeGreaterThanOrEqual(60);
      } finally {
        vi.useRealTimers();
      }
    },
  );

  test("an order that was not looked at is sent again, and not taken for another order of its click", async () => {
    for (const limited of [new Response("", { status: 429, headers: { "retry-after": "0" } }), "Restricted"]) {
      const paths: string[] = [];
      const cake = client(({ url }) => {
        paths.push(new URL(url).pathname.replace("/api/2/", ""));
        if (paths.length === 1) return typeof limited === "string" ? new Response(limited) : limited;
        return Response.json(
          paths.at(-1) === "click.json"
            ? { response: { clicks: [{ ...not, converted: true, conversion_id: 4 }] } }
            : { conversion: { conversion_id: 77 } },
        );
      });
      expect(await cake.recordConversion(doubtful)).toMatchObject({ conversionId: 77, isRecovered: false });
      expect(paths).toEqual(["conversion.json", "conversion.json"]);
    }
  });

  test("a duplicate that names the conversion of a lost request brings it", async () => {
    let writes = 0;
    const cake = client(
      () => {
        writes += 1;
        if (writes === 1) return new Response("", { status: 500 });
        const conversion = { conversion_id: 77, unique_id: "U1", click_id: "abc" };
        return Response.json({ message: "Duplicate transaction", conversion }, { status: 409 });
      },
      { verify: "none" },
    );
    expect(await cake.recordConversion(doubtful)).toMatchObject({ conversionId: 77, isRecovered: true });
    expect(writes).toBe(2);
  });

  test("with verify none, a duplicate proves the sale, and the click's other conversion is not taken for it", async () => {
    for (const message of ["Duplicate transaction", "This transaction is a duplicate"]) {
      const paths: string[] = [];
      const cake = client(
        (request) => {
          const { pathname } = new URL(request.url);
          paths.push(pathname.split("/").at(-1) ?? "");
          if (pathname.endsWith("/click.json")) {
            return Response.json({ response: { clicks: [{ ...not, converted: true, conversion_id: 4 }] } });
          }
          return paths.length === 1 ? new Response("", { status: 500 }) : Response.json({ success: false, message });
        },
        { verify: "none" },
      );
      expect(await cake.recordConversion(doubtful)).toEqual({ uniqueId: "U1", isRecovered: true });
      expect(paths).toEqual(["conversion.json", "conversion.json"]);
    }
  });

  test("a report that repeats its rows for ever is not read for ever, and settles nothing", async () => {
    for (const more of [{}, { total_rows: 5 }]) {
      const { outcome, looks } = await lookedUp("report", { data: { conversions: [other] }, ...more }, true);
      expect(outcome).toBe("outcome_unknown");
      expect(looks).toBeLessThan(60);
    }
  });
}
