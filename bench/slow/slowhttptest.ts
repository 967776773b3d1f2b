/**
 * Owns how slowhttptest is called and what its words mean. Never starts it.
 * Invariant: what it does not say is "unknown" or null, never good news.
 */

/** An attack of slowhttptest(1). */
export interface SlowAttack {
  readonly name: string;
  readonly flags: readonly string[];
  /** What it asks for. */
  readonly file: "16k" | "1m";
}

/** New connections of an attacker a second, which slowhttptest keeps up with. */
export const RATE_PER_SECOND = 500;

/** Seconds until its probe calls the server gone. */
const PROBE_SECONDS = 3;

export const SLOW_ATTACKS: readonly SlowAttack[] = [
  // A field every two seconds, and never the empty line.
  { name: "slow headers (-H)", flags: ["-H", "-i", "2", "-x", "24", "-t", "GET"], file: "16k" },
  // 32 bytes every five seconds out of a window of 512 to 1,024, of three replies of 1 MiB.
  {
    name: "slow read (-X)",
    flags: ["-X", "-w", "512", "-y", "1024", "-n", "5", "-z", "32", "-k", "3"],
    file: "1m",
  },
];

/** The command of `attack` by `connections`, which are there after some seconds, for `seconds`. */
export function slowCommand(
  { flags, file }: SlowAttack,
  port: number,
  connections: number,
  seconds: number,
): string[] {
  const length = Math.ceil(rampSeconds(connections) + seconds);
  return [
    ...["slowhttptest", ...flags, "-c", String(connections), "-r", String(RATE_PER_SECOND)],
    ...["-l", String(length), "-p", String(PROBE_SECONDS)],
    ...["-u", `http://127.0.0.1:${port}/${file}`],
  ];
}

/** Seconds until so many connections are made. */
export function rampSeconds(connections: number): number {
  return connections / RATE_PER_SECOND;
}

/** What an attacker had at the end. */
export interface SlowOutcome {
  readonly connected: number | null;
  readonly closed: number | null;
  /** Whether it got replies by connections of its own all the time. */
  readonly available: "yes" | "no" | "unknown";
}

/** What `output`, all that it printed, says. */
export function outcomeOf(output: string): SlowOutcome {
  const text = output.replaceAll(COLOUR, "");
  const last = (name: string): number | null => {
    const found = [...text.matchAll(new RegExp(`^${name}:\\s+(\\d+)\\s*$`, "gm"))].at(-1)?.[1];
    return found === undefined ? null : Number(found);
  };
  const said = [...text.matchAll(/^service available:\s+(YES|NO)\s*$/gm)].map(([, word]) => word);
  const available = said.length === 0 ? "unknown" : said.includes("NO") ? "no" : "yes";
  return { connected: last("connected"), closed: last("closed"), available };
}

// --- internal ---

/** What a terminal takes for colours and for clearing the screen (ECMA-48). */
const COLOUR = /\x1b\[[0-9;]*[A-Za-z]/g;
