import { land } from "./landing.js";

land();
