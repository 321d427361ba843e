/** Carries the click id to other hosts, at the click or the submit: this includes links that the site adds later. */
import { refuse } from "../option.js";
import { CLICK_NAME, checkNames } from "./names.js";
import type { DecorateOptions, Reason } from "./options.js";
import { attempt, later, urlOf } from "./store.js";

/**
 * A property as the platform has it. A form's fields, and a document's forms and images, hide properties of the same
 * name.
 */
export const own = <T extends Node, Name extends keyof T>(node: T, name: Name): T[Name] =>
  Reflect.get(Object.getPrototypeOf(node), name, node);

/** Calls a method as the platform has it, see {@link own}. */
export const call = <Result>(node: Node, name: string, ...given: unknown[]): Result =>
  (own(node, name as never) as (...given: unknown[]) => Result).apply(node, given);

/** The text that was there before ours, and ours. */
interface Written {
  readonly before: string;
  readonly after: string;
}

/** Where a link remembers what was written into it: all decorations of a page know it there. */
const WRITTEN = Symbol.for("cake-edge-link");
type Marked = { [WRITTEN]?: Written };

/** The attribute with our pairs of a link's query, as long as they are there. A copy of the link has it, too. */
const OURS = "data-cake-edge-link";

/** The site's own address of a link. Where the site has changed it meanwhile, our pairs alone are taken out. */
const ownAddress = (link: Element, present: string): string => {
  const written = (link as Marked)[WRITTEN];
  if (written?.after === present) return written.before;
  const ours = link.getAttribute(OURS)?.slice(1).split("&").map(plain);
  return ours ? withPairs(present, (pairs) => pairs.filter((pair) => !ours.includes(plain(pair)))) : present;
};

