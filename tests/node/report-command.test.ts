// What `cake-edge report` writes: nothing over an input, no line lost, none twice.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-command-"));
const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const linesOf = (name: string) => read(name).trim().split(/\r?\n/).slice(1);

/** Orders that CAKE lacks. */
const orders = (...ids: number[]) =>
  write(
    "o.csv",
    `order_id,click_id,date,revenue,payout,status\n${ids.map((id) => `${id},k${id},2026-06-02 10:00:00,22.00,18.00,approved\n`).join("")}`,
  );

const run = (...args: string[]) => spawnSync(process.execPath, [program, ...args], { cwd: folder, encoding: "utf8" });

function report(...args: string[]) {
  const given = ["report", "--orders", "o.csv", "--conversions", "c.json", "--offer", "1", ...args];
  const { status, stderr } = run(...given);
  return { status, stderr };
}

/** A page as `cake-edge conversions --pages` keeps it, and the note that all pages of the list are there. */
const LIST = "conversions-2026-06-01-2026-06-30";
const page = (number: number, list = LIST) => {
  write(`${list}-0000${number}.json`, '{"request_status":"Success","response":{"conversions":[]}}');
  return `${list}-0000${number}.json`;
};
const note = (pages: string[], list = LIST, readAt = "2026-08-01T00:00:00Z") =>
  write(`${list}.complete.json`, JSON.stringify({ origin: "https://a.example", readAt, pages }));

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  write("c.json", "[]");
  orders(1, 2);
});

test.each([
  ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
  ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ["no last line feed", (text: string) => text.trimEnd()],
  ["carriage returns", (text: string) => text.replaceAll("\n", "\r")],
])("a journal that an editor has saved with %s keeps its lines", (_, edit) => {
  const run = () => report("--upload", "u.csv", "--journal", "j.txt").stderr;
  expect(run()).toMatch(/upload: 2 lines/);
  write("j.txt", edit(read("j.txt")));
  orders(1, 2, 3);
  expect(run()).toMatch(/upload: 1 lines.*2 written before/);
  expect(linesOf("u.csv")).toEqual(["k3,1,2026-06-02 10:00:00,18.00,22.00,3,3"]);
  expect(run()).toMatch(/upload: 0 lines.*3 written before/);
});

test.each([
  ["of another kind", () => '{"correction":1}\n'],
  ["joined into one line", (text: string) => text.replaceAll("\n", " ")],
  ["cut within a line", (text: string) => text.slice(0, 12)],
])("a journal %s is refused", (_, edit) => {
  report("--upload", "u.csv", "--journal", "j.txt");
  rmSync(join(folder, "u.csv"));
  write("j.txt", edit(read("j.txt")));
  expect(report("--upload", "u.csv", "--journal", "j.txt")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("journal"),
  });
  expect(existsSync(join(folder, "u.csv"))).toBe(false);
});

test("rows of CAKE's without a key hold the upload back until their number is accepted", () => {
  write("c.json", '[{"conversion_id":5,"unique_id":"TRANSACTION_ID"},{"conversion_id":6,"unique_id":""}]');
  expect(report("--upload", "u.csv", "--max-keyless", "1").stderr).toMatch(/0 lines.*2 left out: rows_without_key/);
  expect(report("--upload", "u.csv", "--max-keyless", "2").stderr).toMatch(/2 lines/);
});

test("a search for near misses that the memory did not suffice for is said, and nothing is uploaded", () => {
  const ids = Array.from({ length: 20_000 }, (_, index) => 100_000 + index);
  orders(...ids);
  write("c.json", JSON.stringify(ids.map((id) => ({ conversion_id: id, unique_id: `#${id}` }))));
  const given = ["report", "--orders", "o.csv", "--conversions", "c.json", "--memory", "2.7 MB", "--upload", "u.csv"];
  const { stdout, stderr } = run(...given, "--offer", "1");
  expect(stdout).toMatch(/near misses were not searched.*--memory/);
  expect(stderr).toMatch(/0 lines.*20000 left out: near_misses_not_searched/);
  expect(JSON.parse(run(...given, "--json").stdout)).toMatchObject({ lacksHints: true });
});

