/** Answers of CAKE, its web server and the systems in front of it, grouped by their meaning for a conversion. */
import type { Reply } from "./reply.ts";

type Named = readonly (readonly [name: string, reply: Reply])[];

const PAGE = "<!doctype html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>";
const SOAP =
  '<?xml version="1.0"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault><faultcode>soap:Server</faultcode></soap:Fault></soap:Body></soap:Envelope>';
const json = (body: unknown, more: Reply = {}): Reply => ({ body: JSON.stringify(body), ...more });
const success = (conversion: unknown): Reply => json({ request_status: "Success", conversion });

/** Neither yes nor no: the outcome of a write is unknown, and a person should look at it. */
export const UNCLEAR: Named = [
  ["a page of HTML", { body: PAGE, type: "text/html" }],
  ["a page of HTML that calls itself JSON", { body: PAGE }],
  ["a page that speaks of success and an API key", { body: "<html>success: your API key</html>", type: "text/html" }],
  ["an empty body", { body: "" }],
  ["white space", { body: " \r\n\t" }],
  ["a byte order mark and nothing more", { body: "", mark: true }],
  ["a word", { body: "OK", type: "text/plain" }],
  ["null", { body: "null" }],
  ["true", { body: "true" }],
  ["a number", { body: "7" }],
  ["a text", json("Success")],
  ["an empty list", json([])],
  ["an empty object", json({})],
  ["an object in a list", json([{ request_status: "Success", conversion: { conversion_id: 7 } }])],
  ["ASP.NET's d with nothing in it", json({ d: null })],
  ["ASP.NET's d with a text", json({ d: "Success" })],
  ["ASP.NET's Message", json({ Message: "An error has occurred." })],
  ["a SOAP fault", { body: SOAP, type: "text/xml" }],
  ["JSON that ends too soon", { body: '{"request_status":"Success","conversion":{"conversion_id":99' }],
  ["JSON with something behind it", { body: '{"request_status":"Success","conversion":{"conversion_id":7}}<!-- -->' }],
  ["Success alone", json({ request_status: "Success" })],
  ["success: true alone", json({ success: true })],
  ["Success and a message", json({ success: true, message: "Success" })],
  ["Success with null", success(null)],
  ["Success with an empty record", success({})],
  ["Success with a list", success([])],
  ["Success with a text", success("998877")],
  ["Success with the conversion id 0", success({ conversion_id: 0 })],
  ['Success with the conversion id "0"', success({ conversion_id: "0" })],
  ["Success with the conversion id null", success({ conversion_id: null })],
  ["Success with an empty conversion id", success({ conversion_id: "" })],
  ["Success with a conversion id below 0", success({ conversion_id: -1 })],
  ["Success with a conversion id that is a word", success({ conversion_id: "undefined" })],
  ["Success with a conversion id of another kind", success({ conversion_id: { id: 7 } })],
  ["Success with a fraction of a conversion id", success({ conversion_id: 7.5 })],
  ["a flat conversion id 0", json({ request_status: "Success", conversion_id: 0 })],
  ["no UTF-8", { body: '{"request_status":"Success","message":"ü"}', encoding: "latin1" }],
  ["UTF-16", { body: '{"request_status":"Success"}', encoding: "utf16le", mark: true }],
  ["a redirect to a page", { status: 302, headers: { location: "/login?from=api" } }],
  ["a redirect for ever", { status: 301, headers: { location: "https://nobody.invalid/" } }],
  ["a redirect that keeps the method", { status: 307, headers: { location: "/elsewhere" } }],
  ["a redirect without a target", { status: 303 }],
  ["a redirect that is permanent and keeps the method", { status: 308, headers: { location: "/signin" } }],
  ["a redirect with Success in it", { ...success({ conversion_id: 7 }), status: 302, headers: { location: "/login" } }],
  ["a choice of addresses", { status: 300 }],
  ["304", { status: 304 }],
  ["204", { status: 204 }],
  ["a page of HTML with 202", { status: 202, body: PAGE, type: "text/html" }],
  ["a list of two records", json([{ conversion_id: 7 }, { conversion_id: 8 }])],
  ["words of another case without a record", { body: '{"REQUEST_STATUS":"SUCCESS"}' }],
  ["yes and no", json({ success: true, request_status: "Failure" })],
  ["a no with a record", json({ success: false, conversion: { conversion_id: 7 } })],
  ["yes and then no under one name", { body: '{"success":true,"success":false,"conversion":{"conversion_id":7}}' }],
  [
    "no and then yes under one name",
    { body: '{"request_status":"Failure","request_status":"Success","conversion":{"conversion_id":7}}' },
  ],
  ["two conversion ids", { body: '{"request_status":"Success","conversion":{"conversion_id":7,"conversion_id":8}}' }],
  ["a conversion id around another", json({ success: true, conversion_id: 7, conversion: { conversion_id: 8 } })],
  ["the record of another click", success({ conversion_id: 7, click_id: "00000000-0000-4000-8000-000000000000" })],
  ["the record of another offer", success({ conversion_id: 7, offer_id: 4_040_404 })],
  ["the record of another offer, named in it", success({ conversion_id: 7, offer: { offer_id: 4_040_404 } })],
  ["a record beside another offer", json({ success: true, conversion: { conversion_id: 7 }, offer_id: 4_040_404 })],
  [
    "a record beside another unique id",
    json({ success: true, conversion: { conversion_id: 7 }, unique_id: "NOT-OURS" }),
  ],
  ["a record of two offers", success({ conversion_id: 7, offer_id: 12_345, offer: { offer_id: 4_040_404 } })],
  ["400 with a yes in it", json({ request_status: "Success" }, { status: 400 })],
  ["404 with a record", json({ conversion_id: 7 }, { status: 404 })],
  ["403 with a record", { ...success({ conversion_id: 7 }), status: 403 }],
  ["409 with a no and a record", json({ success: false, conversion: { conversion_id: 7 } }, { status: 409 })],
  // A limit says that CAKE has not looked at it, the record that it has.
  ["429 with a yes and a record", { ...success({ conversion_id: 7 }), status: 429 }],
  ["429 with a record", json({ conversion_id: 7 }, { status: 429 })],
  ["429 with a status of success", json({ status: "success" }, { status: 429 })],
  ["400 with ok: true", json({ ok: true }, { status: 400 })],
  [
    "429 with a record as the text of JSON",
    json(JSON.stringify({ conversion: { conversion_id: 7 } }), { status: 429 }),
  ],
  ["400 that breaks off behind Success", { status: 400, body: '{"request_status":"Success","conv' }],
  ["a duplicate beside a yes, with 409", json({ success: true, message: "Duplicate transaction" }, { status: 409 })],
  ["425 with a yes and a record", { ...success({ conversion_id: 7 }), status: 425 }],
  ["Restricted with a record", json({ request_status: "Restricted", conversion: { conversion_id: 7 } })],
  ["success that is neither yes nor no", json({ success: "perhaps", conversion: { conversion_id: 7 } })],
  ["a record that says no", success({ conversion_id: 7, success: false, message: "Invalid Disposition ID" })],
  ["a record beside an error", json({ request_status: "Success", error: "Timeout", conversion: { conversion_id: 7 } })],
  ["a record of another session", success({ conversion_id: 7, reqsessid: "00000000-0000-4000-8000-000000000000" })],
  ["409 with a record in a list", json({ conversions: [{ conversion: { conversion_id: 7 } }] }, { status: 409 })],
  ["429 with a list of one record", json([{ conversion_id: 7 }], { status: 429 })],
  ["a duplicate of another click", json({ success: false, message: "Duplicate transaction", click_id: "zzz" })],
];

