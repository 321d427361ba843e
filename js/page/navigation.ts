/** Navigation: the addresses that a page has had and gets. */

// Read at import, before a router rewrites the address. The first one is the
// address of the navigation: it also knows what was rewritten before that.
const addresses = new Set([performance.getEntriesByType("navigation")[0]?.name ?? location.href, location.href]);

/**
 * Calls `listener` with each address that the page has had or gets, at once and later on: never while it is only
 * prerendered, and again when it comes back from the back/forward cache.
 */
export function onAddressChange(listener: (address: string) => void): void {
  const tellHere = () => listener(location.href);
  const begin = () => {
    for (const address of addresses) listener(address);
    addEventListener("pageshow", (event) => event.persisted && tellHere());
    const { navigation } = window as { navigation?: EventTarget };
    if (navigation) {
      navigation.addEventListener("currententrychange", tellHere);
      return;
    }
    addEventListener("popstate", tellHere);
    for (const name of ["pushState", "replaceState"] as const) {
      // Called like the site's own: wrapped before us it is what we call,
      // wrapped after us it calls us.
      const own = history[name];
      history[name] = function (this: History, ...state) {
        own.apply(this, state);
        tellHere();
      };
    }
  };
  if ((document as { prerendering?: boolean }).prerendering) {
    document.addEventListener("prerenderingchange", begin, { once: true });
  } else {
    begin();
  }
}
