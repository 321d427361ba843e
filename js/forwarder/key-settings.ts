/**
 * The settings under which shops and postbacks make the keys of their orders, those of before too. An order of before
 * that is told again is looked for under them. The first shard keeps the memory; who is the same sender, and how long a
 * setting is remembered, is decided here.
 */

/** A shop or a postback, as it is set now. */
export interface Sender {
  /** The platform, or the postback's name behind its route. */
  readonly name: string;
  /** Digests of its secrets: a shop is the same shop where one of them is the same. Empty for a postback. */
  readonly digests: readonly string[];
  /** Its {@link ShopKeys} or {@link PostbackKeys}, as JSON. */
  readonly keys: string;
  /** Is it the only one of this name, so that it is the one of before although all secrets are new? */
  readonly isSole: boolean;
}

/** The settings that decide the key of a shop's order. */
export interface ShopKeys {
  /** 0 where a mapping chooses it. */
  readonly offerId: number;
  readonly uniqueId: "id" | "name" | "number";
  readonly idPrefix: string;
  readonly isMapped: boolean;
}

/** The settings that decide the key of a postback's conversion: the offer, or its parameter. */
export interface PostbackKeys {
  readonly offerId?: number | undefined;
  readonly map: { readonly uniqueId: string; readonly offerId?: string | undefined };
}

/** One setting of a sender. */
interface Use {
  readonly keys: string;
  /** When it was first known to be in use; absent where an older release has noted it. */
  readonly sinceMs?: number | undefined;
  /** When it was last known to be in use. */
  readonly atMs: number;
  /** May it be in use still? During a rolling release two settings are. */
  readonly isOpen: boolean;
  /** Has a start been without its sender since? */
  readonly hasLeft?: true | undefined;
}

/** When a sender had a setting, as far as it is remembered. */
export interface Span {
  readonly keys: string;
  /** Absent: nobody knows since when. */
  readonly sinceMs?: number | undefined;
  /** Absent: it may be in use still. */
  readonly untilMs?: number | undefined;
}

/** When a sender has had its settings, and when others of its name have had theirs. */
export interface Spans {
  readonly own: readonly Span[];
  readonly others: readonly Span[];
}

/** A setting of before of a sender that is still there. */
export interface Held {
  readonly keys: string;
  /** The place of that sender in the list of all. */
  readonly by: number;
  /** How long it is remembered. */
  readonly untilMs: number;
}

/** A sender, and the settings that it had. */
interface Remembered {
  readonly name: string;
  readonly digests: readonly string[];
  readonly uses: readonly Use[];
}

/** The most settings of before, for each sender. */
const MAX_FORMER = 8;
const MAX_DIGESTS = 16;
const MAX_SENDERS = 128;
const DAY_MS = 86_400_000;
/** How long a release may roll: a setting that no start has had since is one of before. */
const ROLLING_MS = 7 * DAY_MS;

/** What follows from a start. */
export interface Noted {
  /** The memory for the next time; the same text where there is nothing to write. */
  readonly text: string;
  /** For each sender, the keys that it had before, the latest first. */
  readonly former: readonly (readonly string[])[];
  /** For each sender; empty where none shares its name with another one. */
  readonly spans: readonly Spans[];
  /** For each sender whose settings are new to it, those that senders beside it had before. */
  readonly held: readonly (readonly Held[])[];
}

/**
 * Notes the settings of a start. `text` is the memory, or empty. A start with the settings of the one before changes
 * nothing; starts of two releases at once change it once a day at most. A time before `setFromMs` is of a clock that was
 * not set, and counts as now.
 */
export function noteSenders(
  text: string,
  senders: readonly Sender[],
  nowMs: number,
  retentionMs: number,
  setFromMs = 0,
): Noted {
  const dated = (use: Use) => ({
    ...use,
    atMs: use.atMs < setFromMs ? nowMs : use.atMs,
    sinceMs: (use.sinceMs ?? 0) < setFromMs ? undefined : use.sinceMs,
  });
  let all: readonly Remembered[] = read(text).map((each) => ({ ...each, uses: each.uses.map(dated) }));
  const groups = new Map<Remembered, Sender[]>();
  for (const sender of senders) {
    const mine = all.filter((each) => isSame(each, sender, all));
    const merged = merge(sender, mine);
    const group = [...mine.flatMap((each) => groups.get(each) ?? []), sender];
    for (const each of mine) groups.delete(each);
    groups.set(merged, group);
    all = [...all.filter((each) => !mine.includes(each)), merged];
  }
  const isKept = ({ isOpen, atMs }: Use) => isOpen || atMs + retentionMs >= nowMs;
  const former = new Map<Sender, readonly string[]>();
  const place = new Map<Sender, number>();
  const next = all.map((remembered, index) => {
    const group = groups.get(remembered) ?? [];
    const uses = usesAfter(remembered.uses, [...new Set(group.map(({ keys }) => keys))], nowMs).filter(isKept);
    for (const sender of group) {
      place.set(sender, index);
      const others = uses.filter(({ keys }) => keys !== sender.keys).sort((a, b) => b.atMs - a.atMs);
      former.set(
        sender,
        others.slice(0, MAX_FORMER).map(({ keys }) => keys),
      );
    }
    return { ...remembered, uses };
  });
  const latest = ({ uses }: Remembered) => Math.max(...uses.map(({ atMs }) => atMs));
  const isCurrent = (_: Remembered, index: number) => groups.has(all[index] as Remembered);
  const current = next.filter(isCurrent);
  const others = next.filter((each, index) => !isCurrent(each, index) && each.uses.length > 0);
  const kept = [...current, ...others.sort((a, b) => latest(b) - latest(a))].slice(0, MAX_SENDERS);
  const written = JSON.stringify(kept.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1)));
  const groupOf = (index: number) => groups.get(all[index] as Remembered) ?? [];
  const spansIn = (index: number) => {
    const keys = groupOf(index).map((each) => each.keys);
    return (next[index]?.uses ?? []).map((use) => spanOf(use, keys.includes(use.keys)));
  };
  const otherPlaces = (sender: Sender) =>
    next.flatMap(({ name }, index) => (name === sender.name && index !== place.get(sender) ? [index] : []));
  const spansOf = (sender: Sender): Spans => {
    const own = place.get(sender) ?? -1;
    // What one sender was before it became several was each one's. What one of them has now is not another one's.
    const beside = groupOf(own).filter((each) => each !== sender);
    return {
      own: spansIn(own),
      others: [...beside.map(({ keys }) => ({ keys })), ...otherPlaces(sender).flatMap(spansIn)],
    };
  };
  const heldFrom = (sender: Sender): readonly Held[] => {
    const isKnown = all[place.get(sender) ?? -1]?.uses.some(({ keys }) => keys === sender.keys);
    if (isKnown === true) return [];
    return otherPlaces(sender).flatMap((index) => {
      const [by] = groupOf(index);
      if (by === undefined) return [];
      return (next[index]?.uses ?? [])
        .filter(({ keys }) => keys !== by.keys)
        .map(({ keys, atMs }) => ({ keys, by: senders.indexOf(by), untilMs: atMs + retentionMs }));
    });
  };
  const spans = senders.map(spansOf);
  return {
    text: written,
    former: senders.map((sender) => former.get(sender) ?? []),
    spans: spans.some(({ others }) => others.length > 0) ? spans : [],
    held: senders.map(heldFrom),
  };
}

