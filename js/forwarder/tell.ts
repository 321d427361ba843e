/** Tells the log and the operators' page of webhooks and postbacks. */
import type { PostbackLine, WebhookLine } from "./incoming.js";
import { callShard, type Setup } from "./setup.js";

/** Writes a line of the log, and counts it for the operators' page. */
export async function tell(line: WebhookLine | PostbackLine, { options, shards }: Setup): Promise<void> {
  options.log(line);
  const of = line.event === "webhook" ? `webhooks/${line.shop}` : `postbacks/${line.postback}`;
  const word = line.code === undefined ? line.outcome : `${line.outcome}.${line.code}`;
  try {
    await callShard(async () => shards[0]?.tally(`${of}/${word}`));
  } catch {
    // The log has it. A count that is missing makes no platform send once more what was taken.
  }
}
