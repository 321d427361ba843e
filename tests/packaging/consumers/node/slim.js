/** The modules from files of one's own choice: each call needs its own. */
import { readFileSync } from "node:fs";
import { createCakeClient, createTrackingLink, init, lintTrackingLink } from "cake-edge/slim";

const read = (name) => readFileSync(new URL(import.meta.resolve(`cake-edge/${name}.wasm`)));
const link = { domain: "track.yournetwork.com", affiliateId: 1, creativeId: 2 };
const calls = [
  () => createTrackingLink(link),
  () => lintTrackingLink("https://track.yournetwork.com/?a=1&c=2").length,
  () => typeof createCakeClient({ baseUrl: "http://127.0.0.1:1", apiKey: "key-of-a-test" }).getClick,
];
const tell = () => {
  for (const call of calls) {
    try {
      console.log(call());
    } catch (error) {
      console.log(error.code);
    }
  }
};
tell();
init(read("edge"));
tell();
init(read("edge"), { client: read("client"), checks: read("checks") });
tell();
