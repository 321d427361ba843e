// Attribution gives the credit of tests/vectors/attribution.json, which independent implementations came to.
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { type AttributeOptions, type Model, openReport } from "../../dist/entry/report.node.js";

interface Case {
  readonly journeys: readonly {
    readonly touches: readonly (readonly [channel: string, age: number])[];
    readonly converted: boolean;
    readonly payout: string;
  }[];
  /** Per model and channel; the payout in ten-thousandths. */
  readonly models: Readonly<
    Record<string, Record<string, { payout: number; conversions: number; removalEffect?: number }>>
  >;
}

const { cases } = JSON.parse(readFileSync(new URL("../vectors/attribution.json", import.meta.url), "utf8")) as {
  cases: readonly Case[];
};

function modelOf(name: string): Model {
  const [model, ...numbers] = name.split(":");
  const [first = 0, last = 0] = numbers.map(Number);
  if (model === "position") return { position: { first, last } };
  if (model === "timeDecay") return { timeDecay: { halfLifeDays: first / 86_400 } };
  return name as Model;
}

test("the credit of every model is that of exact fractions, to the cent", async () => {
  const report = await openReport();
  for (const { journeys, models } of cases) {
    const found = report.attribute({
      models: Object.keys(models).map(modelOf),
      journeys: journeys.map(({ touches, converted, payout }) => ({
        touches: touches.map(([channel, secondsBefore]) => ({ channel, secondsBefore })),
        converted,
        payout,
      })),
    });
    for (const [at, [name, expected]] of Object.entries(models).entries()) {
      const channels = found.models[at]?.channels ?? [];
      const payouts = channels.map(({ channel, payout }) => [channel, Math.round(Number(payout) * 10_000)]);
      expect([name, payouts]).toEqual([
        name,
        Object.entries(expected).map(([channel, { payout }]) => [channel, payout]),
      ]);
      for (const { channel, conversions, removalEffect } of channels) {
        expect(conversions).toBeCloseTo(expected[channel]?.conversions ?? Number.NaN, 8);
        if (name === "markov") expect(removalEffect).toBeCloseTo(expected[channel]?.removalEffect ?? Number.NaN, 8);
      }
    }
  }
  report.dispose();
});

test("models and journeys of another kind are refused by their name", async () => {
  const report = await openReport();
  const journey = { touches: [], converted: true };
  for (const [wrong, parameter] of [
    [{ models: [] }, "models"],
    [{ models: [null] }, "models"],
    [{ models: [{}] }, "models"],
    [{ models: [{ position: { first: 40, last: 40 }, timeDecay: { halfLifeDays: 7 } }] }, "models"],
    [{ models: [{ position: null }] }, "position"],
    [{ models: [{ timeDecay: undefined }] }, "timeDecay"],
    [{ models: ["last"], journeys: {} }, "journeys"],
    [{ models: ["last"], journeys: null }, "journeys"],
    [{ models: ["last"], journeys: "last" }, "journeys"],
    [{ models: ["last"], journeys: [null] }, "journey"],
    [{ models: ["last"], journeys: [{ converted: true }] }, "touches"],
    [{ models: ["last"], journeys: [{ ...journey, touches: {} }] }, "touches"],
    [{ models: ["last"], journeys: [{ ...journey, touches: [null] }] }, "touch"],
    ...[null, undefined, {}, 7, Number.NaN, true, ["a"]].map(
      (channel) => [{ models: ["last"], journeys: [{ ...journey, touches: [{ channel }] }] }, "channel"] as const,
    ),
    ...[null, "5", true, {}, [5], Number.NaN, Infinity, -1].map(
      (secondsBefore) =>
        [
          { models: ["last"], journeys: [{ ...journey, touches: [{ channel: "a", secondsBefore }] }] },
          "secondsBefore",
        ] as const,
    ),
    ...[null, undefined, "7", true, [7], Number.NaN, Infinity, 1e300, 0, -1].map(
      (halfLifeDays) => [{ models: [{ timeDecay: { halfLifeDays } }] }, "halfLifeDays"] as const,
    ),
  ] as const) {
    const attribute = () => report.attribute(wrong as unknown as AttributeOptions);
    expect(attribute, JSON.stringify(wrong)).toThrow(expect.objectContaining({ code: "invalid_field", parameter }));
  }
  report.dispose();
});

test("an option of another kind is refused by its name, and is no TypeError", async () => {
  const report = await openReport();
  const dimension = { name: "x", of: ["subId1"], label: () => "x" };
  for (const [run, parameter] of [
    [() => report.addConversions(new Uint8Array(), { covers: null as never }), "covers"],
    [() => report.addConversions(new Uint8Array(), { covers: "2026-06" as never }), "covers"],
    [() => report.breakDown({ by: [null as never] }), "by"],
    [() => report.breakDown({ by: [{ ...dimension, of: undefined } as never] }), "of"],
    [() => report.breakDown({ by: [{ ...dimension, label: null } as never] }), "label"],
  ] as const) {
    const called = (async () => run())();
    await expect(called).rejects.toMatchObject({ code: "invalid_field", parameter });
  }
  const noDays = report.addConversions(new Uint8Array(), { covers: { from: null, to: null } as never });
  await expect(noDays).rejects.toMatchObject({ code: "invalid_time", parameter: "covers" });
  report.dispose();
});

test("a channel is no visitor's address, and a dimension of one's own has parts and a name of its own", async () => {
  const report = await openReport({ from: "2026-06-01", to: "2026-06-30" });
  const named = (parameter: string) => expect.objectContaining({ code: "invalid_field", parameter });
  expect(() => report.attribute({ models: ["last"], channel: "address" as "offer" })).toThrow(named("channel"));
  expect(() => report.attribute({ models: ["last"], channel: "zip" as "offer" })).toThrow(/channel must be affiliate/);
  expect(report.attribute({ models: ["last"], key: "address" }).models).toHaveLength(1);
  const label = () => "x";
  for (const [own, parameter] of [
    [{ name: "x", of: [], label }, "of"],
    [{ name: "x", of: [undefined as unknown as "offer"], label }, "of"],
    [{ name: "affiliate", of: ["subId1"], label }, "name"],
  ] as const) {
    expect(() => report.breakDown({ by: ["affiliate", own] }), own.name).toThrow(named(parameter));
    expect(() => report.breakDown({ by: [own, "affiliate"] }), own.name).toThrow(named(parameter));
  }
  expect(report.breakDown({ by: ["affiliate", { name: "group", of: ["affiliate"], label }] }).groups).toEqual([]);
});
