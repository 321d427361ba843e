/** The route of networks' and form tools' postbacks: a GET or a form with the sender's own names. */
import { call, isCakeError } from "../error.js";
import { checkMethod, errorOf, failure, json, partsOf, Refusal, statusOf } from "./answer.js";
import { readBody } from "./body.js";
import type { IncomingOutcome } from "./incoming.js";
import { logIncoming } from "./log-incoming.js";
import type { Setup } from "./setup.js";
import type { Acceptance, Intake } from "./shard.js";

const FORM = /^application\/x-www-form-urlencoded\s*(;|$)/i;

/** Answers `postback/NAME` and `postback/NAME/SECRET`: with `OK`, or with JSON if the request asks for it. */
export async function handlePostback(request: Request, rest: string, setup: Setup, intake: Intake): Promise<Response> {
  const answer = await (async () => {
    try {
      return await answerOf(request, rest, setup, intake);
    } catch (thrown) {
      return failure(thrown);
    }
  })();
  if (/\bapplication\/json\b/i.test(request.headers.get("accept") ?? "")) return answer;
  const { error } = (await answer.json()) as { error?: { code: string; rule: string; parameter?: string } };
  const words = error && [`${error.code}:`, error.parameter, error.rule].filter((word) => word).join(" ");
  const headers = new Headers(answer.headers);
  headers.set("content-type", "text/plain; charset=utf-8");
  return new Response(words ?? "OK", { status: answer.status, headers });
}

async function answerOf(request: Request, rest: string, setup: Setup, intake: Intake): Promise<Response> {
  const [name = "", ...segments] = rest.split("/");
  const segment = segments.join("/");
  const postback = setup.options.postbacks.get(name);
  if (postback === undefined) throw new Refusal("not_found", "unknown postback: see the option postbacks");
  checkMethod(request, ["GET", "POST"]);
  const isForm = request.method === "POST";
  if (isForm && !FORM.test(request.headers.get("content-type") ?? "")) {
    throw new Refusal("unsupported_type", "the content type must be application/x-www-form-urlencoded");
  }
  const query = new URL(request.url).search.slice(1);
  const form = isForm ? await readBody(request) : "";
  const logOutcome = (outcome: IncomingOutcome, more: { code?: string; id?: string } = {}) =>
    logIncoming({ event: "postback", postback: name, outcome, ...more }, setup);
  let conversion: string | undefined;
  let result: Acceptance;
  try {
    conversion = call(() => postback.reader().read(decoded(segment), query, form));
    if (conversion === undefined) {
      await logOutcome("secret_refused");
      throw new Refusal("secret_refused", "the request has none of this postback's secrets, or its signature is wrong");
    }
    const { formerOf } = await setup.ids();
    const former = postback.readersUnder(formerOf(postback.sender));
    const readings = former.map((reader) => () => reader().read(decoded(segment), query, form));
    result = await convert(conversion, readings, intake);
  } catch (thrown) {
    if (!isCakeError(thrown) || thrown.code === "internal") throw thrown;
    await logOutcome("refused", { code: thrown.code });
    // The error uses the sender's names.
    const error = partsOf(thrown);
    return json(400, { error: { ...error, parameter: postback.map[error.parameter ?? ""] ?? error.parameter } });
  }
  if ("refusal" in result) {
    const { refusal } = result;
    await logOutcome("refused", { code: refusal });
    const rule =
      refusal === "conversion_conflict"
        ? "this id was accepted with other values"
        : "too many conversions wait: try again later";
    return json(statusOf(refusal), { error: errorOf(refusal, rule) });
  }
  const { id, state, duplicate } = result;
  await logOutcome(duplicate ? "duplicate" : "accepted", { id });
  return json(200, { id, state, duplicate });
}

/** Accepts a conversion, unless it was accepted under settings of before, by which `readings` read the request. */
async function convert(
  conversion: string,
  readings: readonly (() => string | undefined)[],
  intake: Intake,
): Promise<Acceptance> {
  const over: string[] = [];
  for (const read of readings) {
    const key = keyOf(read, intake);
    const own = intake.keyOf(conversion);
    if (key === undefined || (key.offerId === own.offerId && key.uniqueId === own.uniqueId)) continue;
    const asked = await intake.updateOrder({ ...key, platform: "", facts: "", isMapped: false, ifUnknown: "known" });
    if ("refusal" in asked) return asked;
    const known = asked.settled?.conversion;
    if (asked.settled?.isKnown !== true) continue;
    if (known === undefined) return { ...asked, duplicate: true };
    // A parameter of before may have been no unique id, so the click must be the same.
    if (known.isOfOtherClick) continue;
    if (!known.isUnrecorded) return { id: known.id, state: known.state, duplicate: true };
    if (known.state !== "cancelled") over.push(known.id);
  }
  const result = await intake.convert(conversion);
  // What CAKE has refused under a key of before is not sent again besides.
  if (!("refusal" in result)) for (const id of over) await intake.withdraw(id);
  return result;
}

/** The key of a request by settings of before; `undefined` where it makes no conversion by them. */
function keyOf(read: () => string | undefined, intake: Intake): ReturnType<Intake["keyOf"]> | undefined {
  try {
    return intake.keyOf(call(read) ?? "");
  } catch (thrown) {
    if (isCakeError(thrown) && thrown.code !== "internal") return undefined;
    throw thrown;
  }
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
