/** Edge capture's decisions, as the shared vectors have them, in Node. */
import { readFileSync } from "node:fs";
import { afterEach, expect, test, vi } from "vitest";
import {
  type CaptureOptions,
  captureClick,
  isCakeError,
  readClickCookie,
  withClickCapture,
} from "../../dist/entry/edge.inline.js";

interface Vector {
  readonly name: string;
  readonly url: string;
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly options?: Partial<CaptureOptions>;
  readonly at?: number;
  readonly secrets?: string[];
  readonly want: { readonly clickId?: string; readonly setCookie?: string; readonly reason?: string };
  readonly code: string;
}

const vectors: { secrets: string[]; decide: Vector[]; refuse: Vector[] } = JSON.parse(
  readFileSync("tests/vectors/capture.json", "utf8"),
);
const { secrets } = vectors;

const requestOf = ({ url, method = "GET", headers = {} }: Vector) => new Request(url, { method, headers });

afterEach(() => {
  vi.useRealTimers();
});

test("every request has its decision, as in Rust", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const vector of vectors.decide) {
    vi.setSystemTime(vector.at ?? 0);
    expect(captureClick(requestOf(vector), { secrets, ...vector.options }), vector.name).toEqual(vector.want);
  }
});

test("what is set is read back where the conversion is recorded, and by no other secret", () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  for (const { at = 0, options, want, name } of vectors.decide) {
    if (want.setCookie === undefined) continue;
    vi.setSystemTime(at);
    const request = new Request("https://shop.example/cake", {
      headers: { cookie: want.setCookie.split(";")[0] ?? "" },
    });
    const { touch = "last" } = options ?? {};
    expect(readClickCookie(request, { secrets, touch }), name).toBe(want.clickId);
    expect(readClickCookie(request, { secrets: ["a foreign secret of 32 bytes or more"] }), name).toBeUndefined();
  }
});

test("bad settings are refused with their code, as in Rust", () => {
  for (const vector of vectors.refuse) {
    let thrown: unknown;
    try {
      captureClick(requestOf(vector), { secrets: vector.secrets ?? secrets, ...vector.options });
    } catch (error) {
      thrown = error;
    }
    expect(isCakeError(thrown) && thrown.code, vector.name).toBe(vector.code);
  }
});

test("JavaScript without types gets a CakeError too", () => {
  const request = new Request("https://shop.example/");
  for (const options of [
    undefined,
    {},
    { secrets: "a secret that is no list, of 32 bytes" },
    { secrets: [7] },
    { secrets, touch: "middle" },
    { secrets, window: 30 },
    { secrets, consent: () => undefined },
  ]) {
    expect(() => captureClick(request, options as never), JSON.stringify(options)).toThrow(
      expect.objectContaining({ name: "CakeError" }),
    );
  }
});

test("consent may be a function of the request", () => {
  const consent = (request: Request) => (request.headers.get("cookie")?.includes("agreed=1") ? "granted" : "pending");
  const visit = (cookie: string) =>
    captureClick(new Request("https://shop.example/?reqid=abc-1", { headers: { cookie, accept: "text/html" } }), {
      secrets,
      consent,
    });
  expect(visit("agreed=1").setCookie).toMatch(/^__Host-cake_click=/);
  expect(visit("")).toEqual({ clickId: "abc-1", reason: "consent_pending" });
});

test("a Node server's handler captures as a Worker's does", async () => {
  const handler = withClickCapture(() => new Response("shop"), { secrets });
  const request = new Request("https://shop.example/?reqid=abc-1", { headers: { accept: "text/html" } });
  expect((await handler(request, undefined)).headers.getSetCookie()).toHaveLength(1);
});
