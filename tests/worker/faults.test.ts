/** The client inside workerd against a server of faults. */
import * as edge from "cake-edge";
import { faultTests } from "../faults/suite.ts";

faultTests(edge);
