/** The platform functions of a network, and the options of access control. */
import type { Host } from "../host.js";

/** A platform: a Durable Object, or a process. */
export interface SandboxHost extends Host {
  /** From 0 to below 1. */
  random(): number;
  /** A new UUID. */
  uuid(): string;
  /** Sends a postback. */
  send(url: string, init: RequestInit): Promise<Response>;
  /** An answer that never comes: the connection closes before the first byte. */
  noAnswer(): Response;
}

/** The access control of `/__sandbox/`. */
export interface Gate {
  /** The token that requests must carry; without one, only requests on loopback have access. */
  readonly token?: string | undefined;
  /** Does the sandbox listen on loopback only? */
  readonly isLoopback: boolean;
}
