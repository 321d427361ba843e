/** Hooks, signals and objects of callers: an error of a hook harms nothing, a wrong signal sends nothing, copies are kept. */
import { afterEach, expect, test, vi } from "vitest";
import {
  applyCorrections,
  applyPostbacks,
  clickCapture,
  createCakeClient,
  isCakeError,
  pagesClickCapture,
  withClickCapture,
} from "../../dist/entry/edge.inline.js";
import { createForwarderInProcess } from "../../dist/entry/forwarder-memory.inline.js";
import { openReport } from "../../dist/entry/report.node.js";
import { createFrameTracker } from "../../dist/page/frame.js";

const secrets = ["9f8e7d6c5b4a39281706f5e4d3c2b1a098765432"];
const account = { baseUrl: "http://127.0.0.1", apiKey: "sandbox-key", retries: 0 };
const corrected = { success: true, message: "Conversion Updated" };
const postback = { success: true, postback_id: 7 };

/** A client whose account answers lists of three clicks and any write, and what it was asked. */
function clientOf() {
  const asked: URL[] = [];
  const cake = createCakeClient({
    ...account,
    fetch: async (request) => {
      const url = new URL(request.url);
      asked.push(url);
      if (url.pathname.includes("postback")) return Response.json(postback);
      if (!url.pathname.endsWith("click.json")) return Response.json(corrected);
      const clicks = [1, 2, 3].map((id) => ({ click_id: `c${id}`, offer_id: 1, affiliate_id: 2, converted: false }));
      const start = Number(url.searchParams.get("start_at_row") ?? 0);
      const limit = Number(url.searchParams.get("row_limit") ?? 100);
      const response = { clicks: clicks.slice(start, start + limit), total_rows: 3 };
      return Response.json({ request_status: "Success", response });
    },
  });
  return { cake, asked };
}

const journalOf = () => ({ read: () => [], append: () => undefined });
const corrections = ["1", "2"].map((payout) => ({
  offerId: 1,
  uniqueId: `ORD-${payout}`,
  payout,
  correctionId: payout,
}));
const postbackOf = (name: string) => ({
  affiliateId: 1,
  offerId: 2,
  postbackUrl: `https://p.example/${name}?id=#reqsessid#`,
});
const orders = new TextEncoder().encode("id,date,revenue\n1,2026-06-01 10:00:00,1.00\n");

async function readAll(list: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const _ of list) count += 1;
  return count;
}

