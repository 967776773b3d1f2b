/**
 * download(): files of one or more servers into a folder, complete and compared, or not at all; or
 * into a stream, one behind the other.
 *
 *   options -> look up every file -> orders -> one Delivery a server -> published, name by name
 *
 * Who owns what: the Run has the servers' connections and the waits, OpenDestination the folder and
 * its staging, a Delivery the staged files. Each closes its own, however the download ends.
 */
import fs from "node:fs";
import { folderError } from "../client/error.ts";
import { LocalError, must } from "../destination/error.ts";
import type { Folder } from "../destination/folder.ts";
import { inTheWay } from "../destination/staged.ts";
import { httpStagedName, stagedName } from "../destination/staging.ts";
import { FdSink, type Sink } from "../receive/sink.ts";
import { kernel } from "../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../sys/types.ts";
import { bufferOf, type ByteString } from "../wire/bytes.ts";
import { printable } from "../wire/printable.ts";
import { type Candidate, candidatesOf } from "./candidates.ts";
import { ADVICE, HashedSink, hasherOf, mustBe } from "./checksum.ts";
import { Delivery, type DeliveryOwner } from "./delivery.ts";
import { OpenDestination } from "./opened.ts";
import { Operation, type Snapshot } from "./operation.ts";
import type { DownloadOptions } from "./options.ts";
import type { Order } from "./order.ts";
import type { Origin } from "./origin.ts";
import { Run } from "./run.ts";
import type { SourceFile } from "./source.ts";
import { type Checksum, downloadSettings, type DownloadSettings, pathIn } from "./settings.ts";
import { Stream } from "./stream.ts";
import { differenceOf } from "./uptodate.ts";
import { wholeDigestsOf } from "./wholedigest.ts";

/** The numbers at the end of a download. */
export type DownloadResult = Snapshot;

/**
 * Brings files. Throws Failure (usage) when the options are wrong; rejects with the first Failure
 * when something could not be brought, after all the rest was.
 */
export function download(options: DownloadOptions): Operation<DownloadResult> {
  const settings = downloadSettings(options);
  const run = new Run(settings);
  const work = async (): Promise<void> => {
    const { sink } = settings;
    const device = sink === null ? deviceOf(settings) : null;
    if (sink !== null) await toSink(run, settings, sink);
    else if (device !== null) await toDevice(run, settings, device);
    else await toFolder(run, settings);
  };
  return new Operation(run, work, (last) => last);
}

// --- internal: to files ---

async function toFolder(run: Run, settings: DownloadSettings): Promise<void> {
  using destination = OpenDestination.open(settings.folder, false);
  const { folder, staging } = destination;
  const found = await lookUpAll(run, settings, folder);
  const trees = found.filter((one) => "tree" in one);
  const unsized = found.some((one) => "order" in one && one.order.file.entry.http?.sized === false);
  run.tally.totalKnown = trees.length === 0 && !unsized;
  run.mustGoOn();
  const deliveries = new Map<Origin, Delivery>();
  for (const { origin, order } of found.filter((one) => "order" in one)) {
    const delivery =
      deliveries.get(origin) ??
      new Delivery(origin, staging, run.tally, ownerOf(run, settings.checksum, origin));
    deliveries.set(origin, delivery);
    if (!settings.resume) staging.forget(order.staged);
    await delivery.add(order);
  }
  for (const delivery of deliveries.values()) await delivery.finish();
  for (const { origin, tree, name } of trees) {
    try {
      // Loaded when it is needed: what few commands use costs each of them its start.
      const { bringTree } = await import("./mirror.ts");
      await bringTree(run, origin, tree, folder.below(name), settings.force);
    } catch (error) {
      run.fail(error);
    }
    run.mustGoOn();
  }
  run.tally.totalKnown = true;
}

/**
 * What becomes of the orders, and what a file must have before it gets its name: the caller's
 * checksum, or, where the server is no S6/1's, what it tells of the whole file.
 */
function ownerOf(run: Run, checksum: Checksum | null, origin: Origin): DeliveryOwner {
  const told: DeliveryOwner = {
    delivered: (file) => run.tell({ type: "done", file }),
    undelivered: (file, error) => run.fail(error, file),
  };
  const digests = origin.server.http === undefined ? null : wholeDigestsOf(origin);
  if (checksum === null && digests === null) return told;
  const consequence = `it does not get its name and is removed; ${ADVICE}`;
  return {
    ...told,
    inspect: async (order, path) => {
      // The file has changed, and so may what tells of it.
      if (order.restarts > 0) digests?.forget();
      const due = checksum ?? order.whole ?? (await digests?.of(order.file)) ?? null;
      if (due === null) return false;
      mustBe(due, await hasherOf(due, path, run.signal), consequence);
      // The digests of S6/1 have been compared and counted by then.
      return digests !== null;
    },
  };
}

/** A file to bring, or a folder by its path there and its name here. */
type Found =
  | { readonly origin: Origin; readonly order: Order }
  | { readonly origin: Origin; readonly tree: ByteString; readonly name: ByteString };

