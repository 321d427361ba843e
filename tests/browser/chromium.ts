/** The Chromium that the tests drive: Debian's, or the one that CHROMIUM names. */
import { type Browser, chromium, type LaunchOptions } from "playwright-core";

/** Starts it; `args` come on top of what keeps it quiet. */
export function launchChromium(args: readonly string[] = [], options: LaunchOptions = {}): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"];
  return chromium.launch({
    ...(executablePath === undefined ? {} : { executablePath }),
    ...options,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      ...args,
    ],
  });
}
