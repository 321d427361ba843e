/**
 * The forwarder under chaos: its clock runs faster than real time, and it logs nothing. Each release in a list has its
 * numbers of shards. Two releases run at once: a share of the objects and requests has the later one.
 */
import { createForwarder } from "cake-edge/forwarder";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
  readonly CAKE_BASE_URL: string;
  readonly CAKE_API_KEY: string;
  readonly CAKE_OPERATOR_SECRET: string;
  readonly CAKE_DEDUPLICATES: string;
  readonly CAKE_SEVERAL_PER_CLICK: string;
  readonly CAKE_CLOCK_SPEED: string;
  readonly CAKE_SIGNING_SECRETS: string;
  /** JSON: the numbers of shards of each release, as {@link Numbers}. */
  readonly CAKE_RELEASES: string;
  /** The progress of the releases: 1.25 is a quarter of the way from the second to the third. */
  readonly CAKE_PROGRESS: string;
}

/** An environment of one release. */
type Released = Env & { readonly numbers: Numbers };
interface Numbers {
  readonly shards: number;
  readonly formerShards: readonly number[];
}

const forwarder = createForwarder<Released>((env) => ({
  outbox: env.OUTBOX,
  ...env.numbers,
  baseUrl: env.CAKE_BASE_URL,
  apiKey: env.CAKE_API_KEY,
  operatorSecret: env.CAKE_OPERATOR_SECRET,
  signingSecrets: [env.CAKE_SIGNING_SECRETS],
  upstreamDedupe: env.CAKE_DEDUPLICATES === "yes",
  // Longer than the slowest answer, and than the requests that a killed forwarder may have left under way.
  timeoutMs: 2_000,
  severalPerClick: env.CAKE_SEVERAL_PER_CLICK === "yes",
  clockSpeed: Number(env.CAKE_CLOCK_SPEED),
  log: () => undefined,
}));

const released = new WeakMap<Env, Released[]>();

/** The environment for an object or request that changes over at this point of a release's way, from 0 to 1. */
function releaseFor(env: Env, turn: number): Released {
  let all = released.get(env);
  if (all === undefined) {
    all = (JSON.parse(env.CAKE_RELEASES) as Numbers[]).map((numbers) => ({ ...env, numbers }));
    released.set(env, all);
  }
  const progress = Number(env.CAKE_PROGRESS);
  const whole = Math.floor(progress);
  const chosen = all[turn < progress - whole ? whole + 1 : whole];
  if (chosen === undefined) throw new Error("there is no such release");
  return chosen;
}

export class CakeOutbox extends forwarder.Outbox {
  constructor(ctx: DurableObjectState, env: Env) {
    // By the object's id: an object that has changed over stays so after each start.
    super(ctx, releaseFor(env, Number.parseInt(ctx.id.toString().slice(0, 8), 16) / 2 ** 32));
  }
}
export default { fetch: (request: Request, env: Env) => forwarder.fetch(request, releaseFor(env, Math.random())) };
