/**
 * Puts the click id into the shop's order: a cart's attribute, a form's hidden field, Stripe's reference, or a token
 * for a sandboxed frame. Loaded on first use.
 */
import { CakeError } from "../error.js";
import { refuse } from "../option.js";
import { call, nameOf, own } from "./decorate.js";
import { checkNames } from "./names.js";
import type { AttachOptions, Consent, Reason } from "./options.js";
import { attempt, keysOf, later, now, read, remove, store, TOKEN } from "./store.js";

/** The part of its tracker that an attachment uses. */
export interface Attached {
  /** The address that takes conversions. */
  readonly url: string;
  /** Is the click id in the cookie of the site's own Worker, where no script sees it? */
  readonly isEdge?: boolean | undefined;
  /** Has the tracker ended? Then nothing more is attached; a no still takes away what is. */
  isDisposed?: boolean;
  findClick(): string | undefined;
  said(): Consent;
  note(reason: Reason | string): void;
  report(error: CakeError): void;
  /** Does the text stand for a missing value? */
  isMissing(text: string): boolean;
  withFile(name: "decorate", use: (file: typeof import("./decorate.js")) => void): Promise<unknown>;
}

/** The text that was there before ours, none if there was none, and ours. A copy's has no writer. */
interface Written {
  readonly before: string | null;
  readonly after: string;
  readonly by?: Attached;
}

/** Where an element remembers what was written into it: all trackers of a page know it there. */
const WRITTEN = Symbol.for("cake-edge");
type Marked = { [WRITTEN]?: Written | undefined };

/** The attribute that says the same in a copy, such as a router's snapshot or markup that is read and written. */
const COPIED = "data-cake-edge";

/**
 * The site's own text where the present one is this tracker's, a disposed one's, or a copy's. The text of another
 * tracker of the page is as the site's: two trackers that replace each other's would never end.
 */
function ownText(element: Element, present: string | null, page: Attached): string | null {
  const copied = attempt((): Written => JSON.parse(element.getAttribute(COPIED) as string));
  const written = [(element as Marked)[WRITTEN], copied].find((each) => each?.after === present);
  const { by = page } = written ?? {};
  return written && (by === page || by.isDisposed) ? written.before : present;
}

/** Remembers that this text is the tracker's, and replaces the present one. */
function remember(element: Element, present: string | null, after: string, by: Attached): void {
  const before = ownText(element, present, by);
  (element as Marked)[WRITTEN] = { before, after, by };
  element.setAttribute(COPIED, JSON.stringify({ before, after }));
}

/** Forgets what was written, where it was taken away. */
function forget(element: Element): void {
  delete (element as Marked)[WRITTEN];
  element.removeAttribute(COPIED);
}

/** `id` is the click id to attach; `undefined` removes it, if the visitor said no. */
type Update = (id: string | undefined) => void;

/**
 * The state of an attachment in this browser. It is no click id. After the visitor's no it stays until the removal is
 * done.
 */
const MARK = "cake_attached:";

/** The state from a request until its answer: what the cart has is unknown. */
const SENT = " ";

/** How long a cart counts as the same one, if its cookie cannot be seen. */
const CART_MS = 1_800_000;

/** How long a visitor without a click is not asked about again. */
const NO_CLICK_MS = 1_800_000;

/** A token with less than this left is renewed. */
const TOKEN_LEFT_MS = 600_000;

/** How often an open page checks its token. */
const LOOK_MS = 300_000;

/** When an open page tries again after a failure. */
const RETRY_MS = 10_000;
const RETRIES = 3;

/** When an open page looks for another tab's click: it comes back to the visitor, or is about to be used. */
const NEWS = ["submit", "focus", "visibilitychange", "pageshow", "storage"];

/** The hosts of Stripe's payment links: to buy, to book, to donate. */
const STRIPE = ["buy.stripe.com book.stripe.com donate.stripe.com"];

/** In these letters it is ours. */
const AUTOCOMPLETE = "autocomplete";
const OFF = "OFF";

/** The references that Stripe takes; it drops any other. */
const REFERENCE = /^[\w-]{1,200}$/;

/** The options of each kind of attachment. */
const OWN: Readonly<Record<AttachOptions["to"], string>> = {
  shopify: "name",
  woocommerce: "name selector",
  form: "name selector",
  stripe: "hosts",
  frame: "offerId",
};

