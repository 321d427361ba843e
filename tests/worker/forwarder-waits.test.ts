/** Requests that hang, and the forwarder in workerd. */
import { waitTests } from "../forwarder/waits.ts";
import { outboxKit } from "./outbox-kit.ts";

waitTests(outboxKit, true);
