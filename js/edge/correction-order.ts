/**
 * The order in which corrections of one conversion reached CAKE. The last status and the last total count there, so this
 * module finds rows of one list that contradict each other, and a row that another correction has followed.
 */

/** The states of a journal's entry. */
type State = "sending" | "corrected" | "refused" | "unknown" | "missing";

/** What a correction is about, read from its text. */
interface Told {
  /** The conversion, by each id that it is named by. */
  readonly conversions: readonly string[];
  /** The id at the note's end; empty without one. */
  readonly id: string;
  /** What it sets, by the parameter's name; `+` for an amount that is added. */
  readonly sets: ReadonlyMap<string, string>;
}

/** Another row that contradicts this one. */
export interface Contradiction {
  /** The parameter that both set. */
  readonly parameter: string;
  readonly otherIndex: number;
}

/** What is known of corrections: their states in the journal, and their places in the list. */
export interface CorrectionOrder {
  /** The last state; once applied, a correction stays applied. */
  stateOf(correction: string): State | undefined;
  /** Takes the journal's next entry. */
  note(correction: string, state: State): void;
  /** The other correction that has this one's own id; `undefined` where CAKE has refused it. */
  findRival(correction: string): string | undefined;
  /** Another row of the list that sets something else, where not both have an id of their own. */
  findContradiction(index: number): Contradiction | undefined;
  /** The parameter that a later correction has set otherwise, unless CAKE has refused that one. */
  findOvertaken(index: number): string | undefined;
  /** Has the correction an id of its own, or does it only add? Such a one counts once for all. */
  isOnce(correction: string): boolean;
}

/** Orders the corrections of a list; an invalid row's text is empty. */
export function createOrder(list: readonly string[]): CorrectionOrder {
  const told = new Map<string, Told>();
  /** The corrections of each conversion. */
  const known = new Map<string, Set<string>>();
  const states = new Map<string, State>();
  /** When each was sent last, as a number of the journal's entry. */
  const sent = new Map<string, number>();
  /** The first and the last row of each. */
  const places = new Map<string, { readonly first: number; readonly last: number }>();
  /** The correction behind each own id of a conversion. */
  const rivals = new Map<string, string>();
  let entries = 0;

  const read = (correction: string): Told => {
    const before = told.get(correction);
    if (before !== undefined) return before;
    const now = readTold(correction);
    told.set(correction, now);
    for (const conversion of now.conversions) {
      const others = known.get(conversion) ?? new Set();
      known.set(conversion, others.add(correction));
    }
    return now;
  };

  /** The corrections of the same conversion that set something else, with its parameter. */
  function* others(correction: string): Generator<readonly [other: string, parameter: string]> {
    const mine = read(correction);
    for (const conversion of mine.conversions) {
      for (const other of known.get(conversion) ?? []) {
        const sets = read(other).sets;
        const parameter = [...mine.sets.keys()].find(
          (name) => sets.has(name) && sets.get(name) !== mine.sets.get(name),
        );
        if (parameter !== undefined) yield [other, parameter];
      }
    }
  }

  list.forEach((correction, index) => {
    if (correction === "") return;
    read(correction);
    places.set(correction, { first: places.get(correction)?.first ?? index, last: index });
  });

  return {
    stateOf: (correction) => states.get(correction),
    note(correction, state) {
      entries += 1;
      if (state === "sending" || !sent.has(correction)) sent.set(correction, entries);
      if (states.get(correction) !== "corrected") states.set(correction, state);
      const key = rivalKey(read(correction));
      if (key === undefined) return;
      if (!isOut(states.get(correction))) rivals.set(key, correction);
      else if (rivals.get(key) === correction) rivals.delete(key);
    },
    findRival(correction) {
      const rival = rivals.get(rivalKey(read(correction)) ?? "");
      return rival === correction ? undefined : rival;
    },
    findContradiction(index) {
      const correction = list[index] ?? "";
      for (const [other, parameter] of others(correction)) {
        const place = places.get(other);
        if (place !== undefined && (read(correction).id === "" || read(other).id === "")) {
          return { parameter, otherIndex: place.first < index ? place.first : place.last };
        }
      }
      return undefined;
    },
    findOvertaken(index) {
      const correction = list[index] ?? "";
      const at = sent.get(correction);
      for (const [other, parameter] of others(correction)) {
        const otherAt = sent.get(other);
        if (otherAt === undefined || isOut(states.get(other))) continue;
        // A row that was never sent is older than those below it.
        if (at === undefined ? (places.get(other)?.first ?? -1) > index : otherAt > at) return parameter;
      }
      return undefined;
    },
    isOnce(correction) {
      const { id, sets } = read(correction);
      return id !== "" || [...sets.values()].every((value) => value === ADDED);
    },
  };
}

const ADDED = "+";

/** CAKE has not applied it. */
function isOut(state: State | undefined): boolean {
  return state === undefined || state === "refused" || state === "missing";
}

/** The conversion and the own id of a correction. */
function rivalKey({ conversions, id }: Told): string | undefined {
  return id === "" ? undefined : JSON.stringify([...conversions, id]);
}

function readTold(correction: string): Told {
  const query = new URLSearchParams(correction);
  const of = (name: string) => query.get(name) ?? "";
  const added = (amount: string) => (/[1-9]/.test(amount) ? ADDED : "");
  const sets = {
    status: of("disposition_type").replace("no_change", ""),
    dispositionId: of("disposition_id").replace(/^0$/, ""),
    payout: /^true$/i.test(of("add_to_existing_payout")) ? added(of("payout")) : of("payout"),
    revenue: { total_revenue: of("received"), additional_revenue: added(of("received")) }[of("received_option")] ?? "",
  };
  const ids = ["conversion_id", "transaction_id"].map((name) => [name, of(name)] as const);
  return {
    conversions: ids
      .filter(([, value]) => value !== "" && value !== "0")
      .map((pair) => JSON.stringify([of("offer_id"), ...pair])),
    id: /\[([^[\]]+)\]$/.exec(of("note_to_append"))?.[1] ?? "",
    sets: new Map(Object.entries(sets).filter(([, value]) => value !== "")),
  };
}
