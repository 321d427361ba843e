/** The forwarder of this package in a Node process: one shard, without a log on the terminal. Prints its address. */
import { randomUUID } from "node:crypto";
import { serveForwarder } from "../dist/entry/forwarder-node.node.js";

const [folder = "", baseUrl = ""] = process.argv.slice(2);
const server = await serveForwarder({
  folder,
  baseUrl,
  port: 0,
  shards: 1,
  apiKey: "a-key-for-the-bench",
  operatorSecret: randomUUID(),
  log: () => undefined,
});
console.log(server.origin);
