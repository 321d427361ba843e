// `cake-edge report` that is broken off at any step of writing its corrections: no line is lost, and none is there twice.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeEach, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "cake-edge-broken-off-"));
const program = fileURLToPath(new URL("../../dist/bin/cake-edge.js", import.meta.url));
afterAll(() => rmSync(folder, { recursive: true }));

/** Kills the process at one step of those that change a file, in its middle or after it; or lets steps fail. */
const HOOK = `
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
const { STEP, MOMENT, FAILS } = process.env;
let step = 0;
let isInside = false;
const fails = FAILS === undefined ? undefined : new RegExp(FAILS);
for (const name of ["writeFileSync", "appendFileSync", "renameSync", "copyFileSync", "rmSync", "truncateSync"]) {
  const run = fs[name];
  fs[name] = (...args) => {
    // appendFileSync writes by writeFileSync.
    if (isInside) return run(...args);
    if (fails?.test(name + " " + args.slice(0, 2).join(" "))) {
      throw Object.assign(new Error("EBUSY: resource busy or locked, open '" + args[0] + "'"), { code: "EBUSY", syscall: "open" });
    }
    step += 1;
    isInside = true;
    if (step === Number(STEP)) {
      if (MOMENT === "after") run(...args);
      if (MOMENT === "middle" && /^(write|append)/.test(name)) run(args[0], args[1].slice(0, args[1].length / 2));
      if (MOMENT === "middle" && name === "copyFileSync") fs.writeFileSync(args[1], fs.readFileSync(args[0], "utf8").slice(0, 99));
      process.kill(process.pid, "SIGKILL");
    }
    try {
      return run(...args);
    } finally {
      isInside = false;
    }
  };
}
syncBuiltinESMExports();
`;

const read = (name: string) => readFileSync(join(folder, name), "utf8");
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const names = () => readdirSync(folder).sort();
const count = (text: string, part: string) => text.split(part).length - 1;

/** Two orders that CAKE lacks, two whose payout it has otherwise. */
const orders = (...more: number[]) => {
  const rows = [1, 2, 3, 4, ...more].map((id) => `${id},k${id},2026-06-02 10:00:00,22.00,18.00,approved\n`);
  write("o.csv", `unique_id,click_id,date,revenue,payout,status\n${rows.join("")}`);
};

beforeEach(() => {
  for (const name of names()) rmSync(join(folder, name), { recursive: true });
  write("hook.mjs", HOOK);
  orders();
  const conversions = [3, 4].map((id) => ({
    conversion_id: id,
    offer_id: 1,
    unique_id: String(id),
    conversion_date: "2026-06-02 10:00:00",
    payout: "17.00",
    revenue: "22.00",
    conversion_status: "approved",
  }));
  write("c.json", JSON.stringify(conversions));
});

function report(env: NodeJS.ProcessEnv = {}, journal = "done.txt", ...more: string[]) {
  return reportInto(["--corrections", "fix.csv", "--upload", "up.csv"], env, journal, ...more);
}

function reportInto(files: string[], env: NodeJS.ProcessEnv, journal: string, ...more: string[]) {
  const inputs = ["--orders", "o.csv", "--conversions", "c.json", "--offer", "1"];
  const outputs = [...files, "--journal", journal];
  const args = [
    "--import",
    pathToFileURL(join(folder, "hook.mjs")).href,
    program,
    "report",
    ...inputs,
    ...outputs,
    ...more,
  ];
  const { status, signal, stderr } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { status, signal, stderr };
}

/** Each line is in one file, and in the journal. */
function expectAllOnce(ids: readonly number[], when = ""): void {
  const text = names()
    .filter((name) => /^(fix|up)\.csv/.test(name))
    .map(read)
    .join("");
  for (const id of ids) {
    const line = id === 3 || id === 4 ? `\n${id},,,1,18.00` : `\nk${id},1,`;
    expect(count(text, line), `${when}, line of ${id} in ${names()}:\n${text}`).toBe(1);
    expect(count(`\n${read("done.txt")}`, id === 3 || id === 4 ? `\nreconciliation ${id} ` : `\nupload ${id} `)).toBe(
      1,
    );
  }
  expect(names().filter((name) => name.endsWith(".part"))).toEqual([]);
}

test.for([
  ["in", "middle", false, undefined],
  ["after", "after", false, undefined],
  ["in", "middle", true, undefined],
  ["after", "after", true, undefined],
  // Nothing can be moved to a mount, or from it.
  ["in", "middle", true, "^renameSync"],
  ["after", "after", true, "^renameSync"],
] as const)("killed %s each step (%s; with an earlier file: %s; what fails: %s)", ([, moment, earlier, fails]) => {
  for (let step = 1; ; step += 1) {
    for (const name of names()) if (/^(fix|up|done)/.test(name)) rmSync(join(folder, name));
    const ids = [1, 2, 3, 4];
    if (earlier) {
      orders();
      report();
      ids.push(5, 6);
    }
    orders(...ids.slice(4));
    const env = { STEP: String(step), MOMENT: moment, ...(fails === undefined ? {} : { FAILS: fails }) };
    if (report(env).signal === null) {
      expect(step).toBeGreaterThan(4);
      return;
    }
    report();
    report();
    expectAllOnce(ids, `step ${step}`);
  }
});

