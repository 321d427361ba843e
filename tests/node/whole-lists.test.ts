/** A list is whole only where its pages show its end: from code for each list, and what the commands keep of it. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type CakeClient, createCakeClient } from "../../dist/entry/edge.inline.js";
import { CLI } from "../sandbox-process.ts";

const days = { startDate: "2026-01-01", endDate: "2026-01-31" };
const numbered = (first: number, count: number) => Array.from({ length: count }, (_, at) => first + at);

/** The ids of a page that begins at a place and has at most so many rows; then the length that the list tells. */
type Pages = readonly [(start: number, limit: number) => number[], number | undefined];

/** An answer that every list can read. */
function answerOf({ searchParams }: URL, [page, total]: Pages): object {
  const ids = page(Number(searchParams.get("start_at_row")), Number(searchParams.get("row_limit")));
  const rows = ids.map((id) => ({ conversion_id: id, event_conversion_id: id, click_id: `c${id}`, offer_id: 1 }));
  const clicks = ids.map((id) => ({ click_id: `c${id}`, request_session_id: `c${id}`, offer_id: 1 }));
  const length = total === undefined ? {} : { total_rows: total, row_count: total };
  const lists = { clicks, conversions: rows, event_conversions: rows, data: { conversions: rows }, ...length };
  return { request_status: "Success", success: true, response: lists, d: { success: true, ...lists } };
}

const LISTS: Record<string, ["young" | "older", (cake: CakeClient) => AsyncIterable<unknown>]> = {
  "2/click.json": ["young", (cake) => cake.listClicks(days)],
  "2/conversions.json": ["young", (cake) => cake.listConversions(days)],
  "report/conversion.json": ["young", (cake) => cake.listConversionReport(days)],
  Clicks: ["older", (cake) => cake.listClicks(days)],
  EventConversions: ["older", (cake) => cake.listConversions(days)],
};

async function countOf(name: string, pages: Pages): Promise<number | string> {
  const [services, list] = LISTS[name] as (typeof LISTS)[string];
  const cake = createCakeClient({
    baseUrl: "http://127.0.0.1",
    apiKey: "sandbox-key",
    services,
    retries: 0,
    fetch: async (request) => {
      const answer = answerOf(new URL(request.url), pages) as { readonly d: object; readonly response: object };
      return Response.json(services === "older" ? { d: answer.d } : { ...answer.response, ...answer, d: undefined });
    },
  });
  let count = 0;
  try {
    for await (const _ of list(cake)) count += 1;
  } catch (error) {
    return (error as { readonly code: string }).code;
  }
  return count;
}

test.each(Object.keys(LISTS))(
  "%s that shows the same rows at every place, or repeats some and lacks others, is not whole",
  async (name) => {
    const first = (limit: number, most = 100) => Math.min(limit, most);
    for (const [index, pages] of (
      [
        [(_, limit) => numbered(1, limit), undefined],
        [(_, limit) => numbered(1, first(limit)), undefined],
        [(_, limit) => numbered(1, first(limit)), 25_000],
        [(_, limit) => numbered(1, first(limit, 7)), undefined],
        [(start, limit) => numbered(1 + Math.min(start, 3), first(limit)), undefined],
        [(start, limit) => numbered(1 + Math.min(start, 3), first(limit)), 25_000],
        // A row of the first page has changed places with one behind it.
        [(start) => (start === 0 ? [1, 2, 3] : [1, 2, 3, 4, 2, 6].slice(start, start + 3)), 6],
      ] satisfies Pages[]
    ).entries()) {
      expect(await countOf(name, pages), `${index}`).toBe("list_changed");
    }
  },
);

