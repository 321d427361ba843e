/** The report's HTML page, on a screen and on paper: nothing is cut where names are long or foreign. */
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openReport } from "../../dist/entry/report.node.js";
import { launch, openPage, violations } from "./chromium.ts";

/** A sheet's width less the margins of 12 mm, in CSS pixels. */
const PAPER = { A4: 186, Letter: 192 };
const PER_MM = 96 / 25.4;

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

async function htmlOf(rows: number): Promise<string> {
  using report = await openReport({ from: "2026-06-01", to: "2026-06-30", statuses: { paid: "approved" } });
  const bytes = (text: string) => new TextEncoder().encode(text);
  const names = ["ORDER".repeat(30), "注文番号".repeat(20), "طلب-طويل", "O"];
  const ids = Array.from({ length: rows }, (_, index) => `${names[index % 4]}-${index}`);
  const orders = ids.map((id, index) => `${id},2026-06-01 10:17:00,${12_345_678 + index}.00,paid\n`);
  const conversions = ids.map((id, index) => ({
    conversion_id: 900_000_000 + index,
    conversion_date: "2026-06-02 09:00:00",
    unique_id: index % 2 === 0 ? id.toLowerCase() : id,
    offer_id: index % 3,
    affiliate_id: index % 5,
    revenue: `${12_345_679 + index}.00`,
    conversion_status: "approved",
  }));
  await report.addOrders(bytes(`unique_id,date,revenue,status\n${orders.join("")}${"W".repeat(300)},1,x,y\n`), {
    name: `${"june".repeat(20)}.csv`,
  });
  await report.addConversions(bytes(JSON.stringify(conversions)), { name: "صفحات.json" });
  return String((await report.reconcile()).html({ title: "Reconciliation ".repeat(9) + "R".repeat(120) }));
}

/** The elements that reach beyond the page's right edge. */
function cut(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const all = [...document.querySelectorAll("h1,h2,p,th,td,svg")];
    return all.filter((each) => each.getBoundingClientRect().right > width + 1).map((each) => each.outerHTML);
  });
}

test("a report prints on A4 and Letter with nothing cut, its heads on every page and its rows whole", async () => {
  const { page, problems } = await openPage(browser, { colorScheme: "dark" });
  for (const rows of [0, 60]) {
    await page.emulateMedia({ media: "screen" });
    await page.setContent(await htmlOf(rows));
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ media: "print" });
    for (const [format, mm] of Object.entries(PAPER)) {
      await page.setViewportSize({ width: Math.floor(mm * PER_MM), height: 1_000 });
      expect([format, rows, await cut(page)]).toEqual([format, rows, []]);
    }
    const styles = await page.evaluate(() => {
      const style = (element: Element) => getComputedStyle(element);
      const every = (selector: string, read: (style: CSSStyleDeclaration) => string) => [
        ...new Set([...document.querySelectorAll(selector)].map((element) => read(style(element)))),
      ];
      return {
        heads: every("thead", ({ display }) => display),
        rows: every("tr", ({ breakInside }) => breakInside),
        ink: every("td", ({ color }) => color),
        empty: [...document.querySelectorAll("table")].filter((table) => table.querySelector("td") === null).length,
      };
    });
    expect(styles).toEqual({ heads: ["table-header-group"], rows: ["avoid"], ink: ["rgb(0, 0, 0)"], empty: 0 });
  }
  // A browser's own print has pages of this size, and the page's margins.
  const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
  expect(pdf.match(/\/Type \/Page\b/g)?.length).toBeGreaterThan(2);
  expect(problems).toEqual([]);
});
