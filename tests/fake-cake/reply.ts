/** What the fake CAKE can be told to answer: plain JSON, so that a test inside workerd says it too. */

import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** Where a test opens a fake CAKE of its own. */
    fakeCakes: string;
  }
}

/** How an answer travels. */
export type Wire =
  /** With its length. */
  | "whole"
  | "chunked"
  | "gzip"
  /** Fewer bytes than its length says, then the connection is reset. */
  | "truncated"
  /** Its head, then bytes for as long as anybody reads. */
  | "endless"
  /** Its head and nothing more. */
  | "stalls"
  /** Nothing at all: the connection stays open. */
  | "silent"
  /** The connection is reset without an answer. */
  | "reset"
  /** Bytes that are no HTTP. */
  | "garbage";

/** One answer. Without `status` and `body` it is what a well CAKE answers. */
export interface Reply {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content type. @default "application/json" */
  readonly type?: string;
  /**
   * In it `#conversion_id#`, `#click_id#`, `#offer_id#`, `#unique_id#`, `#api_key#` and `#url#` are
   * filled in.
   * @default what a well CAKE answers
   */
  readonly body?: string;
  /** Records the conversion before it answers. @default false where there is a status, a body or a wire */
  readonly records?: boolean;
  /** @default "whole" */
  readonly wire?: Wire;
  /** The first bytes are a byte order mark. @default false */
  readonly mark?: boolean;
  /** The body's bytes. @default "utf8" */
  readonly encoding?: "utf8" | "latin1" | "utf16le";
  /** Waits before it answers, in milliseconds. @default 0 */
  readonly afterMs?: number;
}

/** What can be asked of CAKE. */
export type Asked = "record" | "click" | "report" | "pixel";

/** Answers for some requests, one after the other; what is not scripted is answered well. */
export interface Script {
  /** @default record and pixel */
  readonly asked?: Asked | readonly Asked[];
  /** Only these unique ids. @default all */
  readonly uniqueIds?: readonly string[];
  /** Only these click ids. @default all */
  readonly clickIds?: readonly string[];
  readonly replies: readonly Reply[];
  /** The last reply goes on for ever. @default false */
  readonly forever?: boolean;
}

/** How a fake CAKE's account is set up. */
export interface AccountSettings {
  /** Does CAKE deduplicate by unique id? @default true */
  readonly deduplicates?: boolean;
  /** What it answers to a duplicate: the first conversion again, or a refusal in these words. @default the first again */
  readonly duplicateWords?: string;
  /** How Get Click writes that a click has no conversion. @default 0, as .NET does */
  readonly none?: 0 | null | "" | "0";
  /** The offer that clicks belong to. @default 12345 */
  readonly clickOffer?: number;
}

/** A conversion that the fake CAKE has recorded. */
export interface Recorded {
  readonly conversionId: number;
  readonly clickId: string;
  readonly offerId: number;
  readonly uniqueId: string;
  readonly conversionDate: string;
  readonly payout: string;
}

/** A request that the fake CAKE has seen. */
export interface Seen {
  readonly asked: Asked | "other";
  readonly path: string;
  readonly uniqueId: string;
  readonly clickId: string;
  readonly atMs: number;
  /** The key in it. */
  readonly apiKey: string;
}

/** Turns a fake CAKE's knobs from anywhere. */
export class FakeCake {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Opens a CAKE of one's own, at the hall's origin. */
  static async open(hall: string, settings: AccountSettings = {}): Promise<FakeCake> {
    const response = await fetch(`${hall}/open`, { method: "POST", body: JSON.stringify(settings) });
    return new FakeCake(((await response.json()) as { origin: string }).origin);
  }

  /** Adds answers, in front of those that are there. */
  async answer(script: Script): Promise<void> {
    await fetch(`${this.origin}/__fake/scripts`, { method: "POST", body: JSON.stringify(script) });
  }

  /** Forgets every script: all is well again. */
  async heal(): Promise<void> {
    await fetch(`${this.origin}/__fake/scripts`, { method: "DELETE" });
  }

  async recorded(uniqueId?: string): Promise<readonly Recorded[]> {
    const { recorded } = await this.#told();
    return uniqueId === undefined ? recorded : recorded.filter((each) => each.uniqueId === uniqueId);
  }

  async seen(asked?: Seen["asked"]): Promise<readonly Seen[]> {
    const { seen } = await this.#told();
    return asked === undefined ? seen : seen.filter((each) => each.asked === asked);
  }

  /** Closes it. */
  async close(): Promise<void> {
    await fetch(`${this.origin}/__fake`, { method: "DELETE" });
  }

  async #told(): Promise<{ recorded: Recorded[]; seen: Seen[] }> {
    return (await (await fetch(`${this.origin}/__fake`)).json()) as never;
  }
}
