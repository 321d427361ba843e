/** Days of the account, in its time zone: the sandbox's is UTC. */
export const DAY_MS = 86_400_000;

/** The day of an instant in milliseconds, as `YYYY-MM-DD`. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}
