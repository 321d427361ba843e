/** A visitor of a shop's page in Chromium, whose tracker attaches. */
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import type { AttachOptions, Tracker } from "../../js/page/index.ts";
import { launch } from "./chromium.ts";
import { Shop } from "./shop.ts";

declare const tracker: Tracker;

export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly said: string[];
  go(path: string): Promise<void>;
  attach(options: object): Promise<void>;
}

/** Asks until the answer is as expected. Other browsers may be running at the same time. */
export const poll = <T>(ask: () => T | Promise<T>) => expect.poll(ask, { timeout: 10_000 });

/** The shop and the browser of a file's tests; each test has a shop of its own. */
export interface Stage {
  browser: Browser;
  shop: Shop;
}

/** Sets the stage for a file's tests. */
export function setStage(): Stage {
  const stage = {} as Stage;
  beforeAll(async () => {
    stage.browser = await launch();
  });
  beforeEach(async () => {
    stage.shop = await Shop.start();
    stage.shop.addPage("/", "");
  });
  afterEach(async () => {
    await Promise.all(stage.browser.contexts().map((context) => context.close()));
    await stage.shop.stop();
  });
  afterAll(() => stage.browser?.close());
  return stage;
}

/** A new visitor of the stage's shop. */
export async function visit({ browser, shop }: Stage): Promise<Visitor> {
  const context = await browser.newContext();
  const page = await context.newPage();
  const said: string[] = [];
  page.on("console", (message) => said.push(message.text()));
  page.on("pageerror", (error) => said.push(`THROWN ${error}`));
  return {
    page,
    context,
    said,
    go: async (path) => {
      await page.goto(shop.origin + path);
      await page.waitForFunction(() => "tracker" in globalThis);
    },
    attach: (options) => page.evaluate((how) => tracker.attach(how), options as AttachOptions),
  };
}
