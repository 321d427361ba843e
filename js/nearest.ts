/**
 * Finds the known name that somebody probably meant: src/nearest.rs in JavaScript, for code that does not call the
 * core.
 */

/** Only small letters and digits of the name. */
function plain(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Other words for a name: those of other networks and versions, and CAKE's own wire names. */
const SYNONYMS: { readonly [plain: string]: string } = {
  orderid: "transactionid uniqueid",
  uniqueid: "transactionid",
  txnid: "transactionid uniqueid",
  txid: "transactionid",
  tid: "transactionid",
  t: "transactionid",
  transactionid: "uniqueid",
  reqid: "clickid",
  r: "clickid",
  requestid: "clickid",
  requestsessionid: "clickid",
  cid: "clickid",
  status: "conversionstatus postbackstatus domainstatus",
  type: "postbacktypeid",
  url: "postbackurl baseurl",
  domain: "baseurl",
  host: "baseurl",
  key: "apikey",
  token: "apikey",
  tz: "timezone",
  zone: "timezone",
  dryrun: "readonly",
  retry: "retries",
  affid: "affiliateid",
  aff: "affiliateid",
  a: "affiliateid",
  c: "creativeid",
  o: "offerid",
  oid: "offerid",
  e: "eventid",
  ckmrdr: "deeplink",
  p: "priceformat",
  from: "startdate since",
  since: "startdate",
  to: "enddate",
  until: "enddate",
  startdate: "since from",
  start: "from",
  end: "to",
  enddate: "to",
  limit: "rowlimit",
  pagesize: "rowlimit",
  offset: "startatrow",
  orderby: "sortfield",
  sortby: "sortfield",
  desc: "sortdescending",
  descending: "sortdescending",
  date: "conversiondate",
  qty: "quantity",
  total: "ordertotal",
  params: "parameters",
  cookiedomain: "domain",
  cookiedays: "windowdays",
  filename: "name",
  charset: "encoding",
  separator: "delimiter",
  sep: "delimiter",
  dateformat: "dates",
  hosts: "allowedhosts",
  seed: "fixture",
  days: "retentiondays",
  webhooksecret: "signingsecrets",
  group: "by",
  order: "sort",
};

/**
 * The nearest of the known names, if one is near. It is near in these cases:
 *
 * - only case and separators differ (`click_id` for `clickId`)
 * - it is another network's name for a sub id (`subId1` for `s1`)
 * - one name is part of the other
 * - a few letters differ
 */
export function findNearest(given: string, known: Iterable<string>): string | undefined {
  const wrong = plain(given.slice(0, 64));
  const subId = wrong.replace(/^(?:subid|sub|affsubid|affsub|subaff|subacc)(\d?)$/, (_, digit) => `s${digit || "1"}`);
  const synonyms = Object.hasOwn(SYNONYMS, wrong) ? (SYNONYMS[wrong] ?? "").split(" ") : [];
  let nearest: string | undefined;
  let least: readonly [number, number] = [Infinity, Infinity];
  for (const name of known) {
    const right = plain(name);
    const shorter = Math.min(wrong.length, right.length);
    const longer = Math.abs(right.length - wrong.length);
    const isLong = shorter >= 3 || (shorter === 2 && longer === 1);
    const isPart = isLong && (right.startsWith(wrong) || wrong.startsWith(right));
    const far =
      right === wrong || right === subId || synonyms.includes(right) ? 0 : isPart ? 1 : 2 * distance(wrong, right);
    const isNear = far <= 1 || Math.floor(far / 2) <= Math.floor(shorter / 3);
    if (isNear && (far < least[0] || (far === least[0] && longer < least[1]))) {
      nearest = name;
      least = [far, longer];
    }
  }
  return nearest;
}

/** The number of letters to change, add, leave out, or swap with a neighbour (optimal string alignment). */
function distance(one: string, other: string): number {
  let twoBefore: number[] = [];
  let before = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row += 1) {
    const line = [row];
    for (let column = 1; column <= other.length; column += 1) {
      const isSame = one[row - 1] === other[column - 1];
      const isSwapped = one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      line[column] = Math.min(
        (before[column - 1] ?? 0) + (isSame ? 0 : 1),
        (before[column] ?? 0) + 1,
        (line[column - 1] ?? 0) + 1,
        isSwapped ? (twoBefore[column - 2] ?? Infinity) + 1 : Infinity,
      );
    }
    twoBefore = before;
    before = line;
  }
  return before[other.length] ?? 0;
}
