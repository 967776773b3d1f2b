/**
 * What is done when several sources without digests of chunks have brought a file together, and the
 * whole is not what they tell: nobody can be told apart by that. It comes again from one source
 * after the other, each alone, until it is right; then it shows whose chunks were other ones.
 *
 * It costs a whole download a source, and two readings of what is on the disk; as many as there are
 * sources (SOURCES_MAX) at most.
 */
import type { ClientError } from "../client/error.ts";
import { must } from "../destination/error.ts";
import type { Staged } from "../destination/staged.ts";
import { printable } from "../wire/printable.ts";
import type { FileDownload } from "./filedownload.ts";
import type { Plan } from "./plan.ts";
import { readback } from "./readback.ts";
import { isServers, type Source } from "./source.ts";

/**
 * Brings the file of `mixed`, which has ended, again. `bring` brings it into `staged` from one
 * source alone and compares it. Resolves to the source that sent what is right; the others that
 * were tried, and those whose chunks were wrong, are told and left out. Rejects with `wrong`, why
 * `mixed` was, when each alone sends other bytes than it tells; with the last other failure when
 * one could not be tried, since it may be right the next time; at once with what is no server's.
 */
export async function bringOneByOne(
  mixed: FileDownload,
  staged: Staged,
  wrong: ClientError,
  bring: (source: Source) => Promise<void>,
): Promise<Source> {
  const due = mixed.sources.filter(({ left }) => !left);
  const name = printable(mixed.file.path);
  const text = `${name}: what came from ${mixed.sources.length} servers together is wrong`;
  due[0]?.origin.options.note(`${text}: it comes again from one at a time`);
  const before = await digestsOf(staged, mixed.plan);
  let failure = wrong;
  for (const source of due) {
    try {
      await bring(source);
    } catch (error) {
      if (!isServers(error)) throw error;
      const lies = error.kind === "corrupt";
      if (!lies) failure = error;
      leave(source, lies ? "what it sends alone has another digest too" : error.message);
      continue;
    }
    if (due.length > 1) blame(mixed, before, await digestsOf(staged, mixed.plan));
    return source;
  }
  throw failure;
}

// --- internal ---

/** The digests of what is on the disk, by chunk. Rejects with LocalError. */
async function digestsOf(staged: Staged, plan: Plan): Promise<string[]> {
  const digests: string[] = [];
  for (let index = 0; index < plan.count; index++) {
    const { offset, length } = plan.rangeOf(index);
    const answer = await readback.digests(staged, offset, length);
    if (typeof answer === "number") must(answer, () => "reading back what was written");
    else digests.push(...answer);
  }
  return digests;
}

/** Leaves out who alone has brought a chunk of `mixed` that is another one in what is right. */
function blame(mixed: FileDownload, before: readonly string[], right: readonly string[]): void {
  for (const [index, digest] of right.entries()) {
    if (digest === before[index]) continue;
    const [only, ...others] = mixed.bringersOf(index);
    if (only === undefined || only.left || others.length > 0) continue;
    leave(only, `it sent wrong bytes ${mixed.plan.rangeOf(index).offset} on`);
  }
}

function leave(source: Source, why: string): void {
  source.leave();
  source.origin.options.note(`${source.name} is left out: ${why}`);
}
