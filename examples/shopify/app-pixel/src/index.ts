/** The app pixel: the same in a worker, from the bundler of Shopify's CLI. */
import { register } from "@shopify/web-pixels-extension";
import { connectShopifyPixel } from "cake-edge/frame";

register(({ analytics, browser, init, customerPrivacy, settings }) => {
  connectShopifyPixel({ analytics, browser, init, customerPrivacy }, { endpoint: settings["endpoint"] });
});
