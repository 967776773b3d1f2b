/**
 * Who reads from the disk waits for one read of each other peer, and not for all that somebody with
 * many connections has asked for: small files, files that are read ahead, and copied ones.
 */
import { expect, test } from "bun:test";
import { READS_MAX } from "../../src/store/diskread.ts";
import { replaceCall } from "../rig/faults.ts";
import { content, verify } from "../rig/oracle.ts";
import { Simulation } from "../rig/simulation.ts";

/** Connections of the one address: each asks for a file of its own. */
const CROWD = 60;

const CASES = [
  { reads: "prefetch", length: 40_000, zeroCopy: true },
  { reads: "readahead", length: 2_500_000, zeroCopy: true },
  { reads: "window", length: 600_000, zeroCopy: false },
] as const;

test.each(CASES)(
  "$reads: another address comes in between the reads of a crowd",
  ({ reads, length, zeroCopy }) => {
    const names = Array.from({ length: CROWD }, (_, nth) => `crowd${nth}`);
    const bytes = content(1, 0, length);
    const files = Object.fromEntries([...names, "other"].map((name) => [name, bytes]));
    using simulation = new Simulation(files, { zeroCopy });
    // Small files are asked about as a whole: nothing is there before it was read.
    using _disk = replaceCall(
      "resident",
      () => (_fd, _offset, count) => (reads === "prefetch" && count === undefined ? 1 : 0),
    );
    for (const name of names) simulation.connect({}, "10.0.0.1").send(`READ /${name}\n`);
    const other = simulation.connect({}, "10.0.0.2");
    other.send("READ /other\n");
    const head = `OK ${length} `;
    const body = (): Buffer => other.bytes.subarray(other.text.indexOf("\n") + 1);
    let before = 0;
    for (; body().length < length; before++) {
      if (simulation.loop.reads > 0) simulation.loop.read();
      while (simulation.loop.immediates > 0) simulation.loop.turn();
    }
    expect(other.text).toStartWith(head);
    expect(verify(body(), 1, 0)).toBeNull();
    // Each of its own comes behind those under way and one of the crowd's.
    const own = reads === "prefetch" ? 1 : Math.ceil(length / 250_000);
    expect(before).toBeLessThanOrEqual(own * (READS_MAX[reads] + 2));
    simulation.loop.settle();
  },
);
