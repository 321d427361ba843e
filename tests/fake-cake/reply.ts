/** The answers that a test can set on the fake CAKE: plain JSON, so that a test inside workerd can send them too. */

import "vitest";

declare module "vitest" {
  interface ProvidedContext {
    /** The address where a test opens its own fake CAKE. */
    fakeCakes: string;
  }
}

/** The transport of an answer. */
export type Wire =
  /** With its length. */
  | "whole"
  | "chunked"
  | "gzip"
  /** Fewer bytes than the declared length, then the connection is reset. */
  | "truncated"
  /** The head, then bytes for as long as the client reads. */
  | "endless"
  /** The head and nothing more. */
  | "stalls"
  /** Nothing at all: the connection stays open. */
  | "silent"
  /** The connection is reset without an answer. */
  | "reset"
  /** Bytes that are not HTTP. */
  | "garbage"
  /** 101 Switching Protocols, and the connection stays open. */
  | "switches"
  /** The same, and the connection is closed. */
  | "switches and closes";

/** One answer. Without `status` and `body`, it is the answer of a healthy CAKE. */
export interface Reply {
  /** @default 200 */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** The content type. @default "application/json" */
  readonly type?: string;
  /**
   * The body, in which `#conversion_id#`, `#click_id#`, `#offer_id#`, `#unique_id#`, `#api_key#` and `#url#` are
   * replaced.
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

/** The kinds of requests to CAKE. */
export type Asked = "record" | "click" | "report" | "pixel";

/** Answers for some requests, in sequence; a request without a script gets a good answer. */
export interface Script {
  /** @default record and pixel */
  readonly asked?: Asked | readonly Asked[];
  /** Only these unique ids. @default all */
  readonly uniqueIds?: readonly string[];
  /** Only these click ids. @default all */
  readonly clickIds?: readonly string[];
  readonly replies: readonly Reply[];
  /** Repeats the last reply for ever. @default false */
  readonly forever?: boolean;
}

/** The settings of a fake CAKE's account. */
export interface AccountSettings {
  /** Does CAKE deduplicate by unique id? @default true */
  readonly deduplicates?: boolean;
  /** The answer to a duplicate: the first conversion again, or a refusal in these words. @default the first again */
  readonly duplicateWords?: string;
  /** The value in Get Click's answer for a click without a conversion. @default 0, as .NET does */
  readonly none?: 0 | null | "" | "0";
  /** The offer of the clicks. @default 12345 */
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

/** A request that the fake CAKE has received. */
export interface Seen {
  readonly asked: Asked | "other";
  readonly path: string;
  readonly uniqueId: string;
  readonly clickId: string;
  readonly atMs: number;
  /** The key in the request. */
  readonly apiKey: string;
}

/** Controls a fake CAKE from anywhere. */
export class FakeCake {
  readonly origin: string;

  constructor(origin: string) {
    this.origin = origin;
  }

  /** Opens a CAKE for one test, at the hall's origin. */
  static async open(hall: string, settings: AccountSettings = {}): Promise<FakeCake> {
    const response = await fetch(`${hall}/open`, { method: "POST", body: JSON.stringify(settings) });
    return new FakeCake(((await response.json()) as { origin: string }).origin);
  }

  /** Adds answers before the existing ones. */
  async answer(script: Script): Promise<void> {
    await fetch(`${this.origin}/__fake/scripts`, { method: "POST", body: JSON.stringify(script) });
  }

  /** Removes every script: all answers are good again. */
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

  /** Closes this CAKE. */
  async close(): Promise<void> {
    await fetch(`${this.origin}/__fake`, { method: "DELETE" });
  }

  async #told(): Promise<{ recorded: Recorded[]; seen: Seen[] }> {
    return (await (await fetch(`${this.origin}/__fake`)).json()) as never;
  }
}
