/** The client's reaction to every fault; Node and workerd both run this file. */
import { expect, inject, test } from "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The origin of `fault-server.ts`. */
    faults: string;
  }
}

type Edge = typeof import("../../dist/edge/index.js");
type Options = Partial<Parameters<Edge["createCakeClient"]>[0]>;

/** A key with characters that are different in each encoding. */
export const CANARY = "CANARY/key+of=cake";
const SPELLINGS = [CANARY, encodeURIComponent(CANARY), btoa(CANARY).replace(/=+$/, "")];

export function expectNoKey(...shown: unknown[]): void {
  const all = shown
    .map((each) => (typeof each === "string" ? each : `${String(each)} ${deep(each)}`))
    .join("\n")
    .toLowerCase();
  for (const spelling of SPELLINGS) expect(all).not.toContain(spelling.toLowerCase());
}

/** The whole text of an error, with its causes and stack. */
function deep(value: unknown, level = 0): string {
  if (typeof value !== "object" || value === null || level > 4) return String(value);
  return Object.getOwnPropertyNames(value)
    .map((name) => `${name}=${deep((value as Record<string, unknown>)[name], level + 1)}`)
    .join(" ");
}

export function faultTests({ createCakeClient, isCakeError }: Edge): void {
  let number = 0;
  const told: unknown[] = [];

  const client = (options: Options = {}) =>
    createCakeClient({
      baseUrl: inject("faults"),
      apiKey: CANARY,
      timeoutMs: 5_000,
      onRequest: (request) => told.push(request),
      onResponse: (response) => told.push(response),
      ...options,
    });
  /** A separate click id for each test, which names the fault. */
  const clickOf = (fault: string) => `${fault}.${Date.now()}-${number++}`;
  const visits = async (click: string): Promise<{ paths: string[]; recorded: boolean; stolen: number }> =>
    (await fetch(`${inject("faults")}/__log?click=${click}`)).json() as never;

  /** The code with which a call fails; the error must not contain the key. */
  async function codeOf(promise: Promise<unknown>): Promise<string> {
    const thrown = await promise.then(
      (value) => `resolved to ${JSON.stringify(value)}`,
      (error: unknown) => error,
    );
    if (!isCakeError(thrown)) return String(thrown);
    expectNoKey(thrown);
    const cause = thrown.cause;
    return isCakeError(cause) ? `${thrown.code} < ${cause.code}` : thrown.code;
  }

  test.each([
    ["slow", "timeout", { timeoutMs: 150, retries: 0 }],
    ["stalls", "timeout", { timeoutMs: 150, retries: 0 }],
    ["resets", "network", { retries: 0 }],
    ["cut-off", "network", { retries: 0 }],
    ["limited", "rate_limited", {}],
    ["html", "unexpected_answer", {}],
    ["redirects", "redirected", {}],
    ["huge", "answer_too_large", {}],
    ["garbled", "unexpected_answer", { retries: 0 }],
    ["deep", "unexpected_answer", {}],
    ["echoes", "unauthorized", {}],
  ])("a read that meets a server that %s ends with %s", async (fault, code, options) => {
    const click = clickOf(fault);
    expect(await codeOf(client(options).getClick(click))).toBe(code);
    expect((await visits(click)).paths).toEqual(["click"]);
  });

  test.each(["resets-once", "fails-once", "restricted-once", "limited-once"])(
    "a read is repeated by a server that %s",
    async (fault) => {
      const click = clickOf(fault);
      const start = Date.now();
      expect((await client().getClick(click))?.clickId).toBe(click);
      expect((await visits(click)).paths.length).toBeGreaterThanOrEqual(2);
      if (fault === "limited-once") expect(Date.now() - start).toBeGreaterThanOrEqual(950);
    },
  );

  test.each([
    ["write-resets", "outcome_unknown < network"],
    ["write-resets-after-recording", "outcome_unknown < network"],
    ["write-stalls-after-recording", "outcome_unknown < timeout"],
    ["write-cut-off", "outcome_unknown < network"],
    ["write-cut-short", "outcome_unknown < unexpected_answer"],
    ["write-fails", "outcome_unknown < http_status"],
    ["write-huge", "outcome_unknown < answer_too_large"],
    ["write-garbled", "outcome_unknown < unexpected_answer"],
    ["write-limited", "rate_limited"],
    ["write-html", "outcome_unknown < unexpected_answer"],
    ["write-redirects", "outcome_unknown < redirected"],
    ["write-echoes", "unauthorized"],
  ])("without a unique id, a %s conversion is called once and ends with %s", async (fault, code) => {
    const click = clickOf(fault);
    const cake = client({ timeoutMs: 400 });
    expect(await codeOf(cake.recordConversion({ clickId: click, offerId: 1 }))).toBe(code);
    const { paths } = await visits(click);
    // workerd itself repeats a GET when a reused connection dies: this is why a unique id matters.
    expect(new Set(paths)).toEqual(new Set(["conversion"]));
    expect(told.filter((each) => (each as { query: string }).query.includes(click)).length).toBe(2);
  });

  test.each(["write-resets-after-recording", "write-stalls-after-recording", "write-cut-short"])(
    "with a unique id, a %s conversion is found by Get Click and not sent again",
    async (fault) => {
      const click = clickOf(fault);
      const cake = client({ timeoutMs: 400 });
      const conversion = await cake.recordConversion({ clickId: click, offerId: 1, uniqueId: "ORD-1" });
      expect(conversion).toMatchObject({ conversionId: 7, isRecovered: true });
      const { paths } = await visits(click);
      expect(paths.at(-1)).toBe("click");
      expect(new Set(paths.slice(0, -1))).toEqual(new Set(["conversion"]));
    },
  );

  test("with a unique id, a conversion that was not recorded is sent again after Get Click was asked", async () => {
    const click = clickOf("write-resets-once");
    const conversion = await client().recordConversion({ clickId: click, offerId: 1, uniqueId: "ORD-1" });
    expect(conversion).toMatchObject({ conversionId: 7, isRecovered: false });
    expect((await visits(click)).recorded).toBe(true);
  });

  test("who trusts CAKE's own deduplication sends again without asking", async () => {
    const click = clickOf("write-fails-once");
    const params = { clickId: click, offerId: 1, uniqueId: "ORD-1" };
    await client().recordConversion(params, { verify: "none" });
    expect((await visits(click)).paths).toEqual(["conversion", "conversion"]);
  });

  test.each([
    [undefined, "no object"],
    [null, "no object"],
    ["", "no object"],
    [{}, "an object without a status"],
    [{ ok: true, json: async () => ({}) }, "an object without a status"],
    [{ ok: true, status: 200, json: async () => ({}) }, "an object without a body"],
    [{ status: 200, body: {} }, "a body that is no stream, or has been read"],
    [Response.error(), "Response.error()"],
  ])("a fetch that returns %j is told that this is no Response", async (came, what) => {
    const cake = client({ fetch: (async () => came) as never, retries: 0 });
    const error = await cake.getClick("a1").catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "network", cause: { message: `fetch returned no Response, but ${what}` } });
    const write = cake.recordConversion({ clickId: "a1", offerId: 1 });
    expect(await codeOf(write)).toBe("outcome_unknown < network");
  });

  test("Create Postback is sent once", async () => {
    let sent = 0;
    const fetch = async () => {
      sent += 1;
      return new Response("", { status: 503 });
    };
    const params = { affiliateId: 1, offerId: 0, postbackUrl: "https://partner.example/?id=#reqsessid#" };
    expect(await codeOf(client({ fetch }).createPostback(params))).toBe("outcome_unknown < http_status");
    expect(sent).toBe(1);
  });

  test("a redirect's target sees no request", async () => {
    for (const fault of ["redirects", "write-redirects"]) await codeOf(client().getClick(clickOf(fault)));
    expect((await visits("")).stolen).toBe(0);
  });

  test("an abort ends a read, a wait and a write, and a write that was on its way says so", async () => {
    const abortIn = (ms: number) => {
      const controller = new AbortController();
      setTimeout(() => controller.abort(), ms);
      return controller.signal;
    };
    const cake = client();
    expect(await codeOf(cake.getClick(clickOf("slow"), { signal: abortIn(50) }))).toBe("aborted");
    expect(await codeOf(cake.getClick(clickOf("limited-once"), { signal: abortIn(200) }))).toBe("aborted");
    const write = { offerId: 1, uniqueId: "ORD-1" };
    const slow = cake.recordConversion({ ...write, clickId: clickOf("write-slow") }, { signal: abortIn(50) });
    expect(await codeOf(slow)).toBe("outcome_unknown < aborted");
    const aborted = { signal: AbortSignal.abort() };
    const click = clickOf("write-slow");
    expect(await codeOf(cake.recordConversion({ ...write, clickId: click }, aborted))).toBe("aborted");
    expect((await visits(click)).paths).toEqual([]);
  });

  test("a list of a server that answers nonsense ends with a code", async () => {
    expect(await codeOf(client().listClicks({ affiliateId: 66 }).page())).toBe("unexpected_answer");
  });

  test("nothing that a hook was told holds the key", () => {
    expect(told.length).toBeGreaterThan(20);
    expectNoKey(...told.map((each) => JSON.stringify(each)));
  });
}
