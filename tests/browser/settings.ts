/** Chromium and Firefox with their own settings, as visitors, administrators or older versions have them. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium } from "playwright-core";
import puppeteer, { type Browser as Firefox } from "puppeteer-core";

/** A value of Chromium's `Preferences` file. */
export type Preferences = Record<string, unknown>;

/** Opens a Chromium whose profile has these preferences, runs, and closes it. */
export async function withChromium(
  preferences: Preferences,
  args: readonly string[],
  run: (context: BrowserContext) => Promise<void>,
): Promise<void> {
  const profile = mkdtempSync(join(tmpdir(), "cake-edge-profile-"));
  mkdirSync(join(profile, "Default"));
  writeFileSync(join(profile, "Default/Preferences"), JSON.stringify(preferences));
  const executablePath = process.env["CHROMIUM"];
  const context = await chromium.launchPersistentContext(profile, {
    ...(executablePath === undefined ? {} : { executablePath }),
    args: ["--no-sandbox", "--disable-gpu", "--host-resolver-rules=MAP *.example.com 127.0.0.1", ...args],
  });
  try {
    await run(context);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

/** Opens a Firefox with these preferences (about:config), runs, and closes it. */
export async function withFirefox(
  preferences: Record<string, boolean | number | string>,
  run: (firefox: Firefox) => Promise<void>,
): Promise<void> {
  const firefox = await puppeteer.launch({
    browser: "firefox",
    executablePath: process.env["FIREFOX"] ?? "/usr/bin/firefox-esr",
    headless: true,
    extraPrefsFirefox: preferences,
  });
  try {
    await run(firefox);
  } finally {
    await firefox.close();
  }
}
