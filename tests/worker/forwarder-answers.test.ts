/** CAKE's odd answers, and the forwarder in workerd. */
import { answerTests } from "../forwarder/answers.ts";
import { outboxKit } from "./outbox-kit.ts";

answerTests(outboxKit);
