/**
 * `cli6 get`: files of a server into a folder here, complete and compared, or not at all. This file
 * says what is brought where; bringing is client/'s.
 */
import fs from "node:fs";
import { LocalError, must } from "../../destination/error.ts";
import { Folder } from "../../destination/folder.ts";
import { inTheWay } from "../../destination/staged.ts";
import { stagedName, Staging, STAGING_PREFIX } from "../../destination/staging.ts";
import { authorityOf, type Target } from "../../client/address.ts";
import { Delivery, type DeliveryOwner } from "../../download/delivery.ts";
import { ClientError, usageError } from "../../client/error.ts";
import type { Order } from "../../download/order.ts";
import { Origin } from "../../download/origin.ts";
import { isUpToDate } from "../../download/uptodate.ts";
import { Stream } from "../../download/stream.ts";
import { FdSink } from "../../receive/sink.ts";
import { kernel } from "../../sys/kernel.ts";
import { AT_FDCWD, OPEN } from "../../sys/types.ts";
import type { ExitStatus } from "../output/exit.ts";
import { printable } from "../../wire/printable.ts";
import { targetsOf } from "./server.ts";
import { type FlagTable, UsageError, type Values } from "../flags/flags.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { Transfer, TRANSFER, TRANSFER_FLAGS } from "./transfer.ts";
import { parsed, text } from "../flags/values.ts";
import { bufferOf, type ByteString } from "../../wire/bytes.ts";

const WHERE = "Where it goes";
const STDOUT = 1;

const FLAGS = {
  output: {
    type: "string",
    alias: "o",
    group: WHERE,
    valueHint: "file",
    reader: text("a file's name, or - for standard output"),
    description: "the name it gets here; - is standard output",
  },
  "remote-name": {
    type: "boolean",
    alias: "O",
    group: WHERE,
    description: "the name it has there, in the current folder: what happens anyway",
  },
  "directory-prefix": {
    type: "string",
    alias: "P",
    group: WHERE,
    valueHint: "dir",
    reader: text("a folder"),
    description: "the folder it goes into, made when missing",
  },
  force: {
    type: "boolean",
    alias: "f",
    group: WHERE,
    description: "replace a file that is there",
  },
  continue: {
    type: "boolean",
    alias: "c",
    group: TRANSFER,
    description: "go on where an earlier run stopped; --no-continue starts over",
    default: true,
  },
  checksum: {
    type: "string",
    group: TRANSFER,
    valueHint: "sha256:hex",
    reader: parsed("sha256: and 64 hex digits", parseChecksum),
    description: "what the file must have, beside the server's own digests",
  },
  ...TRANSFER_FLAGS,
} as const satisfies FlagTable;

type GetValues = Values<typeof FLAGS>;

/** The command. */
export const GET: Subcommand<typeof FLAGS> = {
  command: {
    name: "cli6 get",
    summary: "Copies files to this machine: whole and compared with the server's, or not at all.",
    flags: FLAGS,
    operands: { name: "path|url...", description: "what to copy", max: Infinity },
    examples: [
      ["cli6 get s6://nas/model.bin", "into the current folder; run it again to go on"],
      ["cli6 get s6://nas/model.bin -o m.bin", "under another name"],
      ["cli6 get -P models s6://nas/a s6://nas/b", "several, into a folder"],
      ["cli6 get s6://nas/a.tar -o - | tar x", "to a pipe"],
      ["cli6 get -x 1 --limit-rate 2M s6://nas/a", "one connection, 2 MiB a second"],
    ],
  },
  async run({ values, operands }): Promise<ExitStatus> {
    if (operands.length === 0) throw new UsageError("get what? a path or URL is missing");
    const targets = targetsOf(operands, values.server);
    const places = placesOf(values, targets);
    const transfer = new Transfer(values, places.output === "-" && kernel.isTerminal(STDOUT));
    return transfer.run(async () => {
      if (isStream(places.output)) await streamed(targets, places.output, values, transfer);
      else await delivered(targets, places, values, transfer);
    });
  },
};

// --- internal: the command line ---

/** Where the files go. */
interface Places {
  readonly folder: ByteString;
  /** -o, or "". */
  readonly output: ByteString;
  /** The name each target gets. */
  readonly names: readonly ByteString[];
}

