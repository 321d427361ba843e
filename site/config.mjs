/** The site's table of contents. scripts/site.ts copies the pages beside it and builds. */
const platforms = [
  ["What is your site made of?", "start"],
  ["Shopify", "shopify"],
  ["WordPress and WooCommerce", "wordpress"],
  ["Stripe", "stripe"],
  ["Google Tag Manager", "gtm"],
  ["Next", "next"],
  ["SvelteKit", "sveltekit"],
  ["Nuxt", "nuxt"],
  ["Astro", "astro"],
  ["Hono", "hono"],
  ["React Router", "react-router"],
  ["Plain HTML", "html"],
  ["A backend of your own", "backend"],
];
const users = [
  ["A landing page", "page"],
  ["A Worker", "capture"],
  ["A backend", "client"],
  ["An affiliate manager", "affiliate-manager"],
  ["Finance", "finance"],
];
const parts = [
  ["Installation", "install"],
  ["npx cake-edge init", "init"],
  ["Recipes", "recipes"],
  ["Links and postback URLs", "links"],
  ["Reports", "report"],
  ["The forwarder", "forwarder"],
  ["Shops: webhooks and postbacks", "shops"],
  ["Frames and pixels", "frames"],
  ["The forwarder in Node", "forwarder-node"],
  ["Shards, outages, cost", "scale"],
  ["The sandbox", "sandbox"],
  ["The doctor", "doctor"],
  ["Error codes", "errors"],
  ["The demo", "demo"],
];
const items = (entries) => entries.map(([text, page]) => ({ text, link: `/${page}` }));

const config = {
  title: "cake-edge",
  description: "Affiliate tracking for CAKE, in the page and at the edge",
  base: process.env.SITE_BASE ?? "/",
  lang: "en",
  cleanUrls: false,
  // What is no page of the site: licences, the demo.
  // The worked files are copied beside the pages.
  ignoreDeadLinks: [/LICENSE/, /demo\/index/, /workers\//],
  themeConfig: {
    search: { provider: "local" },
    nav: [
      { text: "Start", link: "/start" },
      { text: "Reference", link: "/reference/" },
      { text: "Errors", link: "/errors" },
      { text: "Demo", link: "/demo/index.html", target: "_self" },
    ],
    sidebar: [
      { text: "Start", items: items(platforms) },
      { text: "Who are you?", items: items(users) },
      { text: "The parts", items: items(parts) },
      { text: "Reference", items: process.env.SITE_REFERENCE ? JSON.parse(process.env.SITE_REFERENCE) : [] },
      {
        text: "The project",
        items: items([
          ["Architecture", "ARCHITECTURE"],
          ["Contributing", "CONTRIBUTING"],
          ["Security", "SECURITY"],
          ["Changelog", "CHANGELOG"],
        ]),
      },
    ],
  },
};
export default config;
