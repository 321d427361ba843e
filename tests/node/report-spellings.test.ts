/** Files as programs write them, read by what their caller declares. */
import { expect, test } from "vitest";
import { openReport } from "../../dist/entry/report.node.js";

const bytes = (text: string) => new TextEncoder().encode(text);

test("files come in every spelling that programs write, once it is declared", async () => {
  const latin = Uint8Array.from('order_id;total\r\n"K\xf6ln-1";"1\xa0234,50"\r\n', (character) =>
    character.charCodeAt(0),
  );
  const columns = { revenue: "total" } as const;
  const cases: [Uint8Array, object, object][] = [
    [
      latin,
      { encoding: "windows-1252", decimal: ",", group: " ", columns },
      { uniqueId: "Köln-1", revenue: "1234.50" },
    ],
    [bytes("\uFEFForder_id\ttotal\nA\t-1.50\n"), { columns }, { uniqueId: "A", revenue: "-1.50" }],
    [bytes("sep=|\norder_id|date\nA|1.6.2026 9:05\n"), { dates: "DD/MM/YYYY" }, { date: "2026-06-01 09:05:00" }],
    [bytes("order_id,date\nA,6/1/2026 2:05 PM\n"), { dates: "MM/DD/YYYY" }, { date: "2026-06-01 14:05:00" }],
    [bytes('{"orders":[{"name":"#1001","total_price":"10.00"}]}'), { dialect: "shopify" }, { uniqueId: "#1001" }],
    [bytes('[{"name":"#1001"}]'), { dialect: "shopify", idPrefix: "#" }, { uniqueId: "1001" }],
    [
      bytes('[{"id":9,"number":"A-9"}]'),
      { dialect: "woocommerce", cakeIdPrefix: "b-" },
      { uniqueId: "b-9", orderId: "b-A-9" },
    ],
    [
      bytes('{"object":"list","data":[{"id":"ch_1","amount":500,"currency":"jpy","metadata":{"order_id":"S"}}]}'),
      { dialect: "stripe" },
      { uniqueId: "S", revenue: "500.00", currency: "JPY" },
    ],
    [
      bytes("click_id,offer_id,conversion_date,payout,unique_id\nc,5,2026-06-01 10:00:00,18.00,U\n"),
      { dialect: "cake" },
      { uniqueId: "U", clickId: "c", payout: "18.00" },
    ],
  ];
  for (const [source, options, expected] of cases) {
    using report = await openReport();
    await report.addOrders(source, options);
    const [row] = (await report.reconcile()).rows();
    expect(row?.order).toMatchObject(expected);
  }
  using report = await openReport();
  const utf16 = Uint8Array.from([0xff, 0xfe, 0x61, 0]);
  await expect(report.addOrders(utf16)).rejects.toMatchObject({ code: "unreadable_file" });
  await expect(report.addOrders(latin, { decimal: ",", group: " ", columns })).rejects.toMatchObject({
    code: "ambiguous_file",
  });
});
