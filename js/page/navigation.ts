/** Navigation: the addresses of a page, past and future. */

import { addresses } from "./query.js";
import { attempt } from "./store.js";

// Read at import, before a router rewrites the address. The first one is the address of the navigation: it is older
// than any rewrite.
const first = attempt(() => performance.getEntriesByType("navigation")[0]?.name);
const here = attempt(() => location.href) as string;
addresses[first?.includes(":") ? first : here] = addresses[here] = 0;

/** Calls `listener` with each address of the page, past and future, and `ready` once, after the first addresses. */
export function onAddressChange(listener: (address: string) => unknown, ready: () => void): void {
  const notify = () => listener(location.href);
  // A tracker may be made later than the import. Each address once.
  addresses[location.href] = 0;
  for (const address of Object.keys(addresses)) listener(address);
  ready();
  // A site's own variable or element of that name may replace it.
  const navigation = attempt(() => (window as { navigation?: EventTarget & { currentEntry?: object } }).navigation);
  if (navigation?.currentEntry) {
    navigation.addEventListener("currententrychange", notify);
    return;
  }
  addEventListener("popstate", notify);
  for (const name of ["pushState", "replaceState"] as const) {
    // Called like the site's own wrapper: a wrapper from before ours is called by us, a later one calls us.
    const own = history[name];
    attempt(() => {
      history[name] = function (this: History, ...state) {
        own.apply(this, state);
        notify();
      };
    });
  }
}
