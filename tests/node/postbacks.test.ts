/** Onboarding: a file's postbacks are each registered once, in spite of any fault. */
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { applyPostbacks, checkPostbacks, createCakeClient } from "../../dist/entry/edge.inline.js";
import { createSandbox } from "../../dist/entry/sandbox-memory.inline.js";
import {
  account,
  applied,
  base,
  client,
  csvOf,
  file,
  folder,
  KEY,
  memory,
  outcomes,
  rowOf,
  rowsOf,
  run,
  start,
  urlOf,
} from "./postback-account.ts";

describe("rows are checked", () => {
  test("as Create Postback and the postback check do, and against each other", () => {
    const rows = checkPostbacks([
      rowOf("a"),
      { ...rowOf("a"), offerId: 0 },
      rowOf("a"),
      { ...rowOf("b"), postbackUrl: "https://b.example/?id={clickid}" },
      { ...rowOf("b"), postbackUrl: "http://b.example/?id=#s2#" },
      { ...rowOf("c"), affiliateId: 0 },
      { ...rowOf("c"), postbackTypeId: 9 as never },
      { ...rowOf("c"), postbackStatus: "on" as never },
      { affiliateId: 1, offerId: 1 } as never,
    ]);
    const codes = rows.map(({ error, findings }) => [error?.code, ...findings.map(({ code }) => code)]);
    expect(codes).toEqual([
      [undefined, "told_twice"],
      [undefined],
      [undefined, "repeated_row"],
      [undefined, "foreign_macro", "no_click_id"],
      ["invalid_postback_url"],
      ["invalid_id"],
      ["invalid_field"],
      ["invalid_field"],
      ["invalid_field"],
    ]);
    expect(rows[0]?.uses).toEqual(["reqsessid", "price"]);
  });

  test("a sandbox may call its own machine", () => {
    const own = { ...rowOf("a"), postbackUrl: "http://127.0.0.1:8787/p?id=#reqsessid#&x={y}" };
    expect(checkPostbacks([own])[0]?.error?.code).toBe("invalid_postback_url");
    const [row] = checkPostbacks([own], { sandbox: true });
    expect(row?.error).toBeUndefined();
    expect(row?.findings.map(({ code }) => code)).toEqual(["foreign_macro"]);
  });
});

