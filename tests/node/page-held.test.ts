/** A click that a page has held until the visitor's yes: the page's script keeps it as the core does. */
import { readFileSync } from "node:fs";
import { afterAll, expect, test, vi } from "vitest";
import { openPage } from "./page-file.ts";

interface Row {
  readonly name: string;
  readonly stored: readonly (readonly [before: number, clickId: string])[];
  readonly held: number;
  readonly want: readonly string[];
}

const { rows } = JSON.parse(readFileSync(new URL("../vectors/held_clicks.json", import.meta.url), "utf8")) as {
  readonly rows: readonly Row[];
};

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a held click goes where its own time is", () => {
  const store: Record<string, string> = {};
  const localStorage = Object.create({
    getItem: (key: string) => store[key] ?? null,
    setItem: (key: string, text: string) => {
      store[key] = text;
    },
    removeItem: (key: string) => {
      delete store[key];
    },
  });
  vi.useFakeTimers();
  vi.stubGlobal("location", {
    href: "https://shop.example/?reqid=held-1",
    hostname: "shop.example",
    protocol: "https:",
  });
  vi.stubGlobal("document", { cookie: "", addEventListener() {} });
  vi.stubGlobal("localStorage", localStorage);
  vi.stubGlobal("addEventListener", () => undefined);
  vi.stubGlobal("navigation", { currentEntry: {}, addEventListener() {} });
  const yes = 1_781_879_400;
  const time = (before: number) => (yes - before).toString(36);
  for (const { name, stored, held, want } of rows) {
    for (const touch of ["first", "last"] as const) {
      Object.assign(document, { cookie: "" });
      delete store["cake_click"];
      vi.setSystemTime((yes - held) * 1_000);
      const tracker = openPage().createTracker({ consent: "pending", touch });
      if (stored[0]) {
        const touches = stored.map(([before, clickId]) => `*${time(before)}!reqid!${clickId}`);
        store["cake_click"] = `1!${time(Math.max(stored[0][0], 0))}${touches.join("")}`;
      }
      vi.setSystemTime(yes * 1_000);
      tracker.setConsent("granted");
      const [, ...kept] = `${store["cake_click"]}`.split("*").map((text) => text.split("!")[2]);
      expect([name, touch === "last" ? kept : kept[0]]).toEqual([name, touch === "last" ? want : want[0]]);
      expect([name, tracker.clickId]).toEqual([name, touch === "last" ? want[0] : kept.at(-1)]);
      tracker.dispose();
    }
  }
});
