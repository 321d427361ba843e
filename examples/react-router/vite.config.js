import { reactRouter } from "@react-router/dev/vite";

const config = { plugins: [reactRouter()] };
export default config;
