/** `require` of each entry: Node 20.19 and newer can load ES modules that have no top-level await. */
const { createTrackingLink } = require("cake-edge");
require("cake-edge/page");
require("cake-edge/link");
require("cake-edge/report");
require("cake-edge/slim");
require("cake-edge/forwarder/memory");
require("cake-edge/forwarder/node");
require("cake-edge/sandbox/memory");

for (const [entry, use] of [
  ["cake-edge/forwarder", ({ createForwarder }) => createForwarder(() => ({}))],
  ["cake-edge/sandbox", ({ sandbox }) => sandbox.fetch(new Request("http://127.0.0.1/"))],
]) {
  let code = "nothing";
  try {
    use(require(entry));
  } catch (error) {
    code = `${error.code}, ${/cake-edge\/\w+\/memory/.exec(error.message)?.[0]}`;
  }
  console.log(code);
}
console.log(createTrackingLink({ domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 }));
require("./shared/server.js").walk().then(console.log);