test.skipIf(process.platform === "win32")("an output that is a link is written where the link leads", () => {
  mkdirSync(join(folder, "share"));
  write("share/up.csv", "click_id\nthe lines of an earlier run\n");
  for (const [link, target] of [
    ["up.csv", "share/up.csv"],
    ["new.csv", "up2.csv"],
    ["rows.csv", "share/rows.csv"],
    ["done.txt", "share/done.txt"],
  ] as const) {
    symlinkSync(target, join(folder, link));
  }
  const run = report("--upload", "up.csv", "--csv", "rows.csv", "--journal", "done.txt");
  expect(run.stderr).toContain(join("share", "up.csv.1"));
  expect(linesOf("share/up.csv")).toHaveLength(2);
  expect(read("share/up.csv.1")).toContain("an earlier run");
  expect(read("share/rows.csv")).toContain("missing_at_cake");
  expect(read("share/done.txt").trim().split("\n")).toHaveLength(2);
  orders(3);
  // A link whose file does not exist yet.
  report("--upload", "new.csv");
  expect(linesOf("up2.csv")).toHaveLength(1);
  for (const link of ["up.csv", "new.csv", "rows.csv", "done.txt"]) {
    expect(lstatSync(join(folder, link)).isSymbolicLink(), link).toBe(true);
  }
  // Two links to one file are one output.
  symlinkSync("absent.csv", join(folder, "one.csv"));
  symlinkSync("absent.csv", join(folder, "two.csv"));
  expect(report("--upload", "one.csv", "--corrections", "two.csv").status).toBe(2);
});

test.runIf(existsSync("/proc/self/fd/1"))("an output that is the standard output is written to, not replaced", () => {
  symlinkSync("/proc/self/fd/1", join(folder, "stdout"));
  const given = ["report", "--orders", "o.csv", "--conversions", "c.json", "--offer", "1", "--upload", "stdout"];
  const file = openSync(join(folder, "got.txt"), "w");
  const redirected = spawnSync(process.execPath, [program, ...given], { cwd: folder, stdio: ["ignore", file, "pipe"] });
  closeSync(file);
  expect(redirected.status).toBe(1);
  expect(read("got.txt")).toContain("k2,1,");
  expect(read("got.txt")).toContain("missing_at_cake");
  expect(run(...given).stdout).toContain("k2,1,");
  expect(lstatSync(join(folder, "stdout")).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).filter((name) => name.startsWith("stdout"))).toEqual(["stdout"]);
});

test.runIf(existsSync("/dev/full"))("a standard output that cannot be written is one sentence", () => {
  const full = openSync("/dev/full", "w");
  const given = [program, "report", "--orders", "o.csv", "--conversions", "c.json"];
  const { status, stderr } = spawnSync(process.execPath, given, { cwd: folder, stdio: ["ignore", full, "pipe"] });
  closeSync(full);
  expect(status).toBe(2);
  expect(String(stderr)).toMatch(/^cake-edge: standard output cannot be written.*\n$/);
});

test("a rerun keeps the lines of an earlier run, and says where", () => {
  const run = () => report("--upload", "u.csv", "--journal", "j.txt").stderr;
  run();
  const first = read("u.csv");
  expect(run()).toContain("u.csv keeps the lines of an earlier run");
  expect(read("u.csv")).toBe(first);
  orders(1, 2, 3);
  expect(run()).toContain("the lines of an earlier run are now in u.csv.1");
  expect(read("u.csv.1")).toBe(first);
  expect(linesOf("u.csv")).toHaveLength(1);
});

test("a file that cannot be written leaves no line in the journal", () => {
  expect(report("--upload", "none/u.csv", "--journal", "j.txt").status).not.toBe(0);
  expect(existsSync(join(folder, "j.txt"))).toBe(false);
  report("--upload", "u.csv", "--journal", "j.txt");
  expect(linesOf("u.csv")).toHaveLength(2);
  expect(readdirSync(folder).sort()).toEqual(["c.json", "j.txt", "o.csv", "u.csv"]);
});