test.each(Object.keys(LISTS))(
  "%s that tells a length above its rows, or grows while it is read, is whole",
  async (name) => {
    const cut = (count: number) => (start: number, limit: number) =>
      numbered(1, count).slice(start, start + Math.min(limit, 10));
    expect(await countOf(name, [cut(25), undefined])).toBe(25);
    expect(await countOf(name, [cut(25), 25])).toBe(25);
    expect(await countOf(name, [cut(25), 27])).toBe(25);
    // Counted from 1.
    expect(await countOf(name, [(start, limit) => cut(25)(Math.max(start - 1, 0), limit), 26])).toBe(25);
    // One row arrives above the others before each page.
    let asked = 0;
    const growing = (start: number, limit: number) => {
      asked += 1;
      return [...numbered(1_000 - asked, asked), ...numbered(1_000, 25)].slice(start, start + Math.min(limit, 10));
    };
    expect(await countOf(name, [growing, undefined])).toBe(26);
  },
);

let folder: string;
let server: Server;
let base: string;
let pages: Pages;
/** Is awaited before each answer. */
let gate: Promise<void>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "cake-edge-whole-"));
  server = createServer(async (request, response) => {
    const answer = answerOf(new URL(request.url ?? "", base), pages);
    await gate;
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  gate = Promise.resolve();
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

function run(kind: string, to: string) {
  const args = [CLI, kind, "--from", "2026-06-01", "--to", "2026-06-30", "--base-url", base, "--pages", to];
  const child = spawn(process.execPath, args, { cwd: folder, env: { ...process.env, CAKE_API_KEY: "k" } });
  let err = "";
  child.stderr.on("data", (part) => {
    err += part;
  });
  return new Promise<{ status: number | null; err: string }>((resolve) => {
    child.on("close", (status) => resolve({ status, err }));
  });
}

test("the commands write no note of a list that is not whole, and end with 4", async () => {
  for (const kind of ["clicks", "conversions"]) {
    for (const [index, given] of (
      [
        [(_, limit) => numbered(1, Math.min(limit, 100)), undefined],
        [(start) => (start === 0 ? [1, 2, 3] : [1, 2, 3, 4, 2, 6].slice(start, start + 3)), 6],
      ] satisfies Pages[]
    ).entries()) {
      pages = given;
      const to = `${kind}-${index}`;
      const { status, err } = await run(kind, to);
      expect([status, err]).toEqual([4, expect.stringContaining("rows may be missing")]);
      expect(readdirSync(join(folder, to)).filter((name) => /complete|lock/.test(name))).toEqual([]);
    }
  }
});

test("of two runs that read one list into one folder the second is refused, and another list is read beside it", async () => {
  pages = [(start, limit) => numbered(1, 9).slice(start, start + limit), 9];
  let open: () => void = () => undefined;
  gate = new Promise((resolve) => {
    open = resolve;
  });
  const list = join(folder, "both/conversions-2026-06-01-2026-06-30");
  const first = run("conversions", "both");
  await expect.poll(() => existsSync(`${list}.lock`), { timeout: 20_000 }).toBe(true);
  expect(await run("conversions", "both")).toEqual({
    status: 3,
    err: expect.stringMatching(/process \d+ is reading the same list into both: wait for it/),
  });
  const clicks = run("clicks", "both");
  open();
  expect(await first).toMatchObject({ status: 0 });
  expect(await clicks).toMatchObject({ status: 0 });
  expect([existsSync(`${list}.lock`), existsSync(`${list}.complete.json`)]).toEqual([false, true]);
  // A killed run has left its lock.
  rmSync(`${list}.complete.json`);
  writeFileSync(`${list}.lock`, "99999999");
  expect(await run("conversions", "both")).toMatchObject({ status: 0 });
});

test("a folder that cannot be made ends the command with a sentence", async () => {
  writeFileSync(join(folder, "file"), "");
  const places = process.platform === "linux" ? ["file/a/b", "/proc/x/y"] : ["file/a/b"];
  for (const place of places) {
    const { status, err } = await run("clicks", place);
    expect([status, err]).toEqual([2, expect.stringMatching(/^cake-edge clicks: --pages .+ cannot be written: .+\n$/)]);
  }
}, 20_000);
