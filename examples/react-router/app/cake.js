import { answerCake } from "./cake-edge.server.js";

export const loader = ({ request }) => answerCake(request);
export const action = loader;
