import type { ComponentChildren } from "preact";
import type { ConversionRow, FiredPostback, SandboxState } from "../sandbox/rows.js";
import type { LiveNetwork } from "./network.js";
import { Scroll } from "./scroll.js";

type Moves = SandboxState["status_moves"][number]["moves"];

const LABELS = { approve: "Approve", reject: "Reject", reverse: "Reverse" } as const;

function movesFrom({ status_moves }: SandboxState, status: string): Moves {
  return status_moves.find(({ conversion_status }) => conversion_status === status)?.moves ?? [];
}

interface TableProps {
  readonly id: string;
  readonly title: string;
  readonly empty: string;
  readonly columns: readonly string[];
  readonly isEmpty: boolean;
  readonly children: ComponentChildren;
}

function Table({ id, title, empty, columns, isEmpty, children }: TableProps) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      {isEmpty ? (
        <p class="empty">{empty}</p>
      ) : (
        <Scroll name={title} isTall>
          <table>
            <thead>
              <tr>
                {columns.map((column) => (
                  <th key={column} scope="col" class={column === "Payout" ? "number" : undefined}>
                    {column}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>{children}</tbody>
          </table>
        </Scroll>
      )}
    </section>
  );
}

function Id({ value }: { value: string }) {
  return (
    <code class="id" title={value}>
      {value}
    </code>
  );
}

export function Conversions({ state, network }: { state: SandboxState; network: LiveNetwork }) {
  return (
    <Table
      id="conversions"
      title="Conversions"
      empty="None yet: click a tracking link, then convert on the landing page."
      columns={["Conversion", "When", "Affiliate", "Payout", "Status", "Unique id", "Click id", "Actions"]}
      isEmpty={state.conversions.length === 0}
    >
      {state.conversions.map((row) => (
        <Conversion key={row.conversion_id} row={row} state={state} network={network} />
      ))}
    </Table>
  );
}

function Conversion({ row, state, network }: { row: ConversionRow; state: SandboxState; network: LiveNetwork }) {
  const { conversion_id, conversion_status } = row;
  return (
    <tr>
      <th scope="row">{conversion_id}</th>
      <td class="when">{row.conversion_date}</td>
      <td>{affiliateName(state, row.affiliate_id)}</td>
      <td class="number strong">{row.payout}</td>
      <td>
        <span class={`pill ${conversion_status}`}>{conversion_status}</span>
      </td>
      <td>{row.unique_id === null ? <span class="soft">none</span> : <Id value={row.unique_id} />}</td>
      <td>
        <Id value={row.click_id} />
      </td>
      <td class="buttons">
        {movesFrom(state, conversion_status).map(({ verb, leads_to }) => (
          <button
            key={verb}
            type="button"
            aria-label={`${LABELS[verb]} conversion ${conversion_id}`}
            onClick={() =>
              network.ask(
                "POST",
                `conversions/${conversion_id}/${verb}`,
                undefined,
                `Conversion ${conversion_id} is ${leads_to}.`,
              )
            }
          >
            {LABELS[verb]}
          </button>
        ))}
      </td>
    </tr>
  );
}

export function Clicks({ state }: { state: SandboxState }) {
  return (
    <Table
      id="clicks"
      title="Clicks"
      empty="None yet: click a tracking link above."
      columns={["When", "Affiliate", "Offer", "s1", "Country", "Click id", "Converted"]}
      isEmpty={state.clicks.length === 0}
    >
      {state.clicks.map((row) => (
        <tr key={row.number}>
          <td class="when">{row.click_date}</td>
          <td>{affiliateName(state, row.affiliate_id)}</td>
          <td>{state.fixture.offers.find(({ offer_id }) => offer_id === row.offer_id)?.offer_name ?? row.offer_id}</td>
          <td>{row.sub_id_1 ?? <span class="soft">none</span>}</td>
          <td>{row.country}</td>
          <td>
            <Id value={row.click_id} />
          </td>
          <td>{row.conversion_id ?? <span class="soft">no</span>}</td>
        </tr>
      ))}
    </Table>
  );
}

export function Postbacks({ state }: { state: SandboxState }) {
  return (
    <Table
      id="postbacks"
      title="Postbacks"
      empty="None fired yet."
      columns={["When", "Conversion", "Tells of", "Type", "State", "URL"]}
      isEmpty={state.postbacks.length === 0}
    >
      {state.postbacks.map((row) => (
        <tr key={row.fired_id}>
          <td class="when">{new Date(row.answered_ms ?? row.at_ms).toISOString().slice(0, 19).replace("T", " ")}</td>
          <td>{row.conversion_id}</td>
          <td>{row.event}</td>
          <td>{row.postback_type}</td>
          <td>
            <span class={`pill ${row.state}`}>{outcome(row)}</span>
          </td>
          <td class="url">{row.url}</td>
        </tr>
      ))}
    </Table>
  );
}

function outcome({ state, status, attempts }: FiredPostback): string {
  switch (state) {
    case "delivered":
      return `answered ${status}`;
    case "due":
      return attempts === 0 ? "on its way" : `${status ?? "no answer"}, again soon`;
    case "failed":
      return `given up, ${status ?? "no answer"}`;
    case "refused":
      return "host not allowed";
    case "in_browser":
      return "sent to the browser";
    case "undeliverable":
      return "needs a browser";
  }
}

function affiliateName(state: SandboxState, affiliateId: number): string {
  const found = state.fixture.affiliates.find(({ affiliate_id }) => affiliate_id === affiliateId);
  return found?.affiliate_name ?? String(affiliateId);
}
