/**
 * `cli6 mirror`: a folder here becomes equal to a tree of a server. This file says what is wanted
 * and what may be removed; walking, comparing and bringing are client/'s.
 */
import { EXIT, type ExitStatus } from "../output/exit.ts";
import { printable } from "../../wire/printable.ts";
import { Delivery } from "../../download/delivery.ts";
import { usageError } from "../../client/error.ts";
import { TreeComparison } from "../../download/comparison.ts";
import type { Order } from "../../download/order.ts";
import { Origin } from "../../download/origin.ts";
import { walk } from "../../download/walk.ts";
import { LocalError } from "../../destination/error.ts";
import { Folder } from "../../destination/folder.ts";
import { Staging } from "../../destination/staging.ts";
import { FolderTree } from "../../destination/tree.ts";
import { countText } from "../output/amount.ts";
import { targetsOf } from "./server.ts";
import { PathFilter } from "./filter.ts";
import { type FlagTable, UsageError, type Values } from "../flags/flags.ts";
import { dryRun } from "./dryrun.ts";
import type { Subcommand } from "../flags/subcommand.ts";
import { Transfer, TRANSFER_FLAGS } from "./transfer.ts";
import { count, text } from "../flags/values.ts";
import { type ByteString } from "../../wire/bytes.ts";

const WHAT = "What is mirrored";

/** A mistake in a path or a pattern should not cost more than this unasked. */
const DELETE_MAX_DEFAULT = 1000;

const FLAGS = {
  include: {
    type: "string",
    group: WHAT,
    valueHint: "glob",
    reader: text("a pattern as *.bin or docs/**"),
    many: true,
    description: "only files that match one of these; may be repeated",
  },
  exclude: {
    type: "string",
    group: WHAT,
    valueHint: "glob",
    reader: text("a pattern as *.tmp or cache/"),
    many: true,
    description: "no files and folders that match; they are not removed here either",
  },
  delete: {
    type: "boolean",
    group: WHAT,
    description: "remove here what the server does not have, if all else went well",
  },
  "max-delete": {
    type: "string",
    group: WHAT,
    valueHint: "n",
    reader: count({ min: 1, max: 1_000_000_000 }),
    description: "remove nothing if it would be more than this",
    default: String(DELETE_MAX_DEFAULT),
  },
  "dry-run": {
    type: "boolean",
    alias: "n",
    group: WHAT,
    description: "only say what would be done",
  },
  ...TRANSFER_FLAGS,
} as const satisfies FlagTable;

/** What the flags say. */
export type MirrorValues = Values<typeof FLAGS>;

/** The command. */
export const MIRROR: Subcommand<typeof FLAGS> = {
  command: {
    name: "cli6 mirror",
    summary: "Makes a folder here equal to one of the server; only what differs is fetched.",
    flags: FLAGS,
    operands: { name: "path|url dir", description: "the folder there and the folder here", max: 2 },
    examples: [
      ["cli6 mirror s6://nas/models models", "run it again to go on, or to bring it up to date"],
      ["cli6 mirror --delete s6://nas/a a", "also remove what is not there any more"],
      ["cli6 mirror -n --delete s6://nas/a a", "only say what would be done"],
      ["cli6 mirror --include '*.bin' s6://nas/a a", "some of it"],
    ],
    sections: [
      {
        title: "Patterns",
        lines: [
          "One without a slash matches a name at any depth, one with a slash the path from the top:",
          "*.tmp, cache/, docs/**/*.md. A folder that is excluded is not looked into.",
        ],
      },
    ],
  },
  async run({ values, operands }): Promise<ExitStatus> {
    const [from, to] = operands;
    if (from === undefined || to === undefined) {
      throw new UsageError("mirror takes two things: a folder of the server and one here");
    }
    const [target] = targetsOf([from], values.server);
    if (target === undefined) return EXIT.usage;
    const choice = new PathFilter(values.include, values.exclude);
    const top = target.path.replace(/\/+$/, "");
    const transfer = new Transfer(values);
    const origin = new Origin(target.server, transfer.options);
    const status = await transfer.run(async () => {
      await mustBeFolder(origin, target.path);
      if (values["dry-run"]) await dryRun(origin, top, to.text, choice, values.delete, transfer);
      else await new Run(origin, top, to.text, choice, values, transfer).all();
    });
    origin.close();
    return status;
  },
};