/** The name of a parameter or field, without what a query puts around it. An empty one is the default. */
export const nameOf = (parameter: string, given: unknown): string => {
  const name = `${given ?? ""}`.replace(/[?&=#]/g, "").trim();
  return /^\[object /.test(name) ? refuse(parameter, "must be text") : name || CLICK_NAME;
};

/** An address without its fragment. */
const pageOf = (address: string | undefined) => address?.split("#")[0];

/**
 * Decorates from now on. A host may be written as an address. With `isMissing`, an address or form that already has a
 * value for the parameter is left alone, unless that stands for a missing one.
 *
 * @throws CakeError `invalid_field` for an unknown option, a parameter that is no text, and, when all other hosts are
 * decorated, for a host that is none
 */
export function decorate(
  how: DecorateOptions,
  { findClick, note }: { findClick(): string | undefined; note(reason: Reason): void },
  more?: unknown,
  isMissing: (text: string) => boolean = () => true,
): void {
  checkNames(how, "hosts parameter", more);
  const parameter = nameOf("parameter", how.parameter);
  // As browsers write hosts: in small letters, other scripts in punycode. A star stands for one that is none.
  const wanted = (
    [how.hosts]
      .flat()
      .join(" ")
      .match(/[^\s,]+/g) ?? ["*"]
  ).map((host) => {
    const [, star = "", name] = /^(?:\w*:?\/\/)?(\*\.)?(.*)/.exec(host) as string[];
    return star + (urlOf(`https://${name}`)?.hostname ?? "*");
  });
  const isChosen = ({ protocol, hostname }: URL) =>
    /^https?:$/.test(protocol) &&
    wanted.some((host) => (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host));

  /** Has the site given a value of its own? */
  const isOwn = (values: readonly unknown[]) => values.some((value) => !isMissing(`${value}`));

  /** The click id, if this address is to carry it. */
  const idFor = (address: string): string | undefined => {
    const url = urlOf(address, own(document, "baseURI"));
    // An address without path and query is this page's own: with a query it would be another page's.
    if (!url || !isChosen(url) || /^\s*(#|$)/.test(address)) return undefined;
    if (isOwn(url.searchParams.getAll(parameter))) return undefined;
    const id = findClick();
    if (id === undefined) note("no_click_id");
    return id;
  };

  /** At a click, and at a key, which becomes a click or a submit. */
  const onClick = (event: Event) => {
    const path = event.composedPath();
    // `submit` does not leave a shadow root, but what comes before it does. 11 is the type of a shadow root.
    for (const node of path) if ((node as Node).nodeType === 11) node.addEventListener("submit", onSubmit, true);
    // In SVG a link is a different element, with its address in a different attribute. A form's field may hide the name.
    const link = path.find((target) => /^(a|area)$/.test((target as Element).localName)) as Element | undefined;
    const name = link?.hasAttribute("href") ? "href" : "xlink:href";
    const present = link?.getAttribute(name);
    if (!link || present == null) return;
    const before = ownAddress(link, present);
    // Another place of this page needs no id, and the new address would load the page again.
    if (pageOf(urlOf(before, own(document, "baseURI"))?.href) === pageOf(location.href)) return;
    const id = idFor(before);
    if (id === undefined) return;
    const after = withParameter(present.trim(), parameter, id);
    (link as Marked)[WRITTEN] = { before, after };
    link.setAttribute(OURS, `${link.getAttribute(OURS) ?? ""}&${pairOf(parameter, id)}`);
    link.setAttribute(name, after);
    const root = call<Node>(link, "getRootNode");
    // The browser follows the link after this event; then the site's own address is put back. One that the site has put
    // there meanwhile stays, and so does a copy in the link's place.
    later(() => {
      for (const each of [link, ...call<NodeListOf<Element>>(root, "querySelectorAll", `[${OURS}]`)]) {
        const now = each.getAttribute(name) ?? "";
        const before = ownAddress(each, now);
        if (before !== now) each.setAttribute(name, before);
        each.removeAttribute(OURS);
      }
    });
  };

  const onSubmit = (event: Event) => {
    const form = event.target as HTMLFormElement;
    // Browsers before 2021 do not tell which button was used.
    const target = (event as SubmitEvent).submitter?.getAttribute("formaction");
    const id = idFor((target ?? call<string | null>(form, "getAttribute", "action")) || location.href);
    if (id === undefined) return;
    const add = ({ formData }: FormDataEvent) => {
      if (isOwn(formData.getAll(parameter))) return;
      // As in a link, one with the same name in any case would hide it.
      for (const name of [...formData.keys()])
        if (name.toLowerCase() === parameter.toLowerCase()) formData.delete(name);
      formData.set(parameter, id);
    };
    // For all of this task: the site's own handler may read the form before the browser does.
    call(form, "addEventListener", "formdata", add);
    // If the site stops the submit, nothing is left behind.
    later(() => call(form, "removeEventListener", "formdata", add));
  };

  const listen = () => {
    // First in the capturing phase, since a site's own handler may stop the event. Then last, since it may change the
    // address.
    for (const isFirst of [true, false]) {
      for (const type of "click auxclick contextmenu keydown".split(" ")) addEventListener(type, onClick, isFirst);
      addEventListener("submit", onSubmit, isFirst);
    }
  };
  listen();
  // `document.open` removes all listeners, and replaces the page.
  attempt(() => new MutationObserver(listen).observe(document, { childList: true }));
  // Last: the other hosts count.
  if (/[*%](?!\.)/.test(`${wanted}`)) refuse("hosts", "must be such as shop.example.com");
}

/** A pair of a query as text. */
const plain = (pair: string) => attempt(() => decodeURIComponent(pair.replace(/\+/g, " ")));

const pairOf = (parameter: string, value: string) => `${encodeURIComponent(parameter)}=${encodeURIComponent(value)}`;

/** The address with other pairs in its query. Every other byte stays: rewriting a query would break a signed address. */
function withPairs(address: string, change: (pairs: string[]) => string[]): string {
  const [, path, query, fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(#[\s\S]*)?$/.exec(address) as unknown as string[];
  const pairs = change(query ? query.split("&") : []);
  return `${path}${pairs[0] === undefined ? "" : "?"}${pairs.join("&")}${fragment}`;
}

/** The address with the parameter in its query, in place of one with the same name in any case. */
const withParameter = (address: string, parameter: string, value: string) =>
  withPairs(address, (pairs) => [
    ...pairs.filter((pair) => plain(pair.split("=")[0] as string)?.toLowerCase() !== parameter.toLowerCase()),
    pairOf(parameter, value),
  ]);
