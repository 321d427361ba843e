import adapter from "@sveltejs/adapter-node";
import { sveltekit } from "@sveltejs/kit/vite";

const config = { plugins: [sveltekit({ adapter: adapter() })] };
export default config;
