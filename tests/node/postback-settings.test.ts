/** A postback's status and type: a row that asks for others than CAKE has is told, as no call changes them. */
import { writeFileSync } from "node:fs";
import { expect, test } from "vitest";
import { applyPostbacks, type CreatePostbackParams } from "../../dist/entry/edge.inline.js";
import {
  account,
  applied,
  base,
  client,
  csvOf,
  file,
  memory,
  outcomes,
  rowOf,
  rowsOf,
  run,
  urlOf,
} from "./postback-account.ts";

test("a row that was registered with another status or type is no repetition", async () => {
  const journal = memory();
  const options = { client: client(), journal, rateLimit: 1_000 };
  const row = { ...rowOf("a"), postbackStatus: "active", postbackTypeId: 1 } as const;
  expect((await applyPostbacks([row, rowOf("b")], options)).ok).toBe(true);
  for (const changed of [{ postbackStatus: "inactive" } as const, { postbackTypeId: 3 } as const]) {
    const { ok, rows } = await applyPostbacks([{ ...row, ...changed }, rowOf("b")], options);
    expect([ok, outcomes(rows)]).toEqual([false, ["doubtful", "already"]]);
    const [name] = Object.keys(changed);
    expect(rows[0]?.findings).toMatchObject([{ code: "registered_otherwise", parameter: name }]);
  }
  // What one of the two leaves out is the default.
  expect((await applyPostbacks([rowOf("a"), { ...rowOf("b"), postbackTypeId: 1 }], options)).ok).toBe(true);
  expect(account.asked).toEqual([urlOf("a"), urlOf("b")]);
});

test("a postback that CAKE registers in another way than asked is a finding, and a rerun tells it again", async () => {
  const row = { ...rowOf("a"), postbackStatus: "active", postbackTypeId: 1 } as const;
  for (const [answers, parameter] of [
    [{ postback_status: "inactive" }, "postbackStatus"],
    [{ postback_status: "Inactive", postback_type: "Server" }, "postbackStatus"],
    [{ postback_status: "Paused" }, "postbackStatus"],
    [{ postback_type: "Other" }, "postbackTypeId"],
    [{ postback_status: "active", postback_type: "iFrame" }, "postbackTypeId"],
    [{ postback_status: "Active", postback_type: "Server to Server" }, undefined],
    [{}, undefined],
  ] as const) {
    account.answers = answers;
    const options = { client: client(), journal: memory(), rateLimit: 1_000 };
    const { ok, rows } = await applyPostbacks([row], options);
    expect([ok, outcomes(rows)]).toEqual([parameter === undefined, ["registered"]]);
    const found = rows[0]?.findings.map((finding) => [finding.code, finding.parameter]);
    expect(found).toEqual(parameter === undefined ? [] : [["registered_otherwise", parameter]]);
    const again = await applyPostbacks([row], options);
    expect([again.ok, again.rows[0]?.findings[0]?.parameter]).toEqual([parameter === undefined, parameter]);
  }
  account.answers = { postback_status: "inactive" };
  writeFileSync(file, csvOf("b"));
  expect((await run(applied())).status).toBe(1);
});

type Settings = Pick<CreatePostbackParams, "postbackStatus" | "postbackTypeId">;

/** What CAKE's answer has of the type or the status; what the row asks for; the parameter that differs. */
const TOLD: readonly (readonly [Record<string, unknown>, Settings, keyof Settings | undefined])[] = [
  // A number, in either field and spelling.
  [{ postback_type: 1 }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: "1" }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: " 4 " }, { postbackTypeId: 4 }, undefined],
  [{ postback_type: "2" }, { postbackTypeId: 1 }, "postbackTypeId"],
  [{ postback_type_id: 2 }, { postbackTypeId: 2 }, undefined],
  [{ postback_type_id: "2" }, { postbackTypeId: 1 }, "postbackTypeId"],
  [{ postback_type_id: 9 }, { postbackTypeId: 1 }, "postbackTypeId"],
  // An object with an id and a name, or one of them.
  [{ postback_type: { id: 1, name: "Server" } }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: { id: 2, name: "iFrame" } }, { postbackTypeId: 1 }, "postbackTypeId"],
  [{ postback_type_id: { id: 3 } }, { postbackTypeId: 3 }, undefined],
  [{ postback_type_id: { id: 3 } }, { postbackTypeId: 2 }, "postbackTypeId"],
  [{ postback_type: { postback_type_id: 3, postback_type_name: "Image" } }, { postbackTypeId: 3 }, undefined],
  [{ postback_type: { postback_type_name: "Image" } }, { postbackTypeId: 1 }, "postbackTypeId"],
  // Nothing is no other type.
  [{ postback_type: "" }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: "  ", postback_type_id: null }, { postbackTypeId: 2 }, undefined],
  [{ postback_type: 0, postback_type_id: 0 }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: {}, postback_type_id: [] }, { postbackTypeId: 1 }, undefined],
  [{ postback_status: "" }, { postbackStatus: "active" }, undefined],
  [{ postback_status: " " }, {}, undefined],
  // The trade's other words.
  [{ postback_type: "S2S" }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: "S2S" }, { postbackTypeId: 2 }, "postbackTypeId"],
  [{ postback_type: "JS " }, { postbackTypeId: 4 }, undefined],
  // Both tell it: each must be what was asked for.
  [{ postback_type: "Server", postback_type_id: 1 }, { postbackTypeId: 1 }, undefined],
  [{ postback_type: "Server", postback_type_id: 2 }, { postbackTypeId: 1 }, "postbackTypeId"],
  [{ postback_type: "iFrame", postback_type_id: 1 }, { postbackTypeId: 1 }, "postbackTypeId"],
  [{ postback_type: 1, postback_type_id: 2 }, { postbackTypeId: 1 }, "postbackTypeId"],
  // A row without a type takes what CAKE has chosen.
  [{ postback_type_id: 2 }, {}, undefined],
];

