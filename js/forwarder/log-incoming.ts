/** Reports webhooks and postbacks to the log and to the operators' page. */
import type { PostbackLine, WebhookLine } from "./incoming.js";
import { callShard, type Setup } from "./setup.js";

/** Writes a line of the log, and counts it for the operators' page. */
export async function logIncoming(line: WebhookLine | PostbackLine, { options, shards }: Setup): Promise<void> {
  options.log(line);
  const of = line.event === "webhook" ? `webhooks/${line.shop}` : `postbacks/${line.postback}`;
  const word = line.code === undefined ? line.outcome : `${line.outcome}.${line.code}`;
  try {
    await callShard(async () => shards[0]?.tally(`${of}/${word}`));
  } catch {
    // The log has the line. A missing count is no reason for an error: the platform would send the webhook again.
  }
}
