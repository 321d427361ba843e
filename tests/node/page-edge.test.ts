/** The page's script and the edge pick the same click of one address: mangled addresses of every kind, by a fixed seed. */
import { expect, test, vi } from "vitest";
import { captureClick } from "../../dist/entry/edge.inline.js";

const NAMES =
  "reqid ReqID REQID click_id clickid ckm_request_id transaction_id req%69d reqid%20 +reqid reqid[] amp;reqid %20amp;reqid x utm_source Req\u0131D clic\u212aid %EF%BB%BFreqid reqid%00 r gclid id s1 to url".split(
    " ",
  );
const VALUES =
  `abc123 13b9ae60-4f60-4c9e-bf75-626dca035acf undefined null REPLACE #reqid# %23reqid%23 {clickid} "abc123" %22abc123%22 abc123/ abc123%20 %20abc123 abc123, abc123,abc123 =abc123 ==abc123 abc%2B123 a+b 0 -1 NaN %E2%80%8Babc123 abc123%E2%80%8B abc123%0A ABC_ ABC- YWJj= YWJj%3D%3D %C3%A4bc1 %E4bc %zz12345 a.b:c-d_1 ${"x".repeat(128)} ${"x".repeat(129)} ${"1".repeat(20)} [abc123] %5Babc123%5D <abc123> (abc123) %2528abc123 abc%2523 CLICK_ID 1 12 abc123. abc123; abc123: //abc123 abc123?x=1 abc123%3Fx abc123%26s1%3D5 abc123%23frag http://x.y/?reqid=zzz999 %2Fcart%3Freqid%3D111 %ef%bc%91%ef%bc%92%ef%bc%93 abc123%C2%A0 \u2019abc123\u2019 %E2%80%9Cabc123%E2%80%9D {abc123} %25abc123%25 true none void nil 123.0 1e5 'abc123' %27abc123%27 %60abc123%60 *abc123* $abc123 !abc123 @abc123 ~abc123 |abc123| %7Cabc123 abc123%7C abc123%09 abc123\\ abc123%5C &quot;abc123&quot; __abc__ __a1__ 000 -0 0_1 null1 a%01b%02 %03reqid=x1 %C2%85abc1`.split(
    " ",
  );
const SEPARATORS = "& & & ? %3F %26 ; &amp; &amp%3B && ?& %3f / # &#38; + %20&%20 , |".split(" ");
const STARTS =
  "/? /landing? /landing& /landing; /landing/? /?p=1& /?p=1? /?? /?& /landing%3F /landing%253F /?= /a/b/ /reqid= /?reqid& /?reqid=& /?reqid=undefined&".split(
    " ",
  );
const EQUALS = ["=", "=", "=", "=", "%3D", "=%20", "==", ":"];

/** Numbers below `count`, the same in each run. */
function randomOf(seed: number): (count: number) => number {
  let state = seed;
  return (count) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % count;
  };
}

test("one address has one click, in the page and at the edge", async () => {
  const location = { href: "https://shop.example/", hostname: "shop.example", protocol: "https:" };
  vi.stubGlobal("location", location);
  const document = { cookie: "", addEventListener() {} };
  vi.stubGlobal("document", document);
  vi.stubGlobal("localStorage", undefined);
  vi.stubGlobal("addEventListener", () => undefined);
  let navigated = () => {};
  const navigation = {
    currentEntry: {},
    addEventListener(_: string, listener: () => void) {
      navigated = listener;
    },
  };
  vi.stubGlobal("window", { navigation });
  const file = new URL("../../dist/page/page.js", import.meta.url).href;
  const { createTracker } = (await import(file)) as typeof import("../../js/page/index.ts");
  expect(createTracker().engine).toBe("wasm");
  // No tracker here waits to load its outbox.
  vi.stubGlobal("setTimeout", () => 0);
  const random = randomOf(7);
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const secrets = ["0123456789abcdef0123456789abcdef"];
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  const different: unknown[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    let path = pick(STARTS);
    for (let pair = random(3); pair >= 0; pair -= 1) {
      path += pick(NAMES) + pick(EQUALS) + pick(VALUES) + (pair ? pick(SEPARATORS) : "");
    }
    // A visitor of its own: nothing of the last address is left.
    document.cookie = "";
    location.href = "https://shop.example/";
    const tracker = createTracker();
    location.href = new URL(path, "https://shop.example").href;
    navigated();
    const edge = captureClick(new Request(location.href, { headers }), { secrets }).clickId;
    if (edge) found += 1;
    if (edge !== tracker.clickId) different.push({ address: location.href, page: tracker.clickId, edge });
    tracker.dispose();
  }
  vi.unstubAllGlobals();
  expect(different).toEqual([]);
  expect(found).toBeGreaterThan(ROUNDS / 4);
});

const ROUNDS = 20_000;