test.each([
  [["--csv", "o.csv"], "--orders"],
  [["--html", "./c.json"], "--conversions"],
  [["--corrections", "x.csv", "--csv", "x.csv"], "--csv"],
  [["--upload", "x.csv", "--journal", "x.csv"], "--upload"],
  [["--corrections", "o.csv"], "--orders"],
])("%j would write over the file of %s, and is refused", (args, other) => {
  const before = read("o.csv");
  expect(report(...args)).toMatchObject({ status: 2, stderr: expect.stringContaining(`the file of ${other}`) });
  expect(read("o.csv")).toBe(before);
});

test("a file named as standard output is refused", () => {
  expect(report("--csv", "-")).toMatchObject({ status: 2, stderr: expect.stringContaining("not standard output") });
  expect(readdirSync(folder).sort()).toEqual(["c.json", "o.csv"]);
});

test("a status that CAKE does not have is refused", () => {
  expect(report("--status", "approved=aproved")).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("one of CAKE's words"),
  });
});

test("pages that may not be all of their list are refused before anything is written", () => {
  const upload = (...args: string[]) => run("report", "--orders", "o.csv", ...args, "--upload", "u.csv");
  const all = ["--conversions", `${LIST}-*.json`];
  const refused = (words: RegExp, ...args: string[]) => {
    const { status, stderr } = upload(...args);
    expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(words) });
    expect(existsSync(join(folder, "u.csv"))).toBe(false);
  };
  const pages = [page(1), page(2)];
  refused(/may lack pages, because conversions-.*complete\.json is not there/, ...all);
  note(pages);
  refused(/-00002\.json belongs to the same list/, "--conversions", `${LIST}-00001.json`);
  refused(/do not have 2026-05-31, a day of the report/, ...all, "--from", "2026-05-31", "--to", "2026-06-30");
  refused(/do not have 2026-07-01, a day of the report/, ...all, "--from", "2026-06-01", "--to", "2026-07-02");
  page(3);
  refused(/-00003\.json is none of the pages/, ...all);
  rmSync(join(folder, `${LIST}-00003.json`));
  rmSync(join(folder, `${LIST}-00002.json`));
  refused(/-00002\.json is not there/, ...all);
  refused(
    /-00002\.json is not there/,
    "--conversions",
    "live",
    "--save",
    ".",
    "--from",
    "2026-06-01",
    "--to",
    "2026-06-30",
  );
  write(page(2), "");
  refused(/-00002\.json is empty: remove/, ...all);
  page(2);
  note([page(1, "conversions-2026-07-02-2026-07-02")], "conversions-2026-07-02-2026-07-02");
  refused(/do not have 2026-07-01/, "--conversions", "conversions-*.json");
  // Files of another name are not known, and may have the other days.
  expect(upload("--conversions", "c.json", "--conversions", "conversions-*.json").status).toBe(1);
  expect(upload(...all, "--from", "2026-06-02", "--to", "2026-06-30").status).toBe(1);
});

test("while rows are unreadable no correction is written, unless their number is accepted", () => {
  write("c.json", '[{"conversion_id":1,"unique_id":"1","payout":"18 dollars"}]');
  const held = report("--upload", "u.csv", "--journal", "j.txt");
  expect(held).toMatchObject({ status: 3, stderr: expect.stringContaining("2 left out: unreadable_rows") });
  expect([linesOf("u.csv"), read("j.txt")]).toEqual([[], ""]);
  expect(report("--upload", "u.csv", "--max-bad", "1").status).toBe(1);
  expect(linesOf("u.csv")).toHaveLength(2);
});

