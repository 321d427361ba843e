/** Requests that hang, and the forwarder in Node: in memory, and in a process of its own. */
import { describe } from "vitest";
import { waitTests } from "../forwarder/waits.ts";
import { memoryKit, processKit } from "./forwarder-kits.ts";

describe("in memory", () => waitTests(memoryKit, true));
describe("in a process of its own", () => waitTests(processKit, false));
