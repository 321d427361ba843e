import { index, route } from "@react-router/dev/routes";

const routes = [index("home.jsx"), route("walk", "walk.js")];
export default routes;
