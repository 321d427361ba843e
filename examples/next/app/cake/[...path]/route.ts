import { answerCake } from "../../../cake-edge.server.js";

export { answerCake as GET, answerCake as OPTIONS, answerCake as POST };