// --- internal ---

async function mustBeFolder(origin: Origin, path: ByteString): Promise<void> {
  const entry = await origin.stat(path);
  if (entry.type !== "dir") throw usageError(`${printable(path)} is a file: cli6 get copies it`);
}

/** One mirroring. */
class Run {
  readonly #origin: Origin;
  readonly #transfer: Transfer;
  readonly #values: MirrorValues;
  readonly #path: ByteString;
  readonly #top: Folder;
  readonly #staging: Staging;
  readonly #folders: FolderTree;
  readonly #delivery: Delivery;
  readonly #mirror: TreeComparison;
  /** The folder that each order holds, until it is delivered or has failed. */
  readonly #held = new Map<Order, ByteString>();
  #failures = 0;

  constructor(
    origin: Origin,
    top: ByteString,
    to: ByteString,
    choice: PathFilter,
    values: MirrorValues,
    transfer: Transfer,
  ) {
    this.#origin = origin;
    this.#path = top;
    this.#transfer = transfer;
    this.#values = values;
    this.#top = Folder.open(to, true);
    this.#staging = Staging.open(this.#top);
    this.#staging.lock();
    this.#folders = new FolderTree(this.#top);
    this.#delivery = new Delivery(origin, this.#staging, transfer.tally, {
      delivered: (file, order) => {
        this.#release(order);
        transfer.ended(file);
        transfer.detail(file.name);
      },
      undelivered: (file, error, order) => {
        this.#release(order);
        transfer.ended(file);
        this.#failed(error);
      },
    });
    const extraMax = values.delete ? values["max-delete"] : 0;
    this.#mirror = new TreeComparison(
      this.#folders,
      { top, extraMax },
      {
        wants: (path, type) => choice.wants(path, type),
        order: (order, path) => this.#order(order, path),
        unchanged: () => (transfer.tally.unchanged += 1),
        relieve: () => this.#delivery.finish(),
        failed: (error) => this.#failed(error),
      },
    );
  }

  async all(): Promise<void> {
    const { tally } = this.#transfer;
    try {
      // What was ordered is brought, even if the list then breaks off.
      await walk(this.#origin, this.#path, this.#mirror).finally(() => this.#delivery.finish());
      tally.totalKnown = true;
      if (this.#values.delete) this.#removeExtra();
      this.#top.sync();
    } finally {
      this.#folders.close();
      this.#staging.close();
      this.#top.close();
    }
  }

  async #order(order: Order, path: ByteString): Promise<void> {
    const { tally } = this.#transfer;
    tally.files += 1;
    tally.bytes += Number(order.file.entry.size);
    const slash = path.lastIndexOf("/");
    this.#held.set(order, slash < 0 ? "" : path.slice(0, slash));
    await this.#delivery.add(order);
  }

  #release(order: Order): void {
    this.#folders.release(this.#held.get(order) ?? "");
    this.#held.delete(order);
  }

  #failed(error: unknown): void {
    this.#failures += 1;
    this.#transfer.fail(error);
  }

  #removeExtra(): void {
    const { extra } = this.#mirror;
    const most = this.#values["max-delete"];
    if (extra.length === 0) return;
    if (this.#failures > 0) {
      this.#transfer.say("cli6: not everything went well, so nothing is removed");
      return;
    }
    if (extra.length > most) {
      const text = `more than ${countText(most)} files would be removed, so none is (--max-delete)`;
      throw new LocalError("E2BIG", text);
    }
    for (const path of extra) {
      this.#mirror.remove(path);
      this.#transfer.detail(`removed ${printable(path)}`);
    }
  }
}