test.each(TOLD)("an answer with %j to a row with %j: %s", async (answers, asked, parameter) => {
  account.answers = answers;
  const options = { client: client(), journal: memory(), rateLimit: 1_000 };
  for (const outcome of ["registered", parameter === undefined ? "already" : "doubtful"]) {
    const { ok, rows } = await applyPostbacks([{ ...rowOf("a"), ...asked }], options);
    expect([ok, outcomes(rows)]).toEqual([parameter === undefined, [outcome]]);
    expect(rows[0]?.findings.map((finding) => finding.parameter)).toEqual(parameter === undefined ? [] : [parameter]);
  }
});

test("a type is told by its word, its number or both, and an empty one is absent", async () => {
  for (const [answers, told] of [
    [{ postback_type: "Server" }, { postbackType: "Server" }],
    [{ postback_type: 2 }, { postbackTypeId: 2 }],
    [{ postback_type: { id: 3, name: "Image" } }, { postbackType: "Image", postbackTypeId: 3 }],
    [{ postback_type: "", postback_status: " " }, {}],
  ] as const) {
    account.answers = answers;
    expect(await client().createPostback(rowOf("a"))).toEqual({ postbackId: expect.any(Number), ...told });
  }
});

test("an answer's URL is another one where its macros or its path have other capitals", async () => {
  const url = "https://a.example/Pb?id=#reqsessid#&x=%2f";
  for (const [told, isSame] of [
    [url, true],
    [url.replace("https://a.example", "HTTPS://A.Example"), true],
    [url.replace("%2f", "%2F").replaceAll("&", "&amp;"), true],
    [url.toUpperCase(), false],
    [url.replace("/Pb", "/pb"), false],
    [url.replace("#reqsessid#", "#ReqSessId#"), false],
  ] as const) {
    account.answers = { postback_url: told };
    const options = { client: client(), journal: memory(), rateLimit: 1_000 };
    const { rows } = await applyPostbacks([{ ...rowOf("a"), postbackUrl: url }], options);
    expect(outcomes(rows), told).toEqual([isSame ? "registered" : "unknown"]);
  }
});

/** What a row asks for first, and then; the parameter that differs. */
const CHANGES: readonly (readonly [Settings, Settings, keyof Settings | undefined])[] = [
  [{}, {}, undefined],
  [{}, { postbackStatus: "active", postbackTypeId: 1 }, undefined],
  [{ postbackStatus: "active", postbackTypeId: 1 }, {}, undefined],
  [{}, { postbackStatus: "inactive" }, "postbackStatus"],
  [{ postbackStatus: "inactive" }, {}, "postbackStatus"],
  [{ postbackStatus: "active" }, { postbackStatus: "inactive" }, "postbackStatus"],
  [{}, { postbackTypeId: 2 }, "postbackTypeId"],
  [{ postbackTypeId: 2 }, {}, "postbackTypeId"],
  [{ postbackTypeId: 1 }, { postbackTypeId: 2 }, "postbackTypeId"],
  [{ postbackTypeId: 2 }, { postbackTypeId: 2 }, undefined],
];

test.each(CHANGES)("a row with %j that becomes one with %j: %s", async (before, after, parameter) => {
  for (const answers of [{}, { postback_status: before.postbackStatus ?? "active" }]) {
    account.answers = answers;
    const options = { client: client(), journal: memory(), rateLimit: 1_000 };
    expect((await applyPostbacks([{ ...rowOf("a"), ...before }], options)).ok).toBe(true);
    const { ok, rows } = await applyPostbacks([{ ...rowOf("a"), ...after }], options);
    expect([ok, outcomes(rows)]).toEqual(parameter === undefined ? [true, ["already"]] : [false, ["doubtful"]]);
    expect(rows[0]?.findings.map((finding) => finding.parameter)).toEqual(parameter === undefined ? [] : [parameter]);
  }
});

test("a type that CAKE chose by itself is what a row without one asks for", async () => {
  account.answers = { postback_type: "iFrame" };
  const options = { client: client(), journal: memory(), rateLimit: 1_000 };
  for (const [more, ok] of [
    [{}, true],
    [{}, true],
    [{ postbackTypeId: 2 }, true],
    [{ postbackTypeId: 1 }, false],
  ] as const) {
    expect((await applyPostbacks([{ ...rowOf("a"), ...more }], options)).ok, JSON.stringify(more)).toBe(ok);
  }
});

test("the command tells it before and with --apply, and a settled row keeps its settings", async () => {
  const withStatus = (status: string) =>
    csvOf("a").replace("url\n", "url,postback_status\n").replace(/#\n/, `#,${status}\n`);
  writeFileSync(file, withStatus(""));
  expect((await run(applied())).status).toBe(0);
  writeFileSync(file, withStatus("inactive"));
  for (const args of [["--base-url", base], applied()]) {
    const { status, out } = await run([...args, "--json"]);
    expect([status, rowsOf(out)[0]]).toMatchObject([
      1,
      { outcome: "doubtful", findings: [{ code: "registered_otherwise" }] },
    ]);
  }
  account.meets = { b: ["resets"] };
  writeFileSync(file, withStatus("inactive").replace(urlOf("a"), urlOf("b")));
  expect((await run(applied())).status).toBe(3);
  expect((await run(["--base-url", base, "--settle", "2=registered"])).status).toBe(0);
  writeFileSync(file, withStatus("").replace(urlOf("a"), urlOf("b")));
  expect((await run(["--base-url", base])).status).toBe(1);
});
