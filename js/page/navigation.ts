/** Navigation: the addresses that a page has had and gets. */

import { attempt } from "./store.js";

// Read at import, before a router rewrites the address. The first one is the
// address of the navigation: it also knows what was rewritten before that.
const first = attempt(() => performance.getEntriesByType("navigation")[0]?.name);
const here = attempt(() => location.href) ?? "";
const addresses = new Set([first?.includes(":") ? first : here, here]);

/**
 * Calls `listener` with each address that the page has had or gets, at once and later on: never while it is only
 * prerendered, and again when it comes back from the back/forward cache. `begun` is called once, after the first ones.
 */
export function onAddressChange(listener: (address: string) => unknown, begun: () => void): void {
  const tellHere = () => listener(location.href);
  const begin = () => {
    // A tracker may be made later than the import.
    for (const address of addresses.add(location.href)) listener(address);
    begun();
    addEventListener("pageshow", (event) => event.persisted && tellHere());
    // A site's own variable or element of that name takes its place.
    const navigation = attempt(() => (window as { navigation?: EventTarget & { currentEntry?: object } }).navigation);
    if (navigation?.currentEntry) {
      navigation.addEventListener("currententrychange", tellHere);
      return;
    }
    addEventListener("popstate", tellHere);
    for (const name of ["pushState", "replaceState"] as const) {
      // Called like the site's own: wrapped before us it is what we call,
      // wrapped after us it calls us.
      const own = history[name];
      attempt(() => {
        history[name] = function (this: History, ...state) {
          own.apply(this, state);
          tellHere();
        };
      });
    }
  };
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", begin, { once: true });
  } else {
    begin();
  }
}
