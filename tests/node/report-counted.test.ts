// What a report counts, and uploads, by what its caller says: test orders, one of several currencies, the time of reading.
import { expect, test } from "vitest";
import { openReport } from "../../dist/entry/report.node.js";

const text = (value: string) => new TextEncoder().encode(value);
const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

test("a test order is listed and does not count, unless testOrders says so", async () => {
  const orders = [{ unique_id: "A", is_test: true, revenue: "22.00", date: "2026-06-03", status: "approved" }];
  using report = await openReport();
  await report.addOrders(bytes(orders));
  await report.addConversions(bytes([]));
  const result = await report.reconcile();
  expect(result.classes).toMatchObject([{ class: "test_order", orders: 1, orderRevenue: "0.00" }]);
  expect([...result.rows()]).toMatchObject([{ class: "test_order", reasons: ["test_order"], unreadable: { row: 1 } }]);
  expect([result.orders, result.unreadable, result.isClean]).toEqual([0, 0, true]);
  expect(report.understood()[0]).toMatchObject({ testOrders: 1, unreadable: 0 });
  expect(result.corrections({ file: "upload", offerId: 1 }).lines).toBe(0);
  using counting = await openReport();
  await counting.addOrders(bytes(orders), { testOrders: true });
  expect((await counting.reconcile()).counts).toMatchObject({ missing_at_cake: { orders: 1 } });
  await expect(counting.addOrders(bytes(orders), { testOrders: "yes" as never })).rejects.toMatchObject({
    code: "invalid_field",
  });
});

test("a breakdown and an attribution of several currencies name one", async () => {
  using report = await openReport();
  const sale = { conversion_date: "2026-06-03 11:00:00", offer_id: 7, conversion_status: "approved" };
  await report.addConversions(
    bytes([
      { ...sale, conversion_id: 1, payout: 18, currency: "USD" },
      { ...sale, conversion_id: 2, payout: 2000, currency: "JPY" },
    ]),
  );
  expect(() => report.breakDown({ by: ["offer"] })).toThrow("USD, JPY");
  expect(() => report.attribute({ models: ["last"] })).toThrow("USD, JPY");
  expect(report.breakDown({ by: ["offer"], currency: "JPY" }).total).toMatchObject({
    conversions: 1,
    payout: "2000.00",
  });
  const { leftOut } = report.attribute({ models: ["last"], currency: "USD" });
  expect(leftOut.withoutJourney).toEqual({ conversions: 1, payout: "18.00" });
});

test("a sale after CAKE's rows were read is not uploaded", async () => {
  for (const readAt of ["2026-06-15T12:00:00Z", new Date("2026-06-15T12:00:00Z")]) {
    using report = await openReport({ timeZone: "UTC" });
    const days = [14, 16].map((day) => `${day},c${day},2026-06-${day} 10:00:00,22.00\n`);
    await report.addOrders(text(`order_id,click_id,date,revenue\n${days.join("")}`));
    await report.addConversions(bytes([]), { readAt });
    const { lines, skipped } = (await report.reconcile()).corrections({ file: "upload", offerId: 5 });
    expect([lines, skipped]).toEqual([1, { read_too_early: 1 }]);
  }
  using report = await openReport();
  for (const readAt of ["yesterday", "2026-06-15", new Date(Number.NaN)]) {
    await expect(report.addConversions(bytes([]), { readAt })).rejects.toMatchObject({
      code: "invalid_field",
      parameter: "readAt",
    });
  }
});
