/** Onboarding: many postbacks at once. Each is checked, and registered only once, even over several runs. */
import { CakeError, call, isCakeError, toCakeError } from "../error.js";
import { POSTBACK_ENTRY, readEntries } from "../journal-entry.js";
import { checkNames, checkNoMore, checkRecord, choice, copyOf, hookOption, refuse, signalOption } from "../option.js";
import { findChange, findOtherwise, identityOf, postbackKey, toldSettings } from "../postback-key.js";
import type { CakeClient, CreatePostbackParams, Postback } from "./cake-client.js";
import { toJson } from "./call-options.js";
import { checksCore } from "./core.js";
import { copyRows, createSender, inTurn, listRows } from "./one-by-one.js";
import type { CheckedPostbackUrl, Finding } from "./tracking.js";

/** The options of {@link checkPostbacks}. */
export interface CheckPostbacksOptions {
  /** May URLs lead to this machine, such as to a sandbox? @default false */
  readonly sandbox?: boolean | undefined;
}

/** A probable mistake in a row. */
export interface PostbackFinding extends Omit<Finding, "code"> {
  /**
   * A finding's code, or `repeated_row`, or `told_twice`: the same URL for one offer and for all, or
   * `registered_otherwise`: an earlier run has registered it with another status or type, or CAKE has done so now.
   */
  readonly code: Finding["code"] | "repeated_row" | "told_twice" | "registered_otherwise";
  /** The other row's place in the list, for `repeated_row` and `told_twice`. */
  readonly otherIndex?: number | undefined;
}

/** A checked row. */
export interface CheckedPostback {
  /** The row's place in the list, from 0. */
  readonly index: number;
  readonly params: CreatePostbackParams;
  /** CAKE's macros in the URL, such as `reqsessid`. */
  readonly uses: readonly string[];
  /** Probable mistakes. */
  readonly findings: readonly PostbackFinding[];
  /** The broken rule, if CAKE would refuse the row. */
  readonly error?: CakeError | undefined;
}

/**
 * A journal entry: one step of one row. `sending` is written before the request leaves, and another state once the
 * outcome is known. `sending` alone means that the outcome is unknown. `missing` is for a person who has seen in CAKE
 * that the postback is not there.
 */
export interface PostbackEntry {
  readonly affiliateId: number;
  readonly offerId: number;
  readonly postbackUrl: string;
  /** The status: CAKE's answer has it, or the row. */
  readonly postbackStatus?: Postback["postbackStatus"] | undefined;
  /** The type that the row gives. */
  readonly postbackTypeId?: CreatePostbackParams["postbackTypeId"] | undefined;
  /** The type by CAKE's answer. */
  readonly postbackType?: Postback["postbackType"] | undefined;
  readonly state: "sending" | "registered" | "refused" | "unknown" | "missing";
  /** CAKE's id, if the postback is registered. */
  readonly postbackId?: number | undefined;
  /** The error's message. */
  readonly message?: string | undefined;
  /** The time, as an ISO date. */
  readonly at: string;
}

/**
 * Keeps a record of sent rows, so that a rerun registers nothing twice. Use one journal for each account. Calls that have
 * the same object run one after the other; two objects or processes over one store must not run at once.
 */
export interface PostbackJournal {
  /** All entries, the oldest first. */
  read(): Iterable<PostbackEntry> | Promise<Iterable<PostbackEntry>>;
  /** Adds an entry. The request leaves only after the entry is stored durably. */
  append(entry: PostbackEntry): void | Promise<void>;
}