/** No answer, or half of one: also unknown, but no person is needed at once. */
export const LOST: Named = [
  ["a reset connection", { wire: "reset" }],
  ["silence", { wire: "silent" }],
  ["a body that stalls", { wire: "stalls" }],
  ["a body that is cut off", { wire: "truncated" }],
  ["a body without an end", { wire: "endless" }],
  ["bytes that are no HTTP", { wire: "garbage" }],
  ["500", { status: 500 }],
  ["500 with a page", { status: 500, body: PAGE, type: "text/html" }],
  ["500 with Success in it", { status: 500, body: '{"request_status":"Success","conversion":{"conversion_id":7}}' }],
  ["502", { status: 502 }],
  ["503", { status: 503 }],
  ["504", { status: 504 }],
  ["520", { status: 520 }],
  ["408", { status: 408 }],
  ["501", { status: 501 }],
  ["507", { status: 507 }],
  ["511 with a page", { status: 511, body: PAGE, type: "text/html" }],
  ["522", { status: 522 }],
  ["524", { status: 524 }],
  ["599", { status: 599 }],
  ["500 with a no in it", { status: 500, body: '{"success":false,"message":"Offer is closed"}' }],
  ["503 that says when", { status: 503, headers: { "retry-after": "1" } }],
  ["a packed body that is none", { body: "no gzip at all", headers: { "content-encoding": "gzip" } }],
];

