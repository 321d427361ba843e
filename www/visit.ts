/** What the shop's pages tell the demo of a visit, and what the demo asks of them, across frames and tabs. */

/** The state of one visit. */
export interface Visit {
  /** The page that tells. */
  readonly page: "landing" | "thanks";
  readonly address: string;
  readonly clickId: string | undefined;
  /** Where the click id is stored. */
  readonly stores: readonly ("cookie" | "localStorage")[];
  /** Until when, in milliseconds since 1970; undefined where nothing is stored. */
  readonly until: number | undefined;
  readonly order?: Order;
}

/** What came of the thank-you page's conversion. */
export interface Order {
  readonly uniqueId: string;
  readonly offerId: number;
  /** What `tracker.convert` said; undefined while it has not. */
  readonly state: string | undefined;
  /** The forwarder's id of it. */
  readonly id?: string | undefined;
  readonly code?: string | undefined;
}

const CHANNEL = "cake-edge-demo";

/** Tells whoever watches. */
export function tellVisit(visit: Visit): void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.postMessage(visit);
  channel.close();
}

/** Listens to visits; the answer ends it. */
export function watchVisits(see: (visit: Visit) => void): () => void {
  const channel = new BroadcastChannel(CHANNEL);
  channel.onmessage = ({ data }) => see(data as Visit);
  return () => channel.close();
}
