/** Carries the click id on to other hosts: at the click or the submit, so that what the site adds later is covered. */
import { CLICK_NAME, checkNames } from "./names.js";
import type { DecorateOptions, Reason } from "./options.js";
import { attempt } from "./store.js";

/**
 * Decorates from now on. `isKept` leaves an address alone that has the parameter already.
 *
 * @throws CakeError `invalid_field` for an option that nobody knows
 */
export function decorate(
  how: DecorateOptions,
  clickId: () => string | undefined,
  note: (reason: Reason) => void,
  more?: unknown,
  isKept = false,
): void {
  checkNames(how, "hosts parameter", more);
  const { hosts = [], parameter = CLICK_NAME } = how;
  // As the browser writes them: in small letters, other scripts in punycode.
  const wanted = [hosts].flat().map((host) => {
    const [, star = "", name = ""] = /^(\*\.)?(.*)$/.exec(`${host}`.trim()) ?? [];
    return star + (attempt(() => new URL(`https://${name}`).hostname) ?? name);
  });
  const isChosen = ({ protocol, hostname }: URL) =>
    /^https?:$/.test(protocol) &&
    wanted.some((host) => (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host));

  /** The click id, if this address is one to carry it to. */
  const idFor = (address: string): string | undefined => {
    const url = attempt(() => new URL(address, document.baseURI));
    // To another place of this page no id needs to be carried, and the page would be loaded anew.
    if (!url || !isChosen(url) || address.trim().startsWith("#")) return undefined;
    if (isKept && url.searchParams.has(parameter)) return undefined;
    const id = clickId();
    if (id === undefined) note("no_click_id");
    return id;
  };

  const onClick = (event: Event) => {
    // In SVG a link is another element, and its address another attribute.
    const link = event
      .composedPath()
      .find((target): target is Element => target instanceof Element && target.matches("a, area"));
    const name = link?.hasAttribute("href") ? "href" : "xlink:href";
    const before = link?.getAttribute(name);
    if (!link || before === null || before === undefined) return;
    const id = idFor(before);
    if (id === undefined) return;
    link.setAttribute(name, withParameter(before.trim(), parameter, id));
    // The browser follows the link when this event is over; then it is as the site wrote it.
    setTimeout(() => link.setAttribute(name, before));
  };

  const onSubmit = (event: SubmitEvent) => {
    const form = event.target as HTMLFormElement;
    // Browsers before 2021 do not say by which button.
    const own = (event.submitter ?? null)?.getAttribute("formaction");
    const id = idFor((own ?? form.getAttribute("action")) || location.href);
    if (id === undefined) return;
    const add = ({ formData }: FormDataEvent) => formData.set(parameter, id);
    form.addEventListener("formdata", add, { once: true });
    // Where the site stops the submit, nothing is left behind.
    setTimeout(() => form.removeEventListener("formdata", add));
  };

  // Capturing, so that a site's own handler cannot keep the event from us.
  addEventListener("click", onClick, true);
  addEventListener("auxclick", onClick, true);
  addEventListener("submit", onSubmit, true);
}

/**
 * The address with the parameter in its query, in place of one of the same name in any case. Every other byte stays as it was: to
 * write a query anew would break a signed address.
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
