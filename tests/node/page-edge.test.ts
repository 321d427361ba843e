/** The page's script and the edge pick the same click of one address: mangled addresses of every kind, by a fixed seed. */
import { afterEach, expect, test, vi } from "vitest";
import { captureClick } from "../../dist/entry/edge.inline.js";
import type { TrackerOptions } from "../../js/page/index.ts";
import { openPage } from "./page-file.ts";

afterEach(() => vi.unstubAllGlobals());

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

/** What the page's script and the edge take from an address, each for a new visitor. */
function openBoth() {
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
  expect(openPage().createTracker().engine).toBe("wasm");
  // No tracker here waits to load its outbox.
  vi.stubGlobal("setTimeout", () => 0);
  const secrets = ["0123456789abcdef0123456789abcdef"];
  const headers = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" };
  return (path: string, options?: TrackerOptions, earlier?: string) => {
    // A visitor of its own: nothing of the last address is left.
    document.cookie = "";
    location.href = `https://shop.example/${earlier ?? ""}`;
    const tracker = openPage().createTracker(options);
    location.href = new URL(path, "https://shop.example").href;
    navigated();
    const page = tracker.clickId;
    const edge = captureClick(new Request(location.href, { headers }), { secrets }).clickId;
    tracker.dispose();
    return { address: location.href, page, edge };
  };
}

test("one address has one click, in the page and at the edge", async () => {
  const take = openBoth();
  const random = randomOf(7);
  const pick = (list: readonly string[]) => list[random(list.length)] as string;
  const different: unknown[] = [];
  let found = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    let path = pick(STARTS);
    for (let pair = random(3); pair >= 0; pair -= 1) {
      path += pick(NAMES) + pick(EQUALS) + pick(VALUES) + (pair ? pick(SEPARATORS) : "");
    }
    const taken = take(path);
    if (taken.edge) found += 1;
    if (taken.edge !== taken.page) different.push(taken);
  }
  expect(different).toEqual([]);
  expect(found).toBeGreaterThan(ROUNDS / 4);
});

const ROUNDS = 20_000;

const ID = "13b9ae60-4f60-4c9e-bf75-626dca035acf";

/** As many pairs as fit into so many characters: none takes more of the core's input. */
const pairs = (characters: number) => "&a".repeat(characters / 2);

test("a long address has the click that the edge finds in it", async () => {
  const take = openBoth();
  for (const length of [7_900, 7_970, 7_985, 8_000, 8_100, 16_000, 29_900]) {
    for (const path of [
      `/?gad=${"y".repeat(length)}&reqid=${ID}`,
      `/?gad=${"%C3%BC".repeat(length / 6)}&reqid=${ID}`,
      `/?${pairs(length)}&reqid=${ID}`,
      `/${"y".repeat(length)}%26reqid=${ID}`,
    ]) {
      expect(take(path), path.slice(0, 20)).toMatchObject({ page: ID, edge: ID });
    }
    expect(take(`/?x=${"y".repeat(length)}#reqid=${ID}`, { fragment: true }).page).toBe(ID);
  }
});

test("behind the characters that a page reads it takes no click, and never half of one", async () => {
  const take = openBoth();
  const found = new Set<string | undefined>();
  for (const [before, after] of [
    ["/?gad=", `&reqid=${ID}&x=1`],
    ["/?gad=", `&click_id=%22${ID}%22`],
    ["/?gad=", `%26amp;reqid=111${ID}`],
    ["/?gad=", "&reqid=111%2C&x=1"],
    ["/", `&reqid=${ID}`],
  ]) {
    for (let length = 29_920; length < 30_020; length += 1) {
      const { page, edge } = take(before + "y".repeat(length) + after, {}, "?reqid=earlier-1");
      if (page !== edge) expect(page).toBe("earlier-1");
      found.add(page);
    }
  }
  expect([...found].sort()).toEqual(["111", `111${ID}`, ID, "earlier-1"].sort());
});

test("a click is kept whatever the length of a later address", async () => {
  const take = openBoth();
  const earlier = `?reqid=${ID}&s1=${"s".repeat(50)}`;
  for (const length of [8_000, 29_000, 30_000, 100_000, 1_000_000]) {
    for (const text of [pairs(length), "y".repeat(length), "%20".repeat(length / 3), ";".repeat(length)]) {
      expect(take(`/?a=1${text}`, {}, earlier).page, `${length} ${text.slice(0, 3)}`).toBe(ID);
    }
    expect(take(`/?reqid=abc-1&x=${"y".repeat(length)}`, {}, earlier).page).toBe("abc-1");
  }
});
