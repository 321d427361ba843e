/** Carries the click id to other hosts, at the click or the submit: this includes links that the site adds later. */
import { CLICK_NAME, checkNames } from "./names.js";
import type { DecorateOptions, Reason } from "./options.js";
import { later, urlOf } from "./store.js";

/**
 * A property as the platform has it. A form's fields, and a document's forms and images, hide properties of the same
 * name.
 */
export const own = <T extends Node, Name extends keyof T>(node: T, name: Name): T[Name] =>
  Reflect.get(Object.getPrototypeOf(node), name, node);

/** Calls a method as the platform has it, see {@link own}. */
export const call = <Result>(node: Node, name: string, ...given: unknown[]): Result =>
  (own(node, name as never) as (...given: unknown[]) => Result).apply(node, given);

/** An empty value, or a word that a template prints for a missing value. */
export const NO_VALUE = /^\s*(undefined|null|NaN)?\s*$/;

/**
 * Decorates from now on. With `isKept`, an address or form that already has a value for the parameter is left alone.
 *
 * @throws CakeError `invalid_field` for an unknown option
 */
export function decorate(
  how: DecorateOptions,
  { findClick, note }: { findClick(): string | undefined; note(reason: Reason): void },
  more?: unknown,
  isKept = false,
): void {
  checkNames(how, "hosts parameter", more);
  const { hosts = [], parameter = CLICK_NAME } = how;
  // As browsers write hosts: in small letters, other scripts in punycode.
  const wanted = [hosts].flat().map((host) => {
    const [, star = "", name = ""] = /^(\*\.)?(.*)$/.exec(`${host}`.trim()) ?? [];
    return star + (urlOf(`https://${name}`)?.hostname ?? name);
  });
  const isChosen = ({ protocol, hostname }: URL) =>
    /^https?:$/.test(protocol) &&
    wanted.some((host) => (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host));

  /** Has the site given a value of its own? */
  const isOwn = (values: readonly unknown[]) => isKept && values.some((value) => !NO_VALUE.test(`${value}`));

  /** The click id, if this address is to carry it. */
  const idFor = (address: string): string | undefined => {
    const url = urlOf(address, own(document, "baseURI"));
    // Another place on this page needs no id, and the new address would reload the page.
    if (!url || !isChosen(url) || address.trim().startsWith("#")) return undefined;
    if (isOwn(url.searchParams.getAll(parameter))) return undefined;
    const id = findClick();
    if (id === undefined) note("no_click_id");
    return id;
  };

  const onClick = (event: Event) => {
    // In SVG a link is a different element, with its address in a different attribute.
    const link = event
      .composedPath()
      .find((target): target is Element => target instanceof Element && target.matches("a, area"));
    const name = link?.hasAttribute("href") ? "href" : "xlink:href";
    const before = link?.getAttribute(name);
    if (!link || before === null || before === undefined) return;
    const id = idFor(before);
    if (id === undefined) return;
    link.setAttribute(name, withParameter(before.trim(), parameter, id));
    // The browser follows the link after this event; then the site's own address is put back.
    later(() => link.setAttribute(name, before));
  };

  const onSubmit = (event: SubmitEvent) => {
    const form = event.target as HTMLFormElement;
    // Browsers before 2021 do not tell which button was used.
    const target = (event.submitter ?? null)?.getAttribute("formaction");
    const id = idFor((target ?? call<string | null>(form, "getAttribute", "action")) || location.href);
    if (id === undefined) return;
    const add = ({ formData }: FormDataEvent) => {
      if (isOwn(formData.getAll(parameter))) return;
      // As in a link, one with the same name in any case would hide it.
      for (const name of [...formData.keys()])
        if (name.toLowerCase() === parameter.toLowerCase()) formData.delete(name);
      formData.set(parameter, id);
    };
    call(form, "addEventListener", "formdata", add, { once: true });
    // If the site stops the submit, nothing is left behind.
    later(() => call(form, "removeEventListener", "formdata", add));
  };

  // In the capturing phase, so that a site's own handler cannot hide the event.
  addEventListener("click", onClick, true);
  addEventListener("auxclick", onClick, true);
  addEventListener("submit", onSubmit, true);
}

/**
 * The address with the parameter in its query, in place of one with the same name in any case. Every other byte stays
 * as it was: rewriting a query would break a signed address.
 */
function withParameter(address: string, parameter: string, value: string): string {
  const [, path = "", query, fragment = ""] = /^([^?#]*)(?:\?([^#]*))?(#[\s\S]*)?$/.exec(address) ?? [];
  const name = encodeURIComponent(parameter);
  const rest = (query ?? "").split("&").filter((pair) => {
    try {
      const name = decodeURIComponent((pair.split("=")[0] ?? "").replace(/\+/g, " "));
      return name.toLowerCase() !== parameter.toLowerCase();
    } catch {
      return true;
    }
  });
  const pairs = query ? [...rest, `${name}=${encodeURIComponent(value)}`] : [`${name}=${encodeURIComponent(value)}`];
  return `${path}?${pairs.join("&")}${fragment}`;
}