describe("rows are registered", () => {
  test("each once, in order, and a second run sends nothing", async () => {
    const journal = memory();
    const options = { client: client(), journal, rateLimit: 1_000 };
    const seen: number[] = [];
    const first = await applyPostbacks([rowOf("a"), rowOf("b")], {
      ...options,
      onRow: ({ index }) => seen.push(index),
    });
    expect(first).toMatchObject({ ok: true, rows: [{ postbackId: 8_801 }, { postbackId: 8_802 }] });
    expect(seen).toEqual([0, 1]);
    const again = await applyPostbacks([rowOf("b"), rowOf("a"), rowOf("c")], options);
    expect(outcomes(again.rows)).toEqual(["already", "already", "registered"]);
    expect(again.rows.map(({ postbackId }) => postbackId)).toEqual([8_802, 8_801, 8_803]);
    expect(account.asked).toEqual([urlOf("a"), urlOf("b"), urlOf("c")]);
  });

  test("two calls at once over one journal run one after the other, also after one that failed", async () => {
    const journal = memory();
    const options = { client: client(), journal, rateLimit: 1_000 };
    const wrong = applyPostbacks([null as never], options).catch(({ code }) => code);
    const both = await Promise.all([applyPostbacks([rowOf("a")], options), applyPostbacks([rowOf("a")], options)]);
    expect(both.map(({ rows }) => outcomes(rows))).toEqual([["registered"], ["already"]]);
    expect([await wrong, account.asked]).toEqual(["invalid_field", [urlOf("a")]]);
  });

  test("a dry run without --base-url reads the journal of its one account, and says so where there are several", async () => {
    writeFileSync(file, csvOf("a"));
    expect((await run(applied())).status).toBe(0);
    expect(rowsOf((await run(["--json"])).out)).toMatchObject([{ outcome: "already" }]);
    const journal = readFileSync(`${file}.journal`, "utf8");
    writeFileSync(`${file}.journal`, journal + journal.replaceAll("127.0.0.1", "localhost"));
    const { out, err } = await run(["--json"]);
    expect(rowsOf(out)).toMatchObject([{ outcome: "ready" }]);
    expect(err).toContain("only with --base-url");
  });

  test("what is odd is left out unless it is accepted; what is repeated or wrong always", async () => {
    const odd = { ...rowOf("odd"), postbackUrl: "https://odd.example/?id=#reqsessid#&p={payout}" };
    const rows = [odd, rowOf("a"), rowOf("a"), { ...rowOf("b"), affiliateId: -3 }];
    const journal = memory();
    const options = { client: client(), journal, rateLimit: 1_000 };
    const { ok, rows: done } = await applyPostbacks(rows, options);
    expect([ok, outcomes(done)]).toEqual([false, ["doubtful", "registered", "doubtful", "invalid"]]);
    const accepted = await applyPostbacks(rows, { ...options, acceptFindings: true });
    expect(outcomes(accepted.rows)).toEqual(["registered", "already", "doubtful", "invalid"]);
    expect(account.registered.map(({ postbackUrl }) => postbackUrl)).toEqual([urlOf("a"), odd.postbackUrl]);
  });

  test.each(["resets", "reset-after", "500", "html", "hangs"] as const)(
    "an answer that is %s leaves the outcome unknown, and the row is not sent again",
    async (fault) => {
      account.meets = { b: [fault] };
      const journal = memory();
      const options = { client: client(fault === "hangs" ? 2_000 : undefined), journal, rateLimit: 1_000 };
      const rows = [rowOf("a"), rowOf("b"), rowOf("c")];
      const first = await applyPostbacks(rows, options);
      expect(outcomes(first.rows)).toEqual(["registered", "unknown", "registered"]);
      expect(first.stopped).toBeUndefined();
      const again = await applyPostbacks(rows, options);
      expect(outcomes(again.rows)).toEqual(["already", "unknown", "already"]);
      expect(account.asked).toEqual(rows.map(({ postbackUrl }) => postbackUrl));
    },
  );

  test("an outage ends the run, and the rows behind it are sent by the next", async () => {
    account.meets = { a: ["resets"], b: ["resets"] };
    const journal = memory();
    const options = { client: client(), journal, rateLimit: 1_000 };
    const rows = ["a", "b", "c", "d"].map(rowOf);
    const first = await applyPostbacks(rows, options);
    expect(outcomes(first.rows)).toEqual(["unknown", "unknown", "left", "left"]);
    expect(first.stopped?.code).toBe("outcome_unknown");
    const again = await applyPostbacks(rows, options);
    expect(outcomes(again.rows)).toEqual(["unknown", "unknown", "registered", "registered"]);
    journal.append({ ...rowOf("a"), state: "missing", at: "" });
    journal.append({ ...rowOf("b"), state: "registered", at: "" });
    expect(outcomes((await applyPostbacks(rows, options)).rows)).toEqual([
      "registered",
      "already",
      "already",
      "already",
    ]);
  });

  test("a rate limit is waited out; a refused row may be sent again; a refused key ends it", async () => {
    account.meets = { a: ["limited", "limited"], b: ["refused"], c: ["key"] };
    const journal = memory();
    const options = { client: client(), journal, rateLimit: 1_000 };
    const rows = ["a", "b", "c", "d"].map(rowOf);
    const first = await applyPostbacks(rows, options);
    expect(outcomes(first.rows)).toEqual(["registered", "refused", "left", "left"]);
    expect(first.rows[1]?.error?.message).toContain("Affiliate Not Authorized for Campaign");
    expect(first.stopped?.code).toBe("unauthorized");
    expect(outcomes((await applyPostbacks(rows, options)).rows)).toEqual([
      "already",
      "registered",
      "registered",
      "registered",
    ]);
  });

  test("a journal that cannot be written stops before anything is sent", async () => {
    const append = () => Promise.reject(new Error("disk full"));
    const run = applyPostbacks([rowOf("a")], { client: client(), journal: { read: () => [], append } });
    await expect(run).rejects.toThrow("disk full");
    expect(account.asked).toEqual([]);
  });

  test("at a polite rate, and a signal ends it between two rows", async () => {
    const controller = new AbortController();
    const times: number[] = [];
    account.onAsked = () => {
      times.push(Date.now());
      if (times.length === 2) controller.abort();
    };
    const { rows } = await applyPostbacks(["a", "b", "c"].map(rowOf), {
      client: client(),
      journal: memory(),
      rateLimit: 10,
      signal: controller.signal,
    });
    expect(outcomes(rows)).toEqual(["registered", "registered", "left"]);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThan(80);
  });

  test("in the sandbox, which fires them", async () => {
    const sandbox = createSandbox({ apiKey: KEY });
    const cake = createCakeClient({ baseUrl: "http://127.0.0.1", apiKey: KEY, fetch: sandbox.fetch });
    const { ok } = await applyPostbacks([{ ...rowOf("a"), offerId: 12_345 }], {
      client: cake,
      journal: memory(),
      sandbox: true,
    });
    expect(ok).toBe(true);
  });
});

