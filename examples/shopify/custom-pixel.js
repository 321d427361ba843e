// @ts-check
// Settings, Customer events, Add custom pixel. Permission: Required, Marketing.
const script = document.createElement("script");
script.src = "https://shop.example/js/cake-edge-frame.js";
script.onload = () => {
  cakeEdgeFrame.connectShopifyPixel(
    { analytics, browser, init, customerPrivacy: api.customerPrivacy },
    { endpoint: "https://shop.example/cake" },
  );
};
document.head.append(script);
