export { CakeNetwork, sandbox as default } from "cake-edge/sandbox";
