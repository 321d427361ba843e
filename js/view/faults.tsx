import { useState } from "preact/hooks";
import type { FaultKind, FaultRule, SandboxAction, SandboxState } from "../sandbox/rows.js";
import type { LiveNetwork } from "./network.js";

const KINDS: Record<FaultKind, string> = {
  latency: "late answer",
  rate_limit: "429, Retry-After",
  server_error: "500",
  restricted: "“Restricted”",
  html: "HTML page",
  cut_off: "cut-off body",
  reset_before: "no answer, nothing done",
  reset_after: "no answer, all done",
  redirect: "redirect",
  wrong_json: "wrong JSON",
};

const ACTIONS: Record<SandboxAction, string> = {
  record_conversion: "Record Conversion",
  get_click: "Get Click",
  get_conversions: "Get Conversions",
  conversion_report: "the conversion report",
  create_postback: "Create Postback",
  get_tracking_domains: "Get Tracking Domains",
  clicks: "Clicks (older services)",
  event_conversions: "EventConversions (older services)",
  event_conversion_changes: "EventConversionChanges (older services)",
  update_conversion_events: "UpdateConversionEvents (older services)",
  tracking_domains: "TrackingDomains (older services)",
  click: "tracking links",
  pixel: "pixels",
};

/** The controls for fault injection. */
export function Faults({ state, network }: { state: SandboxState; network: LiveNetwork }) {
  const [action, setAction] = useState<SandboxAction>("record_conversion");
  const [kind, setKind] = useState<FaultKind | "every">("every");
  const [percent, setPercent] = useState(40);
  const put = (rules: readonly FaultRule[], success: string) => network.ask("PUT", "faults", rules, success);
  const add = () =>
    put(
      [...state.faults, { actions: [action], share: percent / 100, kinds: kind === "every" ? [] : [kind] }],
      `${percent} % of ${ACTIONS[action]} will go wrong.`,
    );
  return (
    <section aria-labelledby="faults">
      <h2 id="faults">Faults</h2>
      {state.faults.length === 0 ? (
        <p class="empty">Everything works. Break something:</p>
      ) : (
        <ul class="rules">
          {state.faults.map((rule, index) => (
            <li key={index}>
              <span>{sentence(rule)}</span>
              <button
                type="button"
                aria-label={`Remove: ${sentence(rule)}`}
                onClick={() =>
                  put(
                    state.faults.filter((_, place) => place !== index),
                    "The fault is gone.",
                  )
                }
              >
                Remove
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void add();
        }}
      >
        <label>
          Action
          <select value={action} onChange={(event) => setAction(event.currentTarget.value as SandboxAction)}>
            {Object.entries(ACTIONS).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          Kind
          <select value={kind} onChange={(event) => setKind(event.currentTarget.value as FaultKind | "every")}>
            <option value="every">every kind</option>
            {Object.entries(KINDS).map(([value, words]) => (
              <option key={value} value={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label>
          Share, %
          <input
            type="number"
            min={1}
            max={100}
            required
            value={percent}
            onInput={(event) => setPercent(event.currentTarget.valueAsNumber)}
          />
        </label>
        <button type="submit" class="primary">
          Add fault
        </button>
      </form>
    </section>
  );
}

function sentence({ actions = [], share, kinds = [], script }: FaultRule): string {
  const where = actions.length === 0 ? "the API" : actions.map((action) => ACTIONS[action]).join(", ");
  if (script)
    return `${where}: ${script.length === 0 ? "script played" : script.map((kind) => (kind ? KINDS[kind] : "well")).join(", ")}`;
  const what = kinds.length === 0 ? "every kind" : kinds.map((kind) => KINDS[kind]).join(", ");
  return `${where}: ${Math.round((share ?? 0) * 1000) / 10} %, ${what}`;
}