describe("the command", () => {
  test("without --apply shows a table and sends nothing", async () => {
    writeFileSync(file, `${csvOf("a", "b")}67890,12,${urlOf("a")}\n`);
    const { status, out, err } = await run(["--base-url", base]);
    expect(status).toBe(1);
    expect(out).toMatch(/^line +outcome +affiliate +offer +URL\n2 +ready +67890 +12 +https:\/\/a\.example/);
    expect(out).toContain("repeated_row line 2");
    expect(err).toContain("Nothing was sent");
    expect(account.asked).toEqual([]);
    writeFileSync(file, csvOf("a", "b"));
    expect((await run()).status).toBe(0);
  });

  test("registers, and a rerun registers nothing", async () => {
    writeFileSync(file, csvOf("a", "b"));
    expect(await run(applied())).toMatchObject({ status: 0, err: expect.stringContaining("2 registered") });
    expect(await run(applied())).toMatchObject({ status: 0, err: expect.stringContaining("2 already") });
    expect(account.registered).toHaveLength(2);
    const journal = readFileSync(`${file}.journal`, "utf8");
    expect(journal).not.toContain(KEY);
    expect(journal.split("\n").filter((line) => line.includes('"registered"'))).toHaveLength(2);
  });

  test("another account has a journal of its own in the same file", async () => {
    writeFileSync(file, csvOf("a"));
    expect((await run(applied())).status).toBe(0);
    const { out } = await run(["--base-url", "https://acme.cakemarketing.com", "--json"]);
    expect(rowsOf(out)[0]?.outcome).toBe("ready");
  });

  test("killed in the middle: what was registered is known, the row on its way is unknown, the rest is sent", async () => {
    writeFileSync(file, csvOf("a", "b", "c"));
    account.meets = { b: ["hangs"] };
    const { child, ended } = start(applied());
    await new Promise<void>((resolve) => {
      account.onAsked = (url) => url === urlOf("b") && resolve();
    });
    child.kill("SIGKILL");
    await ended;
    // A crash may have truncated the last line.
    writeFileSync(`${file}.journal`, `${readFileSync(`${file}.journal`, "utf8")}{"account":"ht`);
    const { status, out } = await run(applied("--json"));
    expect(status).toBe(3);
    expect(rowsOf(out).map(({ line, outcome }) => [line, outcome])).toEqual([
      [2, "already"],
      [3, "unknown"],
      [4, "registered"],
    ]);
    expect(account.registered.map(({ postbackUrl }) => postbackUrl)).toEqual(["a", "b", "c"].map(urlOf));
    // A person has seen it in CAKE.
    const settled = await run(["--base-url", base, "--settle", "3=registered", "--json"]);
    expect([settled.status, rowsOf(settled.out)[1]?.outcome]).toEqual([0, "already"]);
  });

  test("of two runs at once the second is refused", async () => {
    writeFileSync(file, csvOf("a"));
    account.meets = { a: ["slow"] };
    let isAsked: () => void = () => undefined;
    const first = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    account.onAsked = () => isAsked();
    const running = start(applied());
    await first;
    expect(await run(applied())).toMatchObject({
      status: 3,
      err: expect.stringContaining("is registering these rows"),
    });
    expect((await running.ended).status).toBe(0);
    expect(account.registered).toHaveLength(1);
  });

  test("a key that CAKE refuses is 4, a refusal 1", async () => {
    writeFileSync(file, csvOf("a"));
    account.meets = { a: ["key", "refused"] };
    expect(await run(applied())).toMatchObject({ status: 4, err: expect.stringContaining("refused the API key") });
    expect((await run(applied())).status).toBe(1);
    expect((await run(applied())).status).toBe(0);
  });

  test.each([
    ["a spreadsheet's file", `\uFEFFAffiliate ID;Offer ID;Postback URL\r\n67890;12;"${urlOf("a")}"\r\n\r\n`],
    ["tabs", `affiliate_id\toffer_id\tpostback_url\n67890\t12\t${urlOf("a")}`],
    ["camel case, another order", `postbackUrl,affiliateId,offerId\n${urlOf("a")}, 67890 ,12\n`],
    [
      "all fields",
      `affiliate_id,offer_id,postback_url,postback_status,postback_type_id\n67890,0,${urlOf("a")},inactive,\n`,
    ],
    ["commas in quotes", `affiliate_id,offer_id,postback_url\n67890,12,"https://a.example/?id=#s2#&x=1,2"\n`],
  ])("%s is read", async (_, text) => {
    writeFileSync(file, text);
    const { status, out, err } = await run(["--json"]);
    expect([status, err]).toEqual([0, expect.stringContaining("1 ready")]);
    expect(rowsOf(out)).toHaveLength(1);
  });

  test.each([
    ["", [], "is empty"],
    [csvOf("a").replace("postback_url", "postback_urls"), [], "did you mean postback_url?"],
    [csvOf("a").replace("postback_url", "note"), [], 'add --ignore "note"'],
    [csvOf("a").split("\n").slice(1).join("\n"), [], "is unknown"],
    [`affiliate_id,offer_id,postback_url\n67890,12,https://a.example/?id=#s2#&x=1,2\n`, [], "line 2: 4 cells, but 3"],
    [`affiliate_id,offer_id,postback_url\n67890,12,"https://a.example`, [], "a quote has no end"],
    ["affiliate_id,offer_id\n1,2\n", [], "needs one column postback_url"],
    [csvOf("a"), ["--apply"], "--base-url is needed"],
    [csvOf("a"), ["--aply"], "did you mean --apply?"],
    [csvOf("a"), ["--rate", "0"], "--rate must be"],
    [csvOf("a"), ["--settle", "2=yes"], "--settle takes"],
    [csvOf("a"), ["--api-key", KEY], "the API key is no argument"],
  ] as const)("what cannot be right is refused in one sentence: %j %j", async (text, args, words) => {
    writeFileSync(file, text);
    const { status, err } = await run([...args]);
    expect([status, err]).toEqual([2, expect.stringContaining(words)]);
    expect(account.asked).toEqual([]);
  });

  const lineOf = (more: object) =>
    JSON.stringify({ account: base, ...rowOf("a"), state: "registered", at: "2026-01-01T00:00:00Z", ...more });

  test.each([
    ["spoiled", () => `# ${lineOf({})}\n${lineOf({})}\n`, "line 1: it is no whole JSON object"],
    [
      "torn in its middle",
      () => `${lineOf({})}\n{"account":"ht\n${lineOf({})}\n`,
      "line 2: it is no whole JSON object",
    ],
    ["a last line that is something else", () => `${lineOf({})}\nwhat`, "line 2: it is no whole JSON object"],
    ["UTF-16", () => Buffer.from(`\uFEFF${lineOf({})}\n`, "utf16le"), "line 1: it is not UTF-8"],
    ["UTF-16 without a mark", () => Buffer.from(`${lineOf({})}\n`, "utf16le"), "line 1: it is not UTF-8"],
    ["bytes of zero", () => `${lineOf({})}\n${"\0".repeat(64)}\n${lineOf({})}\n`, "line 2: it holds bytes of zero"],
    ["UTF-16 on one line", () => Buffer.from(lineOf({}), "utf16le"), "line 1: it is not UTF-8"],
    ["another state", () => `${lineOf({})}\n${lineOf({ state: "Registered" })}\n`, 'line 2: its state "Registered"'],
    ["another account's unknown state", () => `${lineOf({ account: "https://a.example", state: "x" })}\n`, "line 1"],
    ["no ids", () => `${lineOf({ affiliateId: "1" })}\n`, "line 1: it lacks"],
    ["a list", () => "[]\n", "line 1: it is no entry"],
    ["the rows", () => csvOf("a"), "line 1: it is no whole JSON object"],
  ])("a journal that cannot be read is refused by its line: %s", async (_, text, words) => {
    writeFileSync(file, csvOf("a"));
    writeFileSync(`${file}.journal`, text());
    for (const args of [["--base-url", base], applied(), ["--base-url", base, "--settle", "2=missing"]]) {
      expect(await run(args)).toMatchObject({ status: 2, err: expect.stringContaining(words) });
    }
    expect(account.asked).toEqual([]);
    expect(readFileSync(`${file}.journal`)).toEqual(Buffer.from(text()));
  });

  test("what a crash has torn off is gone with the next entry, and the journal is whole", async () => {
    writeFileSync(file, csvOf("a", "b"));
    writeFileSync(`${file}.journal`, `${lineOf({})}\r\n\n{"account":"${base}","postbackUrl":"\u00e4`.slice(0, -1));
    expect(await run(applied())).toMatchObject({ status: 0, err: expect.stringContaining("1 already, 1 registered") });
    expect(await run(applied())).toMatchObject({ status: 0, err: expect.stringContaining("2 already") });
    // An editor has removed the last line's end.
    writeFileSync(`${file}.journal`, readFileSync(`${file}.journal`, "utf8").trimEnd());
    writeFileSync(file, csvOf("a", "b", "c"));
    expect(await run(applied())).toMatchObject({ status: 0, err: expect.stringContaining("2 already, 1 registered") });
    expect(await run(["--base-url", base])).toMatchObject({ status: 0, err: expect.stringContaining("3 already") });
  });

  test("by whatever link the rows are named, their journal and its lock lie beside the file itself", async () => {
    writeFileSync(file, csvOf("a"));
    mkdirSync(join(folder, "d"), { recursive: true });
    const links = ["current.csv", "d/june.csv", "d/again.csv"].map((name) => join(folder, name));
    symlinkSync("postbacks.csv", links[0] as string);
    symlinkSync("../current.csv", links[1] as string);
    symlinkSync("june.csv", links[2] as string);
    for (const [index, link] of [file, ...links].entries()) {
      const word = index === 0 ? "1 registered" : "1 already";
      const { status, err } = await run(applied(), KEY, link);
      expect([status, err], link).toEqual([0, expect.stringContaining(word)]);
      expect(index > 0 && existsSync(`${link}.journal`), link).toBe(false);
    }
    expect(account.registered).toHaveLength(1);
    writeFileSync(`${file}.journal.lock`, String(process.pid));
    const journal = join(folder, "d/own.journal");
    symlinkSync("../postbacks.csv.journal", journal);
    for (const more of [[], ["--journal", journal]]) {
      const held = await run(applied(...more), KEY, links[1]);
      expect([held.status, held.err]).toEqual([3, expect.stringContaining("is registering these rows")]);
    }
    // An earlier release has written the journal beside the link.
    writeFileSync(`${links[0]}.journal`, "");
    const two = await run([], KEY, links[0]);
    expect([two.status, two.err]).toEqual([2, expect.stringContaining("with a journal beside it")]);
  });

  test("the journal is no file of rows, by whatever name", async () => {
    writeFileSync(file, csvOf("a"));
    for (const journal of [
      file,
      join(folder, ".", "postbacks.csv"),
      `${folder}/../${folder.split("/").at(-1)}/postbacks.csv`,
    ]) {
      const { status, err } = await run(applied("--journal", journal));
      expect([status, err]).toEqual([2, expect.stringContaining("are one file")]);
    }
    expect(readFileSync(file, "utf8")).toBe(csvOf("a"));
  });

  test("a URL is the same however its scheme, host and port are written", async () => {
    writeFileSync(file, csvOf("a"));
    expect((await run(applied())).status).toBe(0);
    for (const [from, to] of [
      ["a.example", "A.Example"],
      ["a.example", "a.example:443"],
    ] as const) {
      writeFileSync(file, csvOf("a").replace(from, to));
      expect(await run(applied()), to).toMatchObject({ status: 0, err: expect.stringContaining("1 already") });
    }
    for (const [from, to] of [
      ["a.example", "a.example:8443"],
      ["/pb?", "/PB?"],
    ] as const) {
      writeFileSync(file, csvOf("a").replace(from, to));
      expect(await run(["--base-url", base]), to).toMatchObject({ err: expect.stringContaining("1 ready") });
    }
    writeFileSync(file, `${csvOf("a")}67890,12,${urlOf("a").replace("a.example", "A.example")}\n`);
    expect((await run(["--json"])).out).toContain("repeated_row");
    expect(account.asked).toHaveLength(1);
  });

  test("a registered row is not settled once more", async () => {
    writeFileSync(file, csvOf("a"));
    expect((await run(applied())).status).toBe(0);
    const before = readFileSync(`${file}.journal`, "utf8");
    for (const word of ["missing", "registered", "Missing"]) {
      const { status, err } = await run(["--base-url", base, "--settle", `2=${word}`]);
      expect([status, err]).toEqual([2, expect.stringContaining("line 2 of")]);
      expect(err).toContain("is registered");
    }
    expect(readFileSync(`${file}.journal`, "utf8")).toBe(before);
  });

  test("words are taken in any case", async () => {
    const head = "affiliate_id,offer_id,postback_url,postback_status";
    for (const [offer, status] of [
      ["ALL", "Active"],
      ["all", "INACTIVE"],
      ["All", "active"],
    ]) {
      writeFileSync(file, `${head}\n67890,${offer},${urlOf("a")},${status}\n`);
      const { out, err } = await run(["--json"]);
      expect(err).toContain("1 ready");
      expect(rowsOf(out)[0]).toMatchObject({ offerId: 0, postbackStatus: status?.toLowerCase() });
    }
  });

  test("a column of one's own may be passed over", async () => {
    writeFileSync(file, `name,affiliate_id,offer_id,postback_url\nAcme,67890,12,${urlOf("a")}\n`);
    expect((await run(["--ignore", "name"])).status).toBe(0);
  });

  test("without a key nothing is sent", async () => {
    writeFileSync(file, csvOf("a"));
    expect(await run(applied(), "")).toMatchObject({ status: 2, err: expect.stringContaining("apiKey is missing") });
  });

  test("--help has examples", async () => {
    const { status, out } = await run(["--help"]);
    expect([status, out]).toEqual([0, expect.stringContaining("Examples:\n  cake-edge postbacks --file")]);
  });
});