/** Asks what each target is, all at once, so that the totals are known before the first byte. */
async function lookUpAll(run: Run, settings: DownloadSettings, folder: Folder): Promise<Found[]> {
  const candidates = await candidatesOf(run, settings);
  const looked = candidates.map(async (candidate): Promise<Found | null> => {
    try {
      return await lookUp(run, settings, candidate, folder);
    } catch (error) {
      run.tally.files += 1;
      run.tally.failed += 1;
      run.fail(error);
      return null;
    }
  });
  return (await Promise.all(looked)).filter((found) => found !== null);
}

/** What is to be brought, or null when the file here is that very version already. */
async function lookUp(
  run: Run,
  { force, checksum, recursive }: DownloadSettings,
  candidate: Candidate,
  folder: Folder,
): Promise<Found | null> {
  const { name } = candidate;
  const [{ origin, file }, ...others] = await filesOf(candidate);
  const { path, entry } = file;
  if (entry.type === "dir") {
    if (recursive) return { origin, tree: path, name };
    throw folderError(printable(path));
  }
  const here = folder.stat(name);
  const shown = printable(folder.pathOf(name));
  if (here !== null && !here.isFile && !here.isLink) {
    const why = here.isDirectory ? "is a folder here" : "is no file to replace";
    const remedy = "rename" as const;
    throw Object.assign(new LocalError("EEXIST", `${shown} ${why}`), { remedy });
  }
  if (here !== null && !force) {
    // Each server tells the time and the version of its own copy.
    const known = [file, ...others.map((other) => other.file)];
    if (known.every((one) => differenceOf(folder, name, here, one.entry) !== null)) {
      throw inTheWay(shown);
    }
    if (checksum !== null) {
      const hasher = await hasherOf(checksum, folder.pathOf(name), run.signal);
      mustBe(checksum, hasher, `${shown} stays as it is`);
    }
    run.tally.unchanged += 1;
    run.tell({ type: "unchanged", name: shown });
    return null;
  }
  run.tally.files += 1;
  run.tally.bytes += Number(entry.size);
  const counts = { restarts: 0, bad: 0 };
  const staged = entry.http === undefined ? stagedName(name) : httpStagedName(name);
  const order = { file, others, checksum, folder, name, staged, replace: force, ...counts };
  return { origin, order };
}

/** What the servers of a candidate have, the one first whose version is taken for it. */
async function filesOf({
  origin,
  path,
  entry,
  others,
}: Candidate): Promise<[SourceFile, ...SourceFile[]]> {
  if (others.length > 0) {
    // Loaded when it is needed, as what few commands use.
    const { gather } = await import("./gather.ts");
    return gather([{ origin, path }, ...others]);
  }
  return [{ origin, file: { path, entry: entry ?? (await origin.stat(path)) } }];
}

// --- internal: to a stream ---

/** The path of what is no file but takes bytes, as /dev/null does; null where a file is meant. */
function deviceOf({ folder, names }: DownloadSettings): ByteString | null {
  const [name] = names;
  if (name === undefined || name === null || names.length > 1) return null;
  const path = pathIn(folder, name);
  try {
    return fs.statSync(bufferOf(path)).isCharacterDevice() ? path : null;
  } catch {
    // Whatever is wrong with it is told where it is opened.
    return null;
  }
}

async function toDevice(run: Run, settings: DownloadSettings, path: ByteString): Promise<void> {
  const shown = printable(path);
  const fd = kernel.openat(AT_FDCWD, path, OPEN.writeOnly | OPEN.nonBlocking);
  must(fd, () => `opening ${shown}`);
  try {
    await toSink(run, settings, new FdSink(fd, shown));
  } finally {
    kernel.close(fd);
  }
}

async function toSink(run: Run, settings: DownloadSettings, sink: Sink): Promise<void> {
  const candidates = await candidatesOf(run, settings);
  run.tally.files += candidates.length;
  for (const candidate of run.failures > 0 ? [] : candidates) {
    try {
      await streamed(run, candidate, sink, settings.checksum);
      run.tally.done += 1;
    } catch (error) {
      run.tally.failed += 1;
      run.fail(error);
      // What follows would stand behind a part of this one.
      return;
    }
  }
}

async function streamed(
  run: Run,
  { origin, path }: Candidate,
  sink: Sink,
  checksum: Checksum | null,
): Promise<void> {
  const overHttp = origin.server.http !== undefined;
  // Of S6/1 the stream is compared by chunks besides.
  const entry = overHttp ? await origin.stat(path) : null;
  const digest =
    checksum === null && entry !== null ? wholeDigestsOf(origin).of({ path, entry }) : null;
  const due = checksum ?? (await digest);
  if (due === null) {
    await new Stream(origin, path, sink, run.tally).run(entry);
    return;
  }
  const hashed = new HashedSink(sink, due);
  await new Stream(origin, path, hashed, run.tally).run(entry);
  mustBe(due, hashed.hasher, "and it is out");
  if (overHttp) run.tally.verified += hashed.written;
}