function placesOf(values: GetValues, targets: readonly Target[]): Places {
  const output = values.output ?? "";
  const prefix = values["directory-prefix"];
  if (output !== "" && values["remote-name"])
    throw new UsageError("-o and -O contradict each other");
  if (output !== "" && prefix !== undefined && output.startsWith("/")) {
    throw new UsageError("-P and an absolute -o contradict each other");
  }
  if (output === "-") return { folder: ".", output, names: [] };
  if (output !== "" && targets.length > 1) {
    throw new UsageError("-o names one file, and several are asked for: -P DIR takes them all");
  }
  if (values.checksum !== undefined && targets.length > 1) {
    throw new UsageError("--checksum is one file's, and several are asked for");
  }
  const base = prefix ?? ".";
  const path =
    output === "" || output.startsWith("/") || base === "." ? output : `${base}/${output}`;
  const slash = path.lastIndexOf("/");
  const folder = slash < 0 ? base : slash === 0 ? "/" : path.slice(0, slash);
  const names = output === "" ? targets.map(nameOf) : [checkedName(path.slice(slash + 1), output)];
  const twice = names.find((name, nth) => names.indexOf(name) !== nth);
  if (twice === undefined) return { folder: output === "" ? base : folder, output, names };
  throw new UsageError(`two of them would be called ${printable(twice)}`);
}

function nameOf({ path }: Target): ByteString {
  return checkedName(path.slice(path.lastIndexOf("/") + 1), path);
}

function checkedName(name: ByteString, given: ByteString): ByteString {
  const shown = printable(given);
  if (name === "" || name === "." || name === "..") {
    throw new UsageError(`${shown} names a folder: cli6 mirror copies folders`);
  }
  if (name.includes("\0")) throw new UsageError(`${shown}: no file here can have that name`);
  if (name.startsWith(STAGING_PREFIX)) {
    throw new UsageError(
      `${shown}: names that start with ${STAGING_PREFIX} are cli6's own, use -o`,
    );
  }
  return name;
}

function parseChecksum(given: string): string {
  const match = /^sha256:([0-9a-f]{64})$/i.exec(given);
  if (match === null) throw new Error("no checksum");
  return (match[1] ?? "").toLowerCase();
}

/** True for standard output and for what is no file but takes bytes, as /dev/null does. */
function isStream(output: ByteString): boolean {
  if (output === "-") return true;
  if (output === "") return false;
  try {
    return fs.statSync(bufferOf(output)).isCharacterDevice();
  } catch {
    return false;
  }
}

// --- internal: to a stream ---

async function streamed(
  targets: readonly Target[],
  output: ByteString,
  { checksum }: GetValues,
  transfer: Transfer,
): Promise<void> {
  const fd = output === "-" ? STDOUT : opened(output);
  const label = output === "-" ? "standard output" : printable(output);
  const { tally } = transfer;
  tally.files = targets.length;
  const origins = new Origins(transfer);
  for (const { server, path } of targets) {
    try {
      const sink = new HashedSink(fd, label);
      const to = checksum === undefined ? new FdSink(fd, label) : sink;
      await new Stream(origins.of(server), path, to, tally).run();
      if (checksum !== undefined) mustBe(checksum, sink.hasher, "and it is out");
      tally.done += 1;
    } catch (error) {
      tally.failed += 1;
      transfer.fail(error);
      // What follows would stand behind a part of this one.
      break;
    }
  }
  origins.close();
}

function opened(output: ByteString): number {
  const fd = kernel.openat(AT_FDCWD, output, OPEN.writeOnly | OPEN.nonBlocking);
  return must(fd, () => `opening ${printable(output)}`);
}

/** Computes the user's own checksum of what goes out. */
class HashedSink extends FdSink {
  readonly hasher = new Bun.CryptoHasher("sha256");

  override write(chunk: Uint8Array): void {
    super.write(chunk);
    this.hasher.update(chunk);
  }
}

// --- internal: to files ---

/** One origin for each server that is named. */
class Origins {
  readonly #transfer: Transfer;
  readonly #all = new Map<string, Origin>();

  constructor(transfer: Transfer) {
    this.#transfer = transfer;
  }

  of(server: Target["server"]): Origin {
    const name = authorityOf(server);
    const origin = this.#all.get(name) ?? new Origin(server, this.#transfer.options);
    this.#all.set(name, origin);
    return origin;
  }