test("a file that another program holds is told with the place of its lines, and the next run writes it", () => {
  const { status, stderr } = report({ FAILS: "^writeFileSync up\\.csv (?!\\{)[^{]*click_id" });
  expect(status).toBe(3);
  expect(stderr).toMatch(
    /up\.csv is not written yet: EBUSY.*Its lines are in up\.csv\.part: run the same command again/,
  );
  expect(existsSync(join(folder, "up.csv.part"))).toBe(true);
  // A dry run changes nothing.
  const dry = report({}, "done.txt", "--dry-run");
  expect(dry.stderr).toContain(
    "up.csv.part is of a run that was broken off; the next run without --dry-run finishes it",
  );
  expect(existsSync(join(folder, "up.csv"))).toBe(false);
  const next = report();
  expect(next.stderr).toContain("upload: up.csv has the 2 lines of a run that was broken off");
  expectAllOnce([1, 2, 3, 4]);
});

test("an earlier file whose place nothing can be moved from keeps its lines beside it", () => {
  report();
  orders(5);
  const { stderr } = report({ FAILS: "^renameSync" });
  expect(stderr).toContain("the lines of an earlier run are now in up.csv.1");
  expectAllOnce([1, 2, 3, 4, 5]);
});

test("a part whose journal is not named, or that is another program's, is left where it is", () => {
  report({ FAILS: "^writeFileSync up\\.csv (?!\\{)[^{]*click_id" });
  const part = read("up.csv.part");
  write("moved.txt", read("done.txt"));
  rmSync(join(folder, "done.txt"));
  const without = report({}, "other.txt");
  expect(without.status).toBe(3);
  expect(without.stderr).toMatch(/up\.csv\.part is of a run that was broken off, with the journal .*done\.txt/);
  expect(read("up.csv.part")).toBe(part);
  // The journal that was moved tells it as well.
  expect(report({}, "moved.txt").stderr).toContain("has the 2 lines of a run that was broken off");
  write("up.csv.part", "my notes");
  expect(report()).toMatchObject({ status: 3, stderr: expect.stringContaining("move it away") });
  expect(read("up.csv.part")).toBe("my notes");
  rmSync(join(folder, "up.csv.part"));
  write("done.txt.part", "my notes");
  expect(report()).toMatchObject({ status: 3, stderr: expect.stringContaining("move it away") });
  expect(read("done.txt.part")).toBe("my notes");
});

/** One order and CAKE's row of it, each with a status. */
function turn(ours: string, cakes: string): void {
  write("o.csv", `unique_id,click_id,date,revenue,payout,status\n3,k3,2026-06-02 10:00:00,22.00,18.00,${ours}\n`);
  const row = { conversion_id: 3, offer_id: 1, unique_id: "3", conversion_date: "2026-06-02 10:00:00" };
  write("c.json", JSON.stringify([{ ...row, payout: "18.00", revenue: "22.00", conversion_status: cakes }]));
}

/** The lines of all files of corrections, in their order. */
function written(): string[] {
  const files = names().filter((name) => /^fix\.csv(\.\d+)?$/.test(name));
  const order = (name: string) => Number(name.split(".")[2] ?? 99);
  const texts = files.sort((one, other) => order(one) - order(other)).map(read);
  return texts.flatMap((text) => text.split("\r\n").slice(1)).filter((line) => line !== "");
}

test.for(["before", "middle", "after"] as const)("a correction that is needed again, killed %s each step", (moment) => {
  for (let step = 1; ; step += 1) {
    for (const name of names()) if (/^(fix|up|done)/.test(name)) rmSync(join(folder, name));
    turn("reversed", "approved");
    report();
    turn("approved", "reversed");
    report();
    // The same line again, which the journal has from the first run.
    turn("reversed", "approved");
    const { signal } = report({ STEP: String(step), MOMENT: moment });
    report();
    turn("approved", "reversed");
    report();
    const lines = written().map((line) => line.split(",")[2]);
    expect(lines, `step ${step}`).toEqual(["reversed", "approved", "reversed", "approved"]);
    const entries = read("done.txt").trim().split("\n");
    expect(entries.map((entry) => /reversed|approved/.exec(entry)?.[0])).toEqual(lines);
    expect(names().filter((name) => name.endsWith(".part"))).toEqual([]);
    if (signal === null) {
      expect(step).toBeGreaterThan(4);
      return;
    }
  }
});

test("a run with the same journal and another file names the file whose lines wait", () => {
  turn("reversed", "approved");
  // Killed once the journal is written.
  let step = 0;
  do {
    for (const name of names()) if (/^(fix|up|done)/.test(name)) rmSync(join(folder, name));
    step += 1;
    report({ STEP: String(step), MOMENT: "after" });
  } while (!existsSync(join(folder, "done.txt")));
  const journal = read("done.txt");
  const other = ["--corrections", "other.csv", "--upload", "more.csv"];
  const dry = reportInto(other, {}, "done.txt", "--dry-run");
  expect(dry.stderr).toMatch(/fix\.csv\.part is of a run that was broken off, with the journal done\.txt/);
  const held = reportInto(other, {}, "done.txt");
  expect(held.status).toBe(3);
  expect(held.stderr).toMatch(/fix\.csv\.part is of a run .*: write .*fix\.csv again, which finishes it/);
  expect(existsSync(join(folder, "other.csv"))).toBe(false);
  // A journal whose earlier lines were changed says nothing certain.
  write("fix.csv.part", read("fix.csv.part").replace('"written":0,"last":""', '"written":1,"last":"reconciliation 9"'));
  expect(report()).toMatchObject({ status: 3, stderr: expect.stringContaining("put them back, and run again") });
  write("fix.csv.part", read("fix.csv.part").replace('"written":1,"last":"reconciliation 9"', '"written":0,"last":""'));
  expect(report().stderr).toContain("fix.csv has the 1 lines of a run that was broken off");
  expect(read("done.txt")).toBe(journal);
  expect(reportInto(other, {}, "done.txt").status).toBe(1);
  expect(names().filter((name) => name.endsWith(".part"))).toEqual([]);
});