/** CAKE has not processed the conversion: it is not recorded, and to be sent again. */
export const LATER: Named = [
  ["429", { status: 429 }],
  ["429 with a moment to wait", { status: 429, headers: { "retry-after": "1" } }],
  ["429 with a fraction of a second", { status: 429, headers: { "retry-after": "1.5" } }],
  ["429 with less than nothing", { status: 429, headers: { "retry-after": "-5" } }],
  ["429 with a date that is over", { status: 429, headers: { "retry-after": "Sun, 06 Nov 1994 08:49:37 GMT" } }],
  ["429 with a word", { status: 429, headers: { "retry-after": "soon" } }],
  ["429 with nothing in its wait", { status: 429, headers: { "retry-after": "" } }],
  ["429 with a no in it", { status: 429, body: '{"success":false,"message":"Offer is closed"}' }],
  ["425", { status: 425 }],
  ["restricted in lower case", { body: "restricted.", type: "text/plain" }],
  ["Restricted, with a byte order mark", { body: "Restricted", type: "text/plain", mark: true }],
  ["Restricted, a text in JSON", json("Restricted")],
  ["Restricted as the status", json({ request_status: "Restricted" })],
  ["Restricted in ASP.NET's d", json({ d: { success: false, message: "Restricted" } })],
  ["Restricted", { body: "Restricted", type: "text/plain" }],
  ["Restricted with 400", { status: 400, body: "Restricted", type: "text/plain" }],
  ["Restricted in JSON with 422", json({ success: false, message: "Restricted" }, { status: 422 })],
  ["Restricted in JSON", json({ success: false, message: "Restricted" })],
];

/** A no to this conversion only. */
export const NO: Named = [
  ["a no with a message", json({ success: false, message: "Offer is closed" })],
  ["a no with a byte order mark", json({ success: false, message: "Offer is closed" }, { mark: true })],
  ["a no of a page's type", json({ success: false, message: "Offer is closed" }, { type: "text/html" })],
  ["a no without a message", json({ success: false })],
  ["a failed request", json({ request_status: "Failure" })],
  ["400", { status: 400 }],
  ["400 with JSON", json({ message: "Invalid click_id" }, { status: 400 })],
  ["409", { status: 409 }],
  ...[402, 405, 406, 410, 411, 412, 413, 414, 415, 418, 422, 423, 424, 428, 431, 451].map(
    (status): readonly [string, Reply] => [String(status), { status }],
  ),
  ["a no in upper case", { body: '{"SUCCESS":"FALSE","MESSAGE":"Offer is closed"}' }],
  ["a no in ASP.NET's d", json({ d: { success: false, message: "Offer is closed" } })],
  ["a no in ASP.NET's d, as a text", json({ d: '{"success":false,"message":"Offer is closed"}' })],
  ["a failed request in lower case", json({ request_status: "failure", message: "Offer is closed" })],
  // Each text has a word about keys, authorization or duplicates that does not concern this key or this transaction.
  ...[
    "Unauthorized affiliate for this offer",
    "Affiliate Not Authorized for Campaign",
    "Affiliate is not authorized to run this offer",
    "Affiliate unauthorized",
    "Affiliate has already reached its daily cap",
    "Offer has already expired",
    "Campaign is already paused",
    "Advertiser already exists under another name",
    "Duplicate payout rule on offer 12345",
    "Conversions are recorded for active offers only",
    "Transaction was not recorded",
    "Conversion already exists for this click",
    "A conversion already exists for this click and offer",
    "Conversion already exists in this period; cap reached",
    "Duplicate conversion",
    "This conversion is a duplicate",
    "Duplicate transaction: SOME-OTHER-ORDER-2",
    "Transaction SOME-OTHER-ORDER-2 is a duplicate",
    "Unique id SOME-OTHER-ORDER-2 already used",
    "This click is not a duplicate but has no offer",
  ].map((message): readonly [string, Reply] => [`the no "${message}"`, json({ success: false, message })]),
];

/** A no to the key itself. */
export const KEY: Named = [
  ...["Invalid API Key", "Invalid API key.", "invalid_api_key", "API key is invalid", "Invalid ApiKey"].map(
    (message): readonly [string, Reply] => [`"${message}"`, json({ success: false, message })],
  ),
  ["401", { status: 401 }],
  ["403", { status: 403 }],
];