  close(): void {
    for (const origin of this.#all.values()) origin.close();
  }
}

async function delivered(
  targets: readonly Target[],
  places: Places,
  values: GetValues,
  transfer: Transfer,
): Promise<void> {
  const { tally } = transfer;
  const origins = new Origins(transfer);
  const folder = Folder.open(places.folder, true);
  const staging = Staging.open(folder);
  try {
    const found = await lookAll(targets, places, folder, values, origins, transfer);
    tally.totalKnown = true;
    const deliveries = new Map<Origin, Delivery>();
    for (const { origin, order } of found) {
      const delivery =
        deliveries.get(origin) ??
        new Delivery(origin, staging, tally, {
          delivered: (file) => {
            transfer.ended(file);
            transfer.detail(file.name);
          },
          undelivered: (file, error) => {
            transfer.ended(file);
            transfer.fail(error);
          },
          ...inspection(values.checksum),
        });
      deliveries.set(origin, delivery);
      if (!values.continue) staging.forget(order.staged);
      await delivery.add(order);
    }
    for (const delivery of deliveries.values()) await delivery.finish();
  } finally {
    staging.close();
    folder.close();
    origins.close();
  }
}

interface Found {
  readonly origin: Origin;
  readonly order: Order;
}

/** Asks what each target is, all at once, so that the totals are known before the first byte. */
async function lookAll(
  targets: readonly Target[],
  places: Places,
  folder: Folder,
  values: GetValues,
  origins: Origins,
  transfer: Transfer,
): Promise<Found[]> {
  const looked = targets.map(async ({ server, path }, nth): Promise<Found | null> => {
    const origin = origins.of(server);
    const name = places.names[nth] ?? "";
    try {
      const order = await look(origin, path, folder, name, values, transfer);
      return order === null ? null : { origin, order };
    } catch (error) {
      transfer.tally.files += 1;
      transfer.tally.failed += 1;
      transfer.fail(error);
      return null;
    }
  });
  return (await Promise.all(looked)).filter((found) => found !== null);
}

/** The order for `path`, or null when the file here is that very version already. */
async function look(
  origin: Origin,
  path: ByteString,
  folder: Folder,
  name: ByteString,
  values: GetValues,
  transfer: Transfer,
): Promise<Order | null> {
  const { tally } = transfer;
  const entry = await origin.stat(path);
  if (entry.type === "dir")
    throw usageError(`${printable(path)} is a folder: cli6 mirror copies it`);
  const here = folder.stat(name);
  if (here !== null && !values.force) {
    if (!isUpToDate(folder, name, here, entry)) throw inTheWay(printable(folder.pathOf(name)));
    const kept = folder.pathOf(name);
    if (values.checksum !== undefined) {
      mustBe(values.checksum, await hasherOf(kept), `${printable(kept)} stays as it is`);
    }
    tally.unchanged += 1;
    transfer.detail(`${printable(folder.pathOf(name))} is here already`);
    return null;
  }
  if (here !== null && !here.isFile && !here.isLink) {
    throw new LocalError("EEXIST", `${printable(folder.pathOf(name))} is no file to replace`);
  }
  tally.files += 1;
  tally.bytes += Number(entry.size);
  const staged = stagedName(name);
  const file = { path, entry };
  return { file, folder, name, staged, replace: values.force, restarts: 0, bad: 0 };
}

/** It arrived as the server has it, so that another try gives the same. */
const ADVICE = "see whether the checksum is of this version";

/** Compares complete files with the user's own checksum, before they get their names. */
function inspection(checksum: string | undefined): Pick<DeliveryOwner, "inspect"> {
  if (checksum === undefined) return {};
  return {
    inspect: async (_order, path) =>
      mustBe(checksum, await hasherOf(path), `it does not get its name and is removed; ${ADVICE}`),
  };
}

async function hasherOf(path: ByteString): Promise<Bun.CryptoHasher> {
  const hasher = new Bun.CryptoHasher("sha256");
  const doing = (): string => `reading ${printable(path)}`;
  const fd = must(kernel.openat(AT_FDCWD, path, OPEN.readOnly), doing);
  // The stream closes it.
  for await (const chunk of fs.createReadStream("", { fd })) hasher.update(chunk);
  return hasher;
}

/** Throws ClientError (8) when `hasher` has found something else than `checksum`. */
function mustBe(checksum: string, hasher: Bun.CryptoHasher, consequence: string): void {
  const found = hasher.digest("hex");
  if (found === checksum) return;
  const text = `EIO: the sha256 is ${found}, not ${checksum}: ${consequence}`;
  throw new ClientError("corrupt", "EIO", text);
}