const unhandled: unknown[] = [];
process.on("unhandledRejection", (reason) => unhandled.push(reason));
/** After this every unhandled rejection has been told. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));
afterEach(() => {
  expect(unhandled.splice(0)).toEqual([]);
});

const WRONG_SIGNALS = [new AbortController(), 5, "x", {}, new EventTarget()];

test.each(WRONG_SIGNALS.map((signal) => [signal]))(
  "what is no signal is refused before anything: %o",
  async (wrong) => {
    const signal = wrong as never;
    const report = await openReport();
    const { cake, asked } = clientOf();
    const calls: (() => Promise<unknown>)[] = [
      () => cake.getClick("a1", { signal }),
      () => cake.check({ signal }),
      () => cake.recordConversion({ clickId: "a1", offerId: 1 }, { signal }),
      () => cake.listClicks({}, { signal }).page(),
      () => readAll(cake.listClicks({}, { signal })),
      () => readAll(cake.listClicks({}, { signal }).bytes()),
      () => applyCorrections(corrections, { client: cake, journal: journalOf(), rateLimit: 1_000, signal }),
      () => applyPostbacks([postbackOf("a"), postbackOf("b")], { client: cake, journal: journalOf(), signal }),
      () => report.addOrders(orders, { signal }),
      () => report.reconcile({ signal }),
    ];
    for (const call of calls) {
      const error = await call().then(
        () => undefined,
        (thrown) => thrown,
      );
      expect(isCakeError(error), `${call}`).toBe(true);
      expect(error, `${call}`).toMatchObject({ code: "invalid_field", parameter: "signal" });
    }
    expect(asked).toEqual([]);
  },
);

const FAILING: [string, () => unknown][] = [
  [
    "throws",
    () => {
      throw new Error("of the hook");
    },
  ],
  [
    "rejects",
    async () => {
      throw new Error("of the hook");
    },
  ],
];

test.each(FAILING)("a hook that %s harms nothing", async (_, hook) => {
  const failing = vi.fn(hook) as never;
  const { cake } = clientOf();
  expect(await readAll(cake.listClicks({ rowLimit: 2 }, { onPage: failing }))).toBe(3);
  const told = { journal: journalOf(), rateLimit: 1_000, onRow: failing };
  expect((await applyCorrections(corrections, { client: cake, ...told })).ok).toBe(true);
  expect((await applyPostbacks([postbackOf("a")], { client: cake, ...told })).rows).toHaveLength(1);
  const watched = createCakeClient({
    ...account,
    fetch: async () => Response.json({ response: { clicks: [{ click_id: "a1", converted: "odd" }] } }),
    onRequest: failing,
    onResponse: failing,
    onWarning: failing,
  });
  expect((await watched.getClick("a1"))?.clickId).toBe("a1");
  const report = await openReport();
  expect((await report.addOrders(orders, { onProgress: failing })).rows).toBe(1);
  await report.reconcile({ onProgress: failing });
  const forwarder = createForwarderInProcess({
    ...{ baseUrl: account.baseUrl, apiKey: account.apiKey, operatorSecret: secrets[0] as string },
    log: failing,
    fetch: async () => Response.json({ success: true, conversion: { conversion_id: 1 } }),
  });
  const body = JSON.stringify({ clickId: "a1", offerId: 1, uniqueId: "ORD-1" });
  const headers = { "content-type": "application/json", origin: "https://shop.example" };
  await forwarder.fetch(new Request("https://shop.example/cake/conversions", { method: "POST", headers, body }));
  await forwarder.settle();
  createFrameTracker({ endpoint: "nowhere", onError: failing } as never);
  const wrong = { secrets: ["short"], onError: failing };
  const request = new Request("https://shop.example/?reqid=a1");
  const site = async () => new Response("site");
  const answer = await withClickCapture(site, wrong)(request, {});
  expect(await answer.text()).toBe("site");
  expect(await (await pagesClickCapture(wrong)({ request, env: {}, next: site })).text()).toBe("site");
  const context = { req: { raw: request }, env: {}, res: new Response("site") };
  await clickCapture(wrong)(context as never, async () => undefined);
  expect(await context.res.text()).toBe("site");
  expect(vi.mocked(failing as () => unknown).mock.calls.length).toBeGreaterThan(10);
  await settled();
});

test("what a caller writes into an object after the call changes nothing", async () => {
  const { cake, asked } = clientOf();
  const days = { startDate: "2026-06-01", endDate: "2026-06-02", rowLimit: 2 };
  const options = { maxRows: 3 };
  const list = cake.listClicks(days, options);
  Object.assign(days, { startDate: "2020-01-01", rowLimit: 1 });
  options.maxRows = 1;
  let count = 0;
  for await (const _ of list) {
    count += 1;
    Object.assign(days, { endDate: "2020-01-02" });
  }
  expect(count).toBe(3);
  await list.page();
  expect(
    new Set(asked.map(({ searchParams }) => `${searchParams.get("start_date")} ${searchParams.get("end_date")}`)),
  ).toEqual(new Set(["2026-06-01 2026-06-02"]));

  const rows = corrections.map((row) => ({ ...row }));
  const run = applyCorrections(rows, { client: cake, journal: journalOf(), rateLimit: 1_000 });
  for (const row of rows) row.payout = "99";
  rows.length = 1;
  const { rows: applied } = await run;
  expect(applied.map(({ row, outcome }) => [row.payout, outcome])).toEqual([
    ["1", "corrected"],
    ["2", "corrected"],
  ]);
  const postbacks = [postbackOf("a"), postbackOf("b")];
  const registering = applyPostbacks(postbacks, { client: cake, journal: journalOf(), rateLimit: 1_000 });
  for (const row of postbacks) row.affiliateId = 99;
  expect((await registering).rows.map(({ params }) => params.affiliateId)).toEqual([1, 1]);

  const settings = { secrets: [...secrets], parameters: ["reqid"] };
  const capture = withClickCapture(async () => new Response("site"), settings);
  settings.parameters[0] = "other";
  settings.secrets.length = 0;
  const answer = await capture(new Request("https://shop.example/?reqid=a1", { headers: { accept: "text/html" } }), {});
  expect(answer.headers.get("set-cookie")).toContain("a1");
});
