/** The package's forwarder, with counts of its statements and of all rows written that Cloudflare bills. */
import { forwarder } from "./ours.ts";

interface Env {
  readonly OUTBOX: DurableObjectNamespace;
}

type Args = ConstructorParameters<typeof forwarder.Outbox>;

export class CakeOutbox extends forwarder.Outbox {
  readonly #cursors: { readonly rowsWritten: number }[];
  readonly #alarms: { count: number };

  constructor(ctx: Args[0], env: Args[1]) {
    const cursors: { readonly rowsWritten: number }[] = [];
    const alarms = { count: 0 };
    const { storage } = ctx;
    const exec = storage.sql.exec.bind(storage.sql);
    const setAlarm = storage.setAlarm.bind(storage);
    const deleteAlarm = storage.deleteAlarm.bind(storage);
    Object.defineProperty(storage.sql, "exec", {
      value: (...args: Parameters<typeof exec>) => {
        const cursor = exec(...args);
        cursors.push(cursor);
        return cursor;
      },
    });
    Object.defineProperty(storage, "setAlarm", {
      value: (...args: Parameters<typeof setAlarm>) => {
        alarms.count += 1;
        return setAlarm(...args);
      },
    });
    Object.defineProperty(storage, "deleteAlarm", {
      value: (...args: Parameters<typeof deleteAlarm>) => {
        alarms.count += 1;
        return deleteAlarm(...args);
      },
    });
    super(ctx, env);
    this.#cursors = cursors;
    this.#alarms = alarms;
  }

  override async fetch(request: Request): Promise<Response> {
    // Like the cron trigger: sweeps until all stored events are past their retention.
    if (new URL(request.url).pathname.endsWith("/purged")) {
      const now = Date.now;
      try {
        for (let day = 1; day <= 80; day += 1) {
          Date.now = () => now() + day * 86_400_000;
          await this.sweep();
        }
      } finally {
        Date.now = now;
      }
    }
    const rows = this.#cursors.reduce((sum, { rowsWritten }) => sum + rowsWritten, 0);
    return Response.json({ rows, alarms: this.#alarms.count, statements: this.#cursors.length });
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (!/\/(written|purged)$/.test(pathname)) return forwarder.fetch(request, env as never);
    return env.OUTBOX.getByName("shard 0").fetch(request);
  },
};
