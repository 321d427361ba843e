/** Fault injection: the core decides the fault of a call; this module carries it out on the connection. */
import type { Answer, Network } from "./network.js";
import { cutOff, respond } from "./response.js";

interface Fault {
  readonly delay_ms: number;
  readonly is_carried_out: boolean;
  readonly breaks: "reset" | "cut_off" | null;
  readonly answer: Answer | null;
}

/** The faults of a network. */
export class Faults {
  readonly #network: Network;
  #draws = 0;
  #count = 0;

  constructor(network: Network) {
    this.#network = network;
  }

  /** The number of calls with a fault since the process began. */
  get faultCount(): number {
    return this.#count;
  }

  /** Answers a request with its fault; returns nothing where the request has none. */
  answer(request: Request, pathname: string): Promise<Response> | undefined {
    if (!this.#network.rules.hasFaults()) return undefined;
    const fault = this.#nextFault(pathname);
    return fault === undefined ? undefined : this.#simulateOutage(request, fault);
  }

  /** Restarts the seeded random numbers. */
  reset(): void {
    this.#draws = 0;
  }

  #nextFault(pathname: string): Fault | undefined {
    const json = this.#network.rules.nextFault(pathname, this.#random());
    if (json === undefined) return undefined;
    this.#count += 1;
    return JSON.parse(json) as Fault;
  }

  /** A random number, repeatable under a seed. */
  #random(): number {
    const seed = (JSON.parse(this.#network.rules.settings()) as { id_seed: number | null }).id_seed;
    if (seed === null) return this.#network.host.random();
    // Weyl's sequence: the share of faults stays close to the configured one, also in few calls.
    this.#draws += 1;
    return ((seed % 9_973) * 0.754_877_666_2 + this.#draws * 0.618_033_988_749_894_9) % 1;
  }

  async #simulateOutage(request: Request, fault: Fault): Promise<Response> {
    // The body is always read: a client that is still sending would see another error than the fault's.
    const read = request.body === null ? request : new Request(request, { body: await request.arrayBuffer() });
    if (fault.delay_ms > 0) await new Promise((resolve) => setTimeout(resolve, fault.delay_ms));
    const truth = fault.is_carried_out ? await this.#network.answer(read) : undefined;
    const answer = fault.answer ?? truth;
    if (fault.breaks === "reset" || answer === undefined) return this.#network.host.noAnswer();
    return fault.breaks === "cut_off" ? cutOff(answer, request) : respond(answer, request);
  }
}