/**
 * Attaches from now on. Returns the function to call when the click id or the consent may have changed.
 *
 * @throws CakeError `invalid_field` for an unknown option or a wrong value
 */
export function attach(how: AttachOptions, page: Attached, more?: unknown): () => void {
  checkNames(how, `to ${attempt(() => OWN[how.to]) ?? "name selector hosts offerId"}`, more);
  const { to } = how;
  const selector = how.selector ?? (to === "form" ? "" : "form.checkout, form.woocommerce-checkout");
  const name = nameOf("name", how.name);
  const fill = () => fields(selector, name, page);
  const kinds: Readonly<Record<AttachOptions["to"], () => Update>> = {
    shopify: () => cart(name, page),
    woocommerce: fill,
    form: fill,
    stripe: () => stripe(how.hosts, page),
    frame: () => token(how.offerId, page),
  };
  if (!Object.hasOwn(kinds, to)) refuse("to", `must be one of ${Object.keys(kinds).join(", ")}`);
  // A wrong selector throws.
  if (!attempt(() => call(document, "querySelectorAll", selector))) refuse("selector", "must be a CSS selector");
  const update = kinds[to]();
  const look = () => {
    const said = page.said();
    // While consent is pending, nothing is attached or removed.
    if (said === "denied") attempt(() => update(undefined));
    else if (said === "granted" && !page.isDisposed) attempt(() => update(page.findClick()));
  };
  look();
  // Another tab may have kept a click meanwhile. In the capturing phase, a form still takes it.
  const lookIfSeen = (event: Event) => {
    // A frame that takes the token away, after a no or a sale, means it: no other tab puts it back for that.
    if ((event as StorageEvent).key === TOKEN) return;
    if (page.isDisposed) removeEventListener(event.type, lookIfSeen, true);
    // Not while the page is being left: the next page looks for itself.
    else if (document.visibilityState !== "hidden") look();
  };
  for (const type of NEWS) attempt(() => addEventListener(type, lookIfSeen, true));
  return look;
}

/** Runs one request at a time, with the last wish last, and retries a failed one. The next page retries too. */
function oneByOne(work: () => Promise<boolean>, note: Attached["note"]): () => void {
  let isBusy = false;
  let isWanted = false;
  let failures = 0;
  const run = async () => {
    isWanted = true;
    if (isBusy) return;
    isBusy = true;
    while (isWanted) {
      isWanted = false;
      const isDone = await work().catch(() => false);
      if (isDone) failures = 0;
      else {
        note("network");
        failures += 1;
        if (failures <= RETRIES) later(run, RETRY_MS);
      }
    }
    isBusy = false;
  };
  return () => void run();
}

/** The attributes that this page attaches to the cart: others are left by pages that had another name for it. */
const attributes: [key: string, page: Attached][] = [];

/** An attribute of the cart, by Shopify's AJAX API. The order has it in `note_attributes`. */
function cart(name: string, page: Attached): Update {
  const { said, note } = page;
  const prefix = `${MARK}shopify`;
  const key = `${prefix}:${name}`;
  attributes.push([key, page]);
  /** Also in memory, in case nothing can be stored. */
  let mark = read(key);
  let wanted: string | undefined;
  const cartToken = () => /(?:^|;\s*)cart=([^;?]+)/.exec(attempt(() => document.cookie) ?? "")?.[1] ?? "";
  const isAttached = () => {
    const [id, cart, at] = mark.split(" ");
    const isSameCart = cart ? cart === cartToken() : now() - Number(at) < CART_MS;
    return id === wanted && isSameCart;
  };
  const post = async (keys: readonly string[], id: string | null): Promise<boolean> => {
    // The shop's own root, which contains the language: /de/.
    const root = (window as { Shopify?: { routes?: { root?: string } } }).Shopify?.routes?.root ?? "/";
    // A key without a name is of an earlier release.
    const old = keys.map((key) => [key.slice(prefix.length + 1) || name, null]);
    const wanted = Object.fromEntries([...old, ...(id ? [[name, id]] : [])]) as Record<string, string | null>;
    const response = await fetch(`${root}cart/update.js`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify({ attributes: wanted }),
      keepalive: true,
    });
    const { attributes } = (await response.json()) as { attributes?: Record<string, unknown> };
    const isDone =
      response.ok && Object.entries(wanted).every(([name, value]) => (attributes?.[name] || null) === value);
    if (isDone) keys.forEach(remove);
    return isDone;
  };
  const work = oneByOne(async () => {
    // Under another name it may be another attachment's, which this page makes next.
    if (keysOf(prefix).some((each) => each !== key))
      await new Promise<void>((resolve) => void (later(() => resolve()) ?? resolve()));
    const kept = keysOf(prefix);
    if (wanted === undefined) {
      if (mark && !kept.includes(key)) kept.push(key);
      if (!kept[0]) return true;
      const isDone = await post(kept, null);
      if (isDone) mark = "";
      return isDone;
    }
    const left = kept.filter((key) => !attributes.some(([own, { isDisposed }]) => own === key && !isDisposed));
    if (isAttached() && !left[0]) return true;
    const id = wanted;
    // Before the request: the page may be left before its answer, and a later no must find what may be attached.
    mark = SENT;
    store(key, mark);
    if (!(await post(left, id))) return false;
    mark = `${id} ${cartToken()} ${now()}`;
    store(key, mark);
    return true;
  }, note);
  return (id) => {
    wanted = id;
    // A visitor without a click has no attribute; after a no it is removed.
    if (id !== undefined || said() === "denied") work();
  };
}