/** This very transaction is known already. */
export const DUPLICATE = [
  "Duplicate unique_id",
  "Duplicate transaction",
  "Duplicate transaction id",
  "This transaction is a duplicate",
  "Transaction ID already exists",
  "Unique id already recorded",
] as const;

const record = '"conversion_id":#conversion_id#,"click_id":"#click_id#","unique_id":"#unique_id#"';

/** A yes, in every form. */
export const YES: Named = [
  ["nested", { body: `{"request_status":"Success","conversion":{${record}}}` }],
  ["flat", { body: `{"request_status":"Success",${record}}` }],
  ["with success: true", { body: `{"success":true,"conversion":{${record}}}` }],
  ["without a word of success", { body: `{"conversion":{${record}}}` }],
  ["with an id as text", { body: '{"request_status":"Success","conversion":{"conversion_id":"#conversion_id#"}}' }],
  [
    "with an id that ends in .0",
    { body: '{"request_status":"Success","conversion":{"conversion_id":#conversion_id#.0}}' },
  ],
  ["with a byte order mark", { body: `{"request_status":"Success","conversion":{${record}}}`, mark: true }],
  ["with white space around", { body: `\r\n {"request_status":"Success","conversion":{${record}}}\r\n` }],
  [
    "of a page's type",
    { body: `{"request_status":"Success","conversion":{${record}}}`, type: "text/html; charset=utf-8" },
  ],
  ["of no type", { body: `{"request_status":"Success","conversion":{${record}}}`, type: "" }],
  ["in lower case", { body: `{"request_status":"success","conversion":{${record}}}` }],
  ["in upper case", { body: '{"REQUEST_STATUS":"SUCCESS","CONVERSION":{"CONVERSION_ID":#conversion_id#}}' }],
  ["in .NET's case", { body: '{"Success":"True","Conversion":{"ConversionId":"#conversion_id#"}}' }],
  ["in ASP.NET's d", { body: `{"d":{"request_status":"Success","conversion":{${record}}}}` }],
  ["packed", { body: `{"request_status":"Success","conversion":{${record}}}`, wire: "gzip" }],
  ["in pieces", { body: `{"request_status":"Success","note":"ünïcödé","conversion":{${record}}}`, wire: "chunked" }],
  ["with 201", { status: 201, body: `{"request_status":"Success","conversion":{${record}}}` }],
].map(([name, reply]) => [name as string, { records: true, ...(reply as Reply) }] as const);

/** Answers of `p.ashx`, with their meanings. */
export const PIXEL: readonly (readonly [
  said: string,
  means: "delivered" | "refused" | "not delivered",
  more: Reply,
])[] = [
  ["SUCCESS", "delivered", {}],
  ["SUCCESS\r\n", "delivered", {}],
  [" SUCCESS ", "delivered", {}],
  ["SUCCESS", "delivered", { mark: true }],
  ["SUCCESS", "delivered", { type: "text/html" }],
  ["UNSUCCESSFUL", "not delivered", {}],
  ["NO SUCCESS", "not delivered", {}],
  ["SUCCESSFULLY REFUSED", "not delivered", {}],
  ["SUCCESS_URL", "not delivered", {}],
  ["SUCCESS: 998877", "delivered", {}],
  ["SUCCESS 998877", "delivered", {}],
  ["Success - 998877", "delivered", {}],
  ["SUCCESS -1", "not delivered", {}],
  ["SUCCESS:0", "not delivered", {}],
  ["SUCCESS=0", "not delivered", {}],
  ["SUCCESS?", "not delivered", {}],
  ["SUCCESS", "not delivered", { status: 429 }],
  ["FAILURE", "refused", {}],
  ["FAILURE: not SUCCESS", "refused", {}],
  ["FAILURE\r\nSUCCESS is near", "refused", {}],
  ["FAILURE: Invalid r", "refused", {}],
  [
    "<html><body>We are back soon. <a href='SUCCESS_URL'>SUCCESS_URL</a></body></html>",
    "not delivered",
    { type: "text/html" },
  ],
  ["<html><body>SUCCESS</body></html>", "not delivered", { type: "text/html" }],
  ["<!-- SUCCESS -->", "not delivered", {}],
  ['{"success":false,"message":"SUCCESS is not for you"}', "not delivered", {}],
  ["", "not delivered", {}],
  ["SUCC", "not delivered", {}],
];
