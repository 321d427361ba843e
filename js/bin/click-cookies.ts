/** The names of the click cookies, as the doctor looks for them. `src/capture.rs` and `js/page/store.ts` write them. */

/** The page's cookie, and the key in localStorage; the page's other keys begin with it. */
export const PAGE_COOKIE = "cake_click";

/** The cookies that a server signs. */
export const SIGNED_COOKIES: readonly string[] = ["__Host-cake_click", "__Secure-cake_click", "cake_click_signed"];

/** Is this the name of a click cookie? */
export function isClickCookie(name: string): boolean {
  return name === PAGE_COOKIE || SIGNED_COOKIES.includes(name);
}
