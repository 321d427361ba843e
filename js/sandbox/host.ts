/** What a network needs of the place where it runs, and who may lead it. */
import type { Host } from "../host.js";

/** A place: a Durable Object, or a process. */
export interface SandboxHost extends Host {
  /** From 0 to below 1. */
  random(): number;
  /** A fresh UUID. */
  uuid(): string;
  /** Sends a postback. */
  send(url: string, init: RequestInit): Promise<Response>;
  /** An answer that never comes: its connection closes before the first byte. */
  noAnswer(): Response;
}

/** Who may use `/__sandbox/`. */
export interface Gate {
  /** The token that is asked for; none: only loopback gets in. */
  readonly token?: string | undefined;
  /** Does the sandbox listen on loopback alone? */
  readonly isLoopback: boolean;
}