test("a folder, a compressed file and options that contradict themselves are one sentence", () => {
  mkdirSync(join(folder, "pages"));
  writeFileSync(join(folder, "o.csv.gz"), Buffer.from([0x1f, 0x8b, 8, 0]));
  for (const [args, words, status] of [
    [["--orders", "pages"], /"pages" is a folder: name files in it/, 2],
    [["--csv", "pages"], /--csv pages is a folder/, 2],
    [["--orders", "o.csv.gz"], /o\.csv\.gz: it is compressed/, 3],
    [["--status", "paid=approved", "--status", "paid=rejected"], /--status gives paid two meanings/, 2],
    [["--status", "paid=approved", "--status", "Paid=rejected"], /--status must not map one word to two/, 2],
    [["--column", "revenue=A", "--column", "revenue=B"], /--column gives revenue two meanings/, 2],
    [["--currency", "EURO"], /--currency must be three letters/, 2],
    [["--part", "1"], /--part must be .* such as 1\/4/, 2],
    [["--delimiter", "semicolon"], /no column of its header is known.* the --delimiter/, 3],
    [["--delimiter", "x"], /--delimiter must be/, 2],
    [["--orders-time-zone", "UTC"], /--orders-time-zone goes with --time-zone,/, 2],
    [["--time-zone", "UTC", "--orders-time-zone", "Mars"], /--orders-time-zone must be an IANA/, 2],
    [["--from", "2026-06-30", "--to", "2026-06-01"], /--to must not be a day before --from/, 2],
    [["--cake-dates", "x"], /edge report: --cake-dates must be/, 2],
    [["--dates", "x"], /edge report: --dates must be/, 2],
    [["--part", "1/400"], /--part must be a part .* at most 256/, 2],
    [["--memory", "1KB"], /for each --part$/m, 3],
  ] as const) {
    const result = report(...args);
    expect(result, args.join(" ")).toEqual({ status, stderr: expect.stringMatching(words) });
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  }
  const upload = ["report", "--orders", "o.csv", "--conversions", "c.json", "--upload", "u.csv"];
  expect(run(...upload, "--offer", "abc").stderr).toContain("edge report: --offer must be a whole number");
  expect(report("--status", "paid=approved", "--status", "paid=approved", "--decimal", "point").status).toBe(1);
});

test("a reader that closes the pipe early is no error", async () => {
  const rows = Array.from({ length: 9_000 }, (_, at) => `{"conversion_id":${at + 1},"unique_id":"${at}"}`);
  write(page(1), `{"request_status":"Success","response":{"conversions":[${rows.join()}]}}`);
  note([`${LIST}-00001.json`]);
  const days = ["--from", "2026-06-01", "--to", "2026-06-30"];
  const child = spawn(process.execPath, [program, "conversions", ...days, "--pages", ".", "--csv"], { cwd: folder });
  let errors = "";
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.stdout.once("data", () => child.stdout.destroy());
  const [status] = await once(child, "close");
  expect({ status, errors }).toEqual({ status: 0, errors: "conversions: 1 pages in .\n" });
});

test("a sale after the pages were read is not uploaded", () => {
  const days = ["--from", "2026-06-01", "--to", "2026-06-30", "--time-zone", "UTC"];
  const upload = (...conversions: string[]) =>
    run("report", "--orders", "o.csv", "--offer", "1", ...conversions, ...days, "--upload", "u.csv", "--dry-run")
      .stderr;
  const of = (list: string) => ["--conversions", `${list}-*.json`];
  write(
    "o.csv",
    `order_id,click_id,date,revenue,status\n${[2, 14, 20, 29].map((day) => `${day},k${day},2026-06-${String(day).padStart(2, "0")} 10:00:00,22.00,approved\n`).join("")}`,
  );
  note([page(1)], LIST, "2026-06-15T12:00:00Z");
  expect(upload(...of(LIST))).toMatch(/upload: 2 lines.*, 2 left out: read_too_early/);
  expect(upload("--conversions", "live", "--save", ".")).toMatch(/upload: 2 lines.*, 2 left out: read_too_early/);
  // Another list has the days up to the 24th.
  const later = "conversions-2026-06-10-2026-06-24";
  note([page(1, later)], later);
  expect(upload(...of(LIST), ...of(later))).toMatch(/upload: 3 lines.*, 1 left out: read_too_early/);
  // An earlier month's reading says nothing of June.
  note([page(1)]);
  const may = "conversions-2026-05-01-2026-05-31";
  note([page(1, may)], may, "2026-06-01T00:05:00Z");
  expect(upload(...of(LIST), ...of(may))).toMatch(/upload: 4 lines, 88.00/);
});

