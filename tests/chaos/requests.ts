/** The requests of a run: visitors' clicks, clients' events, an operator's questions. */
import { Agent, get, request } from "node:http";
import { signConversion } from "../../dist/entry/edge.inline.js";
import { SIGNING_SECRET } from "./hosts.ts";

/** Makes this number of clicks; returns their ids. */
export async function makeClicks(origin: string, count: number): Promise<string[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 32 });
  const ids: string[] = [];
  let left = count;
  const visitor = async () => {
    while (left > 0) {
      left -= 1;
      const location = await new Promise<string>((resolve, reject) => {
        get(`${origin}/?a=1&c=1`, { agent }, (response) => {
          response.resume().once("end", () => resolve(response.headers.location ?? ""));
        }).once("error", reject);
      });
      ids.push(new URL(location, origin).searchParams.get("reqid") ?? "");
    }
  };
  await Promise.all(Array.from({ length: 32 }, visitor));
  agent.destroy();
  return ids;
}

/** Waits until no event waits, or nothing changes any more; returns the number of events in each state. */
export async function untilSettled(
  origin: string,
  secret: string,
  patienceMs: number,
  tell: (line: string) => void,
): Promise<Record<string, number>> {
  const end = Date.now() + patienceMs;
  let told = "";
  for (;;) {
    const { counts } = JSON.parse(await read(`${origin}/cake/operator/counts`, secret)) as {
      counts: Record<string, number>;
    };
    const now = JSON.stringify(counts);
    if (now !== told) tell(now);
    told = now;
    if ((counts["pending"] ?? 0) + (counts["paused"] ?? 0) === 0 || Date.now() > end) return counts;
    await sleep(1_000);
  }
}

/** The number of calls with a fault. Asked at each kill, so that the sandbox never sleeps and forgets. */
export async function struck(origin: string): Promise<number> {
  const { struck } = (await (await fetch(`${origin}/__sandbox/faults/struck`)).json()) as { struck?: number };
  return struck ?? 0;
}

export async function put(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, { method: "PUT", body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);
}

export async function read(url: string, secret: string): Promise<string> {
  return (await fetch(url, { headers: { authorization: `Bearer ${secret}` } })).text();
}

/** The answer; status 0 without one. Every request except a conversion is signed. */
export async function post(
  origin: string,
  agent: Agent,
  body: string,
  route = "conversions",
): Promise<{ status: number; body: string }> {
  const signature = route === "conversions" ? {} : await signConversion(body, SIGNING_SECRET);
  return new Promise((resolve) => {
    const none = () => resolve({ status: 0, body: "" });
    const sent = request(
      `${origin}/cake/${route}`,
      {
        method: "POST",
        agent,
        headers: {
          "content-type": "application/json",
          origin,
          "content-length": Buffer.byteLength(body),
          ...signature,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        response.once("end", () => resolve({ status: response.statusCode ?? 0, body: text }));
        response.once("error", none);
        response.once("aborted", none);
      },
    );
    sent.setTimeout(10_000, () => sent.destroy());
    sent.once("error", none).end(body);
  });
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
