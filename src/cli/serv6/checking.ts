/** `serv6 --check`: everything that is wrong with what was said, before anything is started. */
import fs from "node:fs";
import { failuresOf } from "../../server/check.ts";
import { rootsOf, type ServeOptions, storeOf } from "../../server/start.ts";
import { isS3Root } from "../../store/s3/address.ts";
import type { Failure } from "../../wire/failure.ts";
import { printableText } from "../../wire/printable.ts";
import { type Environment, UsageError } from "../flags/flags.ts";
import { configured, type Serv6Values } from "./configured.ts";
import { unreadable } from "./runas.ts";
import { userOf } from "./sandboxflags.ts";
import type { SERV6 } from "./serv6.ts";

/**
 * What is wrong with `args`, `environment`, the configuration file and the files that they name, a
 * printable line each; none where a server would start. Nothing is listened on, made or kept, so
 * that it can be asked while a server runs. Throws UsageError where no setting can be read: a wrong
 * command line, a file that is not to be trusted or no TOML.
 */
export async function faultsOf(
  command: typeof SERV6,
  args: readonly string[],
  environment: Environment,
): Promise<string[]> {
  const faults = new Set<string>();
  const wrong = (error: UsageError | Failure): void => void faults.add(error.message);
  const { options, values } = configured(command, args, environment, { wrong, makes: false });
  const { tls, tokens } = options;
  const own = [tls?.self === true ? tls.cert : undefined, tokens?.linkKey];
  const made = own.filter((file) => file !== undefined);
  for (const failure of failuresOf(options, made)) faults.add(failure.message);
  for (const fault of faultsOfUser(options, values)) faults.add(fault);
  // Over a network nobody is asked for what can't be started anyway.
  const unreached = faults.size === 0 ? await unreachedOf(options) : null;
  return unreached === null ? [...faults] : [unreached];
}

// --- internal ---

/** Why an object store that is to be served can't be had; null where it can, or none is. */
async function unreachedOf(options: ServeOptions): Promise<string | null> {
  if (options.s3 === undefined) return null;
  const store = storeOf(options, { files: 1, zeroCopy: false });
  try {
    return (await store.check?.()) ?? null;
  } finally {
    store.close();
  }
}

/** Roots that are there, and that the user whom root becomes may not read. */
function faultsOfUser(options: ServeOptions, values: Serv6Values): string[] {
  const roots = rootsOf(options).filter((root) => fs.existsSync(root));
  const complete = roots.length === rootsOf(options).filter((root) => !isS3Root(root)).length;
  try {
    // Who is not named is found by the roots, all of them.
    const user = values.user !== undefined || complete ? userOf(options, values) : null;
    if (user === null || process.geteuid?.() !== 0) return [];
    return unreadable(user, roots).map(
      (root) => `the server becomes ${user.name}, who can't read ${printableText(root)} (--user)`,
    );
  } catch (error) {
    if (error instanceof UsageError) return [error.message];
    throw error;
  }
}
