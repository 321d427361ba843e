import adapter from "@sveltejs/adapter-node";

const config = { kit: { adapter: adapter({ out: "built/server" }) } };
export default config;
