/** Runs the real program cli6 as a process of its own, with bytes in and bytes out. */

/** The command, as package.json starts it. */
export const CLI6_COMMAND = [
  process.execPath,
  "--config=/dev/null",
  "--no-env-file",
  `${import.meta.dir}/../../src/cli6.ts`,
];

/** What a run came to. Output is one byte a character. */
export interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** What a run is given. */
export interface Given {
  /** Standard input, one byte a character; nothing when it is left out. */
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `cli6` to its end. */
export async function cli6(args: readonly string[], { input, env = {} }: Given = {}): Promise<Run> {
  const child = Bun.spawn([...CLI6_COMMAND, ...args], {
    stdin: input === undefined ? "ignore" : Buffer.from(input, "latin1"),
    stdout: "pipe",
    stderr: "pipe",
    env: { ...environment(), ...env },
  });
  const [out, err] = await Promise.all([child.stdout.bytes(), child.stderr.bytes()]);
  await child.exited;
  return { status: child.exitCode, out: latin1(out), err: latin1(err) };
}

/** Runs a shell's line in which `cli6` is the program; `$0` and on are `args`. */
export async function shell(line: string, args: readonly string[]): Promise<Run> {
  const quoted = CLI6_COMMAND.map((word) => `'${word}'`).join(" ");
  const child = Bun.spawn(["bash", "-c", `cli6() { ${quoted} "$@"; }; ${line}`, "sh", ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: environment(),
  });
  const [out, err] = await Promise.all([child.stdout.bytes(), child.stderr.bytes()]);
  await child.exited;
  return { status: child.exitCode, out: latin1(out), err: latin1(err) };
}

/** This process's environment without the program's own variables. */
export function environment(): Record<string, string> {
  const entries = Object.entries(process.env).filter(([name]) => !name.startsWith("CLI6_"));
  return Object.fromEntries(entries.map(([name, value]) => [name, value ?? ""]));
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("latin1");
}