test("an open side of the days ends where the days of the kept pages end", () => {
  const days = ["2026-05-20", "2026-06-20", "2026-07-03"];
  const rows = days.map((day, index) => `${index},k${index},${day} 10:00:00,22.00,approved\n`);
  write("o.csv", `order_id,click_id,date,revenue,status\n${rows.join("")}`);
  note([page(1)]);
  const given = ["report", "--orders", "o.csv", "--offer", "1", "--conversions", `${LIST}-*.json`, "--upload", "u.csv"];
  for (const open of [[], ["--from", "2026-06-01"], ["--to", "2026-06-30"]]) {
    const { stderr } = run(...given, "--dry-run", ...open);
    expect(stderr, open.join(" ")).toMatch(/upload: 1 lines, 22.00, \d left out: at_the_border/);
  }
});

test("a sale between the days of the kept pages is not uploaded, whatever other file is beside them", () => {
  write("o.csv", "order_id,click_id,date,revenue,status\n1,k1,2026-06-20 10:00:00,22.00,approved\n");
  for (const days of ["2026-06-01-2026-06-10", "2026-06-25-2026-06-30"]) {
    const list = `conversions-${days}`;
    note([page(1, list)], list);
  }
  write("more.json", '[{"conversion_id":7,"unique_id":"9","conversion_date":"2026-06-05 10:00:00","payout":"9.00"}]');
  const lists = ["conversions-2026-06-01-2026-06-10-00001.json", "conversions-2026-06-25-2026-06-30-00001.json"];
  const given = ["report", "--orders", "o.csv", "--offer", "1", "--upload", "u.csv", "--dry-run"];
  const conversions = [...lists, "more.json"].flatMap((file) => ["--conversions", file]);
  for (const days of [[], ["--from", "2026-06-01", "--to", "2026-06-30"]]) {
    const { stderr } = run(...given, ...conversions, ...days);
    expect(stderr, days.join(" ")).toMatch(/upload: 0 lines, 0.00, 1 left out: at_the_border/);
  }
});

test("a cut line of a journal is refused wherever it was cut", () => {
  write("c.json", '[{"conversion_id":7,"unique_id":"1","offer_id":1,"payout":"9.00","conversion_status":"approved"}]');
  const both = ["--corrections", "fix.csv", "--upload", "u.csv", "--journal", "j.txt"];
  expect(report(...both).stderr).toMatch(/corrections: 1 lines.*\n?.*upload: 1 lines/);
  const [correction = "", upload = ""] = read("j.txt").trim().split("\n");
  for (const line of [correction, upload]) {
    for (let end = 1; end < line.length; end += 1) {
      write("j.txt", `${line.slice(0, end)}\n`);
      if (line.slice(0, end).trim() === "" || (end % 7 !== 0 && end < line.length - 12)) continue;
      expect(report(...both).stderr, line.slice(0, end)).toContain("journal");
    }
  }
});

test("a folder that is not there and a day that is none are named before anything else", () => {
  for (const option of ["corrections", "upload", "csv", "html", "journal"]) {
    const { status, stderr } = report(`--${option}`, "missing/dir/fix.csv");
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: expect.stringMatching(new RegExp(`--${option} missing/dir/fix.csv .* there is no folder missing/dir`)),
    });
  }
  const given = ["conversions", "--from", "2026-06-31", "--to", "2026-07-01", "--pages", "new"];
  const { status, stderr } = run(...given, "--base-url", "https://a.example");
  expect(status).not.toBe(0);
  expect(stderr).toContain("--from must be a day that exists");
});

const CAKE_COLUMNS = "Conversion ID,Conversion Date,Offer ID,Payout,Revenue,Status,Transaction ID\n";

/** Twenty orders, and CAKE's file of them with each payout as it is written there. */
function cakeFile(payouts: readonly string[], date = "2026-06-02 10:00:00"): string[] {
  orders(...payouts.map((_, index) => index + 1));
  const rows = payouts.map((payout, index) => `${index + 1},${date},1,"${payout}",22.00,approved,${index + 1}\n`);
  write("c.csv", CAKE_COLUMNS + rows.join(""));
  return ["report", "--orders", "o.csv", "--conversions", "c.csv"];
}

