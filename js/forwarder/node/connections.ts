/** The connections of a server, and which of them end when it stops. */
import type { IncomingMessage, Server } from "node:http";
import type { Socket } from "node:net";

/**
 * Follows a server's connections. Node closes those that are idle when a server closes, but no longer ends those that
 * have never sent a request, or half of one: each would keep the process alive for as long as its caller likes.
 */
export class Connections {
  /** The requests of each connection that are not answered yet. */
  readonly #open = new Map<Socket, Set<IncomingMessage>>();

  constructor(server: Server) {
    server.on("connection", (socket) => {
      this.#open.set(socket, new Set());
      socket.once("close", () => this.#open.delete(socket));
    });
    server.on("request", (incoming, outgoing) => {
      const requests = this.#open.get(incoming.socket);
      requests?.add(incoming);
      outgoing.once("close", () => requests?.delete(incoming));
    });
  }

  /** Ends the connections on which nothing has come yet, such as those of a browser that is early, or of a probe. */
  endUnused(): void {
    for (const socket of this.#open.keys()) if (socket.bytesRead === 0) socket.destroy();
  }

  /** Ends the connections without a whole request that waits for its answer. */
  endIncomplete(): void {
    for (const [socket, requests] of this.#open) {
      if (![...requests].some(({ complete }) => complete)) socket.destroy();
    }
  }
}