/** When a use was one, or is one. The release of before may run on beside the one that ended it. */
function spanOf({ keys, sinceMs, atMs }: Use, isCurrent: boolean): Span {
  return { keys, sinceMs, untilMs: isCurrent ? undefined : atMs + ROLLING_MS };
}

const keyOf = ({ name, digests }: Remembered) => `${name} ${digests.join()}`;

function isSame(remembered: Remembered, sender: Sender, all: readonly Remembered[]): boolean {
  const isNamed = (each: Remembered) => each.name === sender.name;
  const shares = (each: Remembered) => each.digests.some((digest) => sender.digests.includes(digest));
  if (!isNamed(remembered)) return false;
  if (shares(remembered)) return true;
  const named = all.filter(isNamed);
  return sender.isSole && named.length === 1 && !named.some(shares);
}

/** One sender of what was remembered as several, with the secrets of all. */
function merge({ name, digests }: Sender, several: readonly Remembered[]): Remembered {
  const known = several.flatMap((each) => each.digests);
  const fresh = digests.filter((digest) => !known.includes(digest));
  const uses = new Map<string, Use>();
  for (const use of several.flatMap((each) => each.uses)) {
    const other = uses.get(use.keys);
    uses.set(use.keys, other === undefined ? use : together(use, other));
  }
  return { name, digests: [...fresh, ...new Set(known)].slice(0, MAX_DIGESTS), uses: [...uses.values()] };
}

/** One setting that was remembered of two senders. */
function together(one: Use, two: Use): Use {
  const isDated = one.sinceMs !== undefined && two.sinceMs !== undefined;
  return {
    keys: one.keys,
    sinceMs: isDated ? Math.min(one.sinceMs, two.sinceMs) : undefined,
    atMs: Math.max(one.atMs, two.atMs),
    isOpen: one.isOpen || two.isOpen,
    hasLeft: one.hasLeft && two.hasLeft,
  };
}

/** The settings of a sender after a start with `current`, which are several where a shop was split. */
function usesAfter(before: readonly Use[], current: readonly string[], nowMs: number): readonly Use[] {
  const isCurrent = ({ keys }: Use) => current.includes(keys);
  const added = current.filter((keys) => !before.some((use) => use.keys === keys));
  const isTurn = added.length > 0 || before.some((use) => isCurrent(use) && !use.isOpen);
  const areSeveral = before.some((use) => !isCurrent(use) && use.isOpen);
  const after = before.map((use): Use => {
    if (isCurrent(use)) {
      const isStale = !use.isOpen || use.hasLeft || (areSeveral && use.atMs + DAY_MS < nowMs);
      return isStale ? { ...use, atMs: nowMs, isOpen: true, hasLeft: undefined } : use;
    }
    if (!use.isOpen) return use;
    // Its sender was there until now.
    if (current.length === 0 && !use.hasLeft) return { ...use, atMs: nowMs, hasLeft: true };
    // It was in use until now. Where the settings were set back, the other release may still run.
    if (isTurn) return { ...use, atMs: nowMs, isOpen: added.length === 0 };
    return use.atMs + ROLLING_MS < nowMs ? { ...use, isOpen: false } : use;
  });
  const former = after.filter((use) => !isCurrent(use)).sort((a, b) => b.atMs - a.atMs);
  const dropped = former.slice(MAX_FORMER);
  return [
    ...after.filter((use) => !dropped.includes(use)),
    ...added.map((keys) => ({ keys, sinceMs: nowMs, atMs: nowMs, isOpen: true })),
  ];
}

function read(text: string): readonly Remembered[] {
  try {
    const all = JSON.parse(text) as readonly Remembered[];
    return all.filter(({ name, digests, uses }) => name !== "" && Array.isArray(digests) && Array.isArray(uses));
  } catch {
    return [];
  }
}