test("CAKE's file is read as CAKE writes amounts, whatever the orders' format", () => {
  const given = cakeFile(["18.00", "1.125", "1,234.50", "7.33333"]);
  write("o.csv", read("o.csv").replaceAll("22.00", '"22,00"').replaceAll("18.00", '"18,00"'));
  const { stderr } = run(...given, "--decimal", "comma", "--corrections", "fix.csv");
  expect(stderr).toContain("c.csv: 1 amounts of more than four decimal places are rounded to four");
  expect(linesOf("fix.csv")).toEqual([2, 3, 4].map((id) => `${id},,,1,18.00,FALSE`));
  // No option of the command is named that would not help.
  const { status, stderr: told } = run(...cakeFile(["18,50"]), "--decimal", ".");
  expect(status).toBe(3);
  expect(told).toMatch(/c\.csv: amounts are not as CAKE writes them.*line 2: 18,50/);
  expect(told).not.toContain("--decimal");
});

test("days of CAKE's file and of the orders have an option each, and the error names it", () => {
  const given = cakeFile(["18.00"], "6/2/2026 10:00:00");
  expect(run(...given).stderr).toContain("declare the file's --cake-dates");
  expect(run(...given, "--cake-dates", "MM/DD/YYYY").status).toBe(0);
  write("o.csv", read("o.csv").replace("2026-06-02", "2/6/2026"));
  expect(run(...given, "--cake-dates", "MM/DD/YYYY").stderr).toContain("declare the file's --dates");
  expect(run(...given, "--cake-dates", "MM/DD/YYYY", "--dates", "DD/MM/YYYY").status).toBe(0);
});

test("a file of CAKE's or the forwarder's asks for no option that the command lacks", () => {
  write("odd.csv", "a,b\n1,2\n");
  write("odd.json", '[{"a":1}]');
  write("days.csv", "unique_id,accepted_at,state\n1,10/06/2026 10:00:00,delivered\n");
  write("texts.csv", "unique_id,accepted_at,state\n1,2026-06-10 10:00:00,delivered\n");
  writeFileSync(join(folder, "texts.csv"), Buffer.from(read("texts.csv").replace("1,2026", "1\u{e9},2026"), "latin1"));
  for (const [option, file, writer] of [
    ["--conversions", "odd.csv", "CAKE or the command"],
    ["--conversions", "odd.json", "CAKE or the command"],
    ["--deliveries", "odd.csv", "the forwarder"],
    ["--deliveries", "days.csv", "the forwarder"],
    ["--deliveries", "texts.csv", "the forwarder"],
  ] as const) {
    const { status, stderr } = report(option, file);
    expect(status, file).toBe(3);
    expect(stderr).toContain(`give the file as ${writer} wrote it`);
    expect(stderr, file).not.toMatch(/ --\w/);
  }
  write("o.csv", "a,b\n1,2\n");
  expect(report().stderr).toContain("declare --column, or the --delimiter");
});

test("clocks that differ ask for the options that are not given", () => {
  const given = cakeFile(
    Array.from({ length: 5 }, () => "18.00"),
    "2026-06-02 04:00:03",
  );
  expect(run(...given)).toMatchObject({
    status: 3,
    stderr: expect.stringContaining("declare --time-zone, the account's, and --orders-time-zone"),
  });
  const zone = ["--time-zone", "America/New_York"];
  const { stderr } = run(...given, ...zone);
  expect(stderr).toContain("declare --orders-time-zone");
  expect(stderr).not.toContain("--time-zone,");
  expect(run(...given, ...zone, "--orders-time-zone", "Africa/Cairo").status).not.toBe(3);
});

test("a status that is not mapped asks for --status, and a full report for --memory", () => {
  write("o.csv", read("o.csv").replaceAll("approved", "odd"));
  expect(report().stderr).toContain("map it by --status");
  const { status, stderr } = report("--memory", "1KB");
  expect(status).toBe(3);
  expect(stderr).toContain("--memory");
  expect(stderr).not.toMatch(/cannot be read|report_full/);
});
