/** Signals that end a command, and what it does before. */
import { isIgnored } from "../../sys/signals.ts";

/** Exit status of a program that a signal ended. */
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/**
 * Calls `ended` at the first of each of Ctrl-C and its like, with the exit status for it; not at
 * those that whoever started this process had it ignore. The result ends that.
 */
export function onSignals(ended: (status: number) => void): () => void {
  const heard = SIGNALS.filter(([signal]) => !isIgnored(signal));
  const handlers = heard.map(([signal, status]) => {
    const handler = (): void => ended(status);
    process.once(signal, handler);
    return () => process.off(signal, handler);
  });
  return () => handlers.forEach((off) => off());
}