/** A control of a form, of a kind that the site may have made itself. */
type Control = Element & { readonly type?: string; readonly value?: unknown };

/** Can the control hold a click id? */
const isField = (control: Control): control is HTMLInputElement =>
  /^(input (hidden|text|search|tel|url|email|password)|textarea .*)$/.test(`${control.localName} ${control.type}`);

/** Does a control of this kind send nothing? */
const isMute = (control: Control) =>
  /^object |(button|reset|fieldset|output)$/.test(`${control.localName} ${control.type}`);

/** A hidden field of forms, such as WooCommerce's checkout, including forms that are added later. */
function fields(selector: string, name: string, page: Attached): Update {
  const isNamed = (control: Element) => control.getAttribute("name") === name;
  const before = (field: HTMLInputElement) => ownText(field, field.value, page);
  const clear = (field: HTMLInputElement) => {
    const text = before(field);
    if (text === field.value) return;
    if (text === null) field.remove();
    else field.value = text;
    forget(field);
    if (field.getAttribute(AUTOCOMPLETE) === OFF) field.removeAttribute(AUTOCOMPLETE);
  };
  const put = (wanted: string) => {
    for (const form of call<NodeListOf<HTMLFormElement>>(document, "querySelectorAll", selector)) {
      // Also those beside the form. A disabled one is not sent.
      const controls: Control[] = [...own(form, "elements")].filter(
        (control) => isNamed(control) && !isMute(control) && !control.matches(":disabled"),
      );
      const known = controls.filter(isField);
      // A value of the site's own is sent alone. That of another control is not known where it has no text.
      const isOwn = (control: Control) =>
        !page.isMissing(isField(control) ? (before(control) ?? "") : `${control.value ?? "own"}`);
      if (controls.some(isOwn)) {
        known.forEach(clear);
        continue;
      }
      if (!known[0]) {
        const input = call<HTMLInputElement>(document, "createElement", "input");
        Object.assign(input, { type: "hidden", name });
        call(form, "append", input);
        remember(input, null, "", page);
        known.push(input);
      }
      // Of several fields of one name, some readers take the first, and some the last.
      for (const field of known) {
        remember(field, field.value, wanted, page);
        field.value = wanted;
        // Else the browser fills it again, where the visitor comes back to the page after another click or a no.
        if (!field.hasAttribute(AUTOCOMPLETE)) field.setAttribute(AUTOCOMPLETE, OFF);
      }
    }
  };
  return keep(page, put, () => {
    for (const field of call<NodeListOf<HTMLInputElement>>(document, "querySelectorAll", "input, textarea"))
      if (isNamed(field) && isField(field)) clear(field);
  });
}

