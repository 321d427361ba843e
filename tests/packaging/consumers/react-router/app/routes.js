import { index, route } from "@react-router/dev/routes";

// Those of the starter, and two to look at the package by.
const routes = [
  index("landing.jsx"),
  route("thank-you", "thank-you.jsx"),
  route("cake/*", "cake.js"),
  route("consumer", "consumer.jsx"),
  route("walk", "walk.js"),
];
export default routes;
