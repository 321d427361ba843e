import { index, route } from "@react-router/dev/routes";

const routes = [index("landing.jsx"), route("thank-you", "thank-you.jsx"), route("cake/*", "cake.js")];
export default routes;
