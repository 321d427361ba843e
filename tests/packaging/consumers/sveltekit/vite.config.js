import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";

const config = { plugins: [sveltekit({ adapter: adapter({ out: "built/server" }) })] };
export default config;
