/** The Worker that the tests run beside: a sandbox network. */
export { CakeNetwork, sandbox as default } from "cake-edge/sandbox";
