/**
 * Owns what every benchmark does around its measuring: how its flags are refused, where it runs,
 * how it ends. Never measures. Invariant: whatever ends it, what it has started is stopped (by the
 * handlers of "exit" in spawn.ts and temporary.ts), and the status says how it went.
 */
import { enterNetwork } from "./network.ts";
import { machineFacts, machineLine } from "./proc.ts";
import type { Machine } from "./result.ts";

/** 128 and the signal's number, as a shell has it. */
const SIGNALS = [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const;

/** What flags mean, or why they mean nothing. */
export type Parsed<Options> = { readonly options: Options } | { readonly error: string };

/** What `parse` makes of flags; what it throws is what is wrong with them. */
export function parsed<Options>(parse: () => Options): Parsed<Options> {
  try {
    return { options: parse() };
  } catch (error) {
    return { error: reasonOf(error) };
  }
}

/** Tells what is wrong with the flags, and which there are: the status of a usage error. */
export function refuse(error: string, help: string, name = "bench"): number {
  console.error(`${name}: ${error}\n\n${help}`);
  return 2;
}

/** Enters the network that is `wanted`, and tells where this is: the head of each report. */
export async function settle(
  wanted: "private" | "host",
): Promise<{ readonly machine: Machine; readonly network: string }> {
  const network = await enterNetwork(wanted);
  const machine = machineFacts();
  console.log(`${machineLine(machine)}\nnetwork: ${network}`);
  return { machine, network };
}

/** Runs the program `main`, whose result is the exit status; an error is told, and is status 1. */
export async function run(main: () => number | Promise<number>, name = "bench"): Promise<void> {
  for (const [signal, status] of SIGNALS) process.on(signal, () => process.exit(status));
  try {
    process.exitCode = await main();
  } catch (error) {
    console.error(`${name}: ${reasonOf(error)}`);
    process.exitCode = 1;
  }
}

/** An error in a line for a person. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
