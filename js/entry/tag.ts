import { openTag } from "../page/tag.js";

openTag();