/** `client_reference_id` of payment links, buy buttons and pricing tables. */
function stripe(hosts: readonly string[] | null | undefined, page: Attached): Update {
  const { note, isMissing } = page;
  const reference = (id: string | undefined) => {
    if (id === undefined || page.isDisposed || page.said() !== "granted") return undefined;
    if (REFERENCE.test(id)) return id;
    note("invalid_click_id");
    return undefined;
  };
  void page.withFile("decorate", ({ decorate }) =>
    decorate(
      { hosts: hosts ?? STRIPE, parameter: "client_reference_id" },
      { findClick: () => reference(page.findClick()), note },
      undefined,
      isMissing,
    ),
  );
  const attribute = "client-reference-id";
  const update = (id?: string) => {
    const wanted = reference(id);
    for (const element of call<NodeListOf<Element>>(
      document,
      "querySelectorAll",
      "stripe-buy-button, stripe-pricing-table",
    )) {
      const present = element.getAttribute(attribute);
      const before = ownText(element, present, page);
      // A reference of the site's own stays.
      if (!isMissing(before ?? "")) continue;
      if (wanted !== undefined) remember(element, present, wanted, page);
      else if (before !== present) forget(element);
      const after = wanted ?? before;
      if (after === null) element.removeAttribute(attribute);
      else if (after !== present) element.setAttribute(attribute, after);
    }
  };
  return keep(page, update, update);
}

/** The attachments of tokens, the latest last: a browser keeps one token. */
const tokens: (readonly [offer: string, page: Attached])[] = [];

/** A token in localStorage for frames of this site that have no origin; see frame-tracker.ts. */
function token(offerId: number | undefined, page: Attached): Update {
  const { url, isEdge, said, note } = page;
  if (!/^[1-9]\d*$/.test(`${offerId}`)) refuse("offerId", "must be a whole number from 1");
  const key = `${MARK}frame`;
  const offer = `${offerId}`;
  const place = tokens.push([offer, page]);
  const isOther = ([other, { isDisposed }]: (typeof tokens)[number]) => other !== offer && !isDisposed;
  const isReplaced = () => tokens.slice(place).some(isOther);
  if (tokens.some(isOther)) {
    const rule = "replaces another attachment's: a browser keeps one token";
    page.report(new CakeError({ code: "invalid_field", parameter: "offerId", rule }));
  }
  let wanted: string | undefined;
  /** May there be a token of this tracker's, or of a former page view? Another tracker's is not taken away. */
  let isOwn = true;
  const fits = () => {
    const [value = "", expires = ""] = read(TOKEN).split(/\.(?=\w+\.[\w-]+$)/);
    const [known, click] = value.split("!");
    const left = Number.parseInt(expires, 36) * 1_000 - now();
    return known === offer && (isEdge || click === wanted) && left > TOKEN_LEFT_MS;
  };
  const work = oneByOne(async () => {
    if (fits() || isReplaced() || (isEdge && now() - Number(read(key)) < NO_CLICK_MS)) return true;
    const query = `offerId=${offerId}${wanted === undefined ? "" : `&clickId=${encodeURIComponent(wanted)}`}`;
    const response = await fetch(`${url.replace(/[^/]*$/, "token")}?${query}`, { credentials: "include" });
    const { token, error } = (await response.json()) as { token?: unknown; error?: { code?: unknown } };
    if (typeof token === "string" && said() === "granted" && !isReplaced()) isOwn = store(TOKEN, token);
    if (!error?.code) return typeof token === "string";
    note(`${error.code}`);
    if (isEdge && error.code === "invalid_click_id") store(key, `${now()}`);
    // A refusal is final on this page.
    return response.status < 500 && response.status !== 429;
  }, note);
  const look = () => {
    if (!page.isDisposed && said() === "granted" && (isEdge || wanted !== undefined)) work();
  };
  // Not while the page is being left: the next page checks for itself.
  const lookIfSeen = () => {
    if (document.visibilityState !== "hidden") look();
  };
  attempt(() => setInterval(lookIfSeen, LOOK_MS));
  return (id) => {
    wanted = id;
    if (isOwn && said() === "denied") {
      isOwn = false;
      remove(TOKEN);
      remove(key);
    }
    look();
  };
}

/**
 * Puts a click id into the page, now and whenever the page changes, or takes ours away: also out of a copy that comes
 * after a no. A live tracker's is never taken away for a change of the page: two that answer each other would never end.
 */
function keep(page: Attached, put: (id: string) => void, takeAway: () => void): Update {
  let wanted: string | undefined;
  // Where a page has replaced it, the update still runs with each click and consent.
  attempt(() =>
    new MutationObserver((_, observer) => {
      if (page.isDisposed) return observer.disconnect();
      const said = page.said();
      if (said === "denied") attempt(takeAway);
      else if (said === "granted" && wanted !== undefined) attempt(() => put(wanted as string));
    }).observe(document, { childList: true, subtree: true }),
  );
  return (id) => {
    wanted = id;
    if (id === undefined) takeAway();
    else put(id);
  };
}
