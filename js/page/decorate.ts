/** Carries the click id on to other hosts: at the click or the submit, so that what the site adds later is covered. */
import type { DecorateOptions, Reason } from "./options.js";

/** Decorates from now on. */
export function decorate(
  { hosts = [], parameter = "reqid" }: DecorateOptions,
  clickId: () => string | undefined,
  note: (reason: Reason) => void,
): void {
  const isChosen = ({ protocol, hostname }: URL) =>
    /^https?:$/.test(protocol) &&
    hosts.some((host) => (host.startsWith("*.") ? hostname.endsWith(host.slice(1)) : hostname === host));

  /** The click id, if this address is one to carry it to. */
  const idFor = (address: string): string | undefined => {
    if (!URL.canParse(address, location.href) || !isChosen(new URL(address, location.href))) return undefined;
    const id = clickId();
    if (id === undefined) note("no_click_id");
    return id;
  };

  const onClick = (event: Event) => {
    const link = event
      .composedPath()
      .find((target) => target instanceof HTMLAnchorElement || target instanceof HTMLAreaElement);
    const id = link && idFor(link.href);
    if (!link || id === undefined) return;
    const before = link.getAttribute("href");
    const url = new URL(link.href);
    url.searchParams.set(parameter, id);
    link.href = url.href;
    // The browser follows the link when this event is over; then it is as the site wrote it.
    setTimeout(() => link.setAttribute("href", before ?? ""));
  };

  const onSubmit = (event: SubmitEvent) => {
    const form = event.target as HTMLFormElement;
    const { submitter } = event;
    const own = submitter?.getAttribute("formaction");
    const id = idFor(own ?? form.getAttribute("action") ?? location.href);
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
