/** One visitor of a test's site: a fresh profile, its page, and the page's console. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import type { Site } from "./site.ts";

export interface Visit {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The lines of the console; `THROWN …` for each error thrown in the page. */
  readonly said: string[];
  /** Navigates to a path of the site or to another address, and waits for the tracker. */
  go(address: string): Promise<void>;
}

/** Opens an address as a new visitor. `before` runs in each page before its own scripts. */
export async function visit(browser: Browser, site: Site, address: string, before?: () => void): Promise<Visit> {
  const context = await browser.newContext();
  if (before) await context.addInitScript(before);
  const opened = await open(context, site);
  await opened.go(address);
  return opened;
}

/** A further tab of the same visitor, without an address yet. */
export async function open(context: BrowserContext, site: Site): Promise<Visit> {
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(`THROWN ${error}`));
  const go = async (to: string) => {
    await page.goto(to.startsWith("/") ? site.origin + to : to);
    await page.waitForFunction(() => "tracker" in globalThis);
  };
  return { page, context, said, go };
}