/** The options of {@link applyPostbacks}. */
export interface ApplyPostbacksOptions extends CheckPostbacksOptions {
  /** The account. */
  readonly client: Pick<CakeClient, "createPostback">;
  readonly journal: PostbackJournal;
  /** Register rows with findings too? @default false */
  readonly acceptFindings?: boolean | undefined;
  /** The most requests a second. @default 2 */
  readonly rateLimit?: number | undefined;
  /** Is called for each row, in their order, once its outcome is known. Its errors are ignored. */
  readonly onRow?: ((row: AppliedPostback) => void) | undefined;
  /** Ends the run between two rows. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The outcome of a row:
 *
 * - `registered`: registered now
 * - `already`: registered by an earlier run
 * - `invalid`, `doubtful`: breaks a rule, or has findings, and is not sent
 * - `refused`: refused by CAKE
 * - `unknown`: sent now or earlier without a clear answer, and not sent again
 * - `left`: not reached
 */
export type PostbackOutcome = "registered" | "already" | "invalid" | "doubtful" | "refused" | "unknown" | "left";

/** A row and its outcome. */
export interface AppliedPostback extends CheckedPostback {
  readonly outcome: PostbackOutcome;
  /** CAKE's id of the postback, if it is registered. */
  readonly postbackId?: number | undefined;
}

/** The outcomes of all rows. */
export interface PostbackReport {
  /** Is every row registered, and none `registered_otherwise` by CAKE? */
  readonly ok: boolean;
  readonly rows: readonly AppliedPostback[];
  /** Why the run ended before the last row: CAKE refuses the key, an outage, `aborted`. */
  readonly stopped?: CakeError | undefined;
}

const ROW = ["affiliateId", "offerId", "postbackUrl", "postbackStatus", "postbackTypeId"];
const OPTIONS = ["client", "journal", "sandbox", "acceptFindings", "rateLimit", "onRow", "signal"];

/** No plain object, or an unknown name, with its row's place: nobody finds it among five hundred. */
function checkRow(index: number, row: object): void {
  checkRecord(`rows[${index}]`, row);
  try {
    checkNames("fields of a postback", row, ROW);
  } catch (thrown) {
    if (!isCakeError(thrown)) throw thrown;
    const { code, parameter = "", message } = thrown;
    const rule = `of rows[${index}] ${message.slice(parameter.length + 1)}`;
    throw new CakeError({ code, parameter, rule }, { cause: thrown });
  }
}

/**
 * Checks rows like Create Postback and {@link checkPostbackUrl}, and against each other. Nothing is sent.
 *
 * @throws CakeError `invalid_field` if a row is no object or has an unknown name
 */
export function checkPostbacks(
  rows: Iterable<CreatePostbackParams>,
  options?: CheckPostbacksOptions,
): CheckedPostback[];
export function checkPostbacks(
  rows: Iterable<CreatePostbackParams>,
  options?: CheckPostbacksOptions,
  ...more: unknown[]
): CheckedPostback[] {
  checkNoMore("checkPostbacks", 2, more);
  checkNames("options", options, ["sandbox"]);
  const sandbox = choice("sandbox", options?.sandbox, [true, false]) ?? false;
  const params = listRows(rows);
  params.forEach((row, index) => {
    checkRow(index, row);
  });
  const alone = params.map((row, index): CheckedPostback => {
    try {
      const { uses, findings } = call(() => checksCore.api().checkPostback(toJson(row), sandbox)) as CheckedPostbackUrl;
      return { index, params: row, uses, findings };
    } catch (error) {
      return { index, params: row, uses: [], findings: [], error: toCakeError(error) };
    }
  });
  const first = new Map<string, number>();
  for (const { index, params, error } of alone) {
    if (error === undefined && !first.has(postbackKey(params))) first.set(postbackKey(params), index);
  }
  return alone.map((checked) => {
    const { index, params: row, error } = checked;
    if (error !== undefined) return checked;
    const before = first.get(postbackKey(row)) ?? index;
    const toAll = Number(row.offerId) === 0 ? undefined : first.get(postbackKey({ ...row, offerId: 0 }));
    const between: PostbackFinding[] = [];
    if (before < index) {
      const sentence =
        "The same affiliate, offer and URL stand in a row before: CAKE would tell them twice. Leave one out.";
      between.push({ code: "repeated_row", parameter: "", sentence, otherIndex: before });
    } else if (toAll !== undefined) {
      const sentence =
        "Another row has this URL for all offers of the affiliate: CAKE would tell them twice. Leave one out.";
      between.push({ code: "told_twice", parameter: "", sentence, otherIndex: toAll });
    }
    return { ...checked, findings: [...checked.findings, ...between] };
  });
}

/**
 * Registers a postback for each row, one by one. If the journal has a row as registered, or with an unknown outcome, it
 * is not sent again. No call lists postbacks, so a person has to look up an unknown outcome. Rows with findings are
 * left out.
 *
 * @throws CakeError `invalid_field`; errors of single rows are in the report
 * @example
 * const { ok, rows } = await applyPostbacks(
 *   [{ affiliateId: 67890, offerId: 0, postbackUrl: "https://tracking.partner.com/?id=#reqsessid#&payout=#price#" }],
 *   { client: cake, journal },
 * );
 */
export async function applyPostbacks(
  rows: Iterable<CreatePostbackParams>,
  options: ApplyPostbacksOptions,
): Promise<PostbackReport>;
export async function applyPostbacks(
  rows: Iterable<CreatePostbackParams>,
  options: ApplyPostbacksOptions,
  ...more: unknown[]
): Promise<PostbackReport> {
  checkNoMore("applyPostbacks", 2, more);
  if (typeof options !== "object" || options === null) refuse("options", "must be an object");
  const kept = copyRows(rows);
  const settings = copyOf(options);
  return inTurn(settings.journal, () => registerAll(kept, settings));
}

async function registerAll(
  rows: readonly CreatePostbackParams[],
  options: ApplyPostbacksOptions,
): Promise<PostbackReport> {
  checkNames("options", options, OPTIONS);
  const { client, journal } = options;
  if (typeof client?.createPostback !== "function") refuse("client", "must be a client, as createCakeClient makes it");
  if (typeof journal?.read !== "function" || typeof journal.append !== "function") {
    refuse("journal", "must have read() and append(entry)");
  }
  const acceptFindings = choice("acceptFindings", options.acceptFindings, [true, false]) ?? false;
  const onRow = hookOption("onRow", options.onRow);
  const sender = createSender(options.rateLimit ?? 2, signalOption(options.signal));
  const checked = checkPostbacks(rows, options.sandbox === undefined ? {} : { sandbox: options.sandbox });
  const known = latest(readEntries(await journal.read(), POSTBACK_ENTRY));
  const done: AppliedPostback[] = [];

  /** Registers one row that the journal does not know. */
  async function register(row: CheckedPostback): Promise<AppliedPostback> {
    const note = (step: Pick<PostbackEntry, "state" | "message" | "postbackId" | "postbackStatus" | "postbackType">) =>
      journal.append({ ...identityOf(row.params), ...step, at: new Date().toISOString() });
    const sent = await sender.send(note, async () => {
      const created = await client.createPostback(row.params);
      // As CAKE has it: a rerun tells of a difference again.
      await note({ state: "registered", postbackId: created.postbackId, ...toldSettings(created, row.params) });
      return created;
    });
    if (sent.outcome !== "done") return { ...row, outcome: sent.outcome, error: sent.error };
    const { postbackId } = sent.done;
    const otherwise = findOtherwise(row.params, sent.done);
    const findings = otherwise === undefined ? row.findings : [...row.findings, otherwise];
    return { ...row, findings, outcome: "registered", postbackId };
  }

  for (const row of checked) {
    const applied = await (async (): Promise<AppliedPostback> => {
      if (row.error !== undefined) return { ...row, outcome: "invalid" };
      const entry = known.get(postbackKey(row.params));
      const isRepeated = row.findings.some(({ code }) => code === "repeated_row");
      if (isRepeated) return { ...row, outcome: "doubtful" };
      if (entry?.state === "registered") {
        const id = entry.postbackId === undefined ? {} : { postbackId: entry.postbackId };
        const change = findChange(entry, row.params);
        if (change === undefined) return { ...row, outcome: "already", ...id };
        return { ...row, outcome: "doubtful", findings: [...row.findings, change], ...id };
      }
      if (entry?.state === "sending" || entry?.state === "unknown") return { ...row, outcome: "unknown" };
      if (row.findings.length > 0 && !acceptFindings) return { ...row, outcome: "doubtful" };
      if (sender.stopped !== undefined) return { ...row, outcome: "left" };
      return register(row);
    })();
    done.push(applied);
    onRow?.(applied);
  }
  const ok = done.every(({ outcome, findings }) => {
    const isOtherwise = findings.some(({ code }) => code === "registered_otherwise");
    return (outcome === "registered" || outcome === "already") && !isOtherwise;
  });
  return { ok, rows: done, ...(sender.stopped && { stopped: sender.stopped }) };
}

/** The last entry of each postback. */
function latest(entries: Iterable<PostbackEntry>): Map<string, PostbackEntry> {
  const found = new Map<string, PostbackEntry>();
  for (const entry of entries) {
    const before = found.get(postbackKey(entry));
    // A registered postback stays registered, even if a second parallel run wrote another state after it.
    if (before?.state !== "registered") found.set(postbackKey(entry), entry);
  }
  return found;
}
