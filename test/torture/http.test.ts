/**
 * SIGKILL at any moment of a `get` over HTTP, and another version on the server in between: there
 * are no digests that would tell a mixture, so what an earlier run left must never be believed of
 * another version, and never before it is written.
 */
import { expect, test } from "bun:test";
import fs from "node:fs";
import type { Random } from "../fuzz/random.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { AGAIN, read, repeat, run, runs, stagingOf, start, timeFor } from "./rig.ts";

const MIB = 1024 * 1024;
const KILLS = runs(3);
const VERSIONS = 3;

/** Kills behind each other, before the command may come to its end. */
const CHAIN_MAX = 4;

/** A run that came to its end: the file may have changed under it, as the server saw it. */
const GOOD = { status: 0, err: expect.stringMatching(/^(?:.f has changed.*: starting over\n)*$/) };

/** Slow enough that most runs are killed in the middle of the file. */
const RATE = "60M";

test(
  `a killed get over HTTP leaves one whole version or none, and goes on (${KILLS}, ${AGAIN})`,
  async () => {
    using source = new Tree();
    using tree = new Tree();
    await using server = new Running(source.root);
    const versions = Array.from({ length: VERSIONS }, (_, nth) => content(3, nth, 24 * MIB + 77));
    const folder = tree.path("to");
    const file = `${folder}/f`;
    const url = `http://127.0.0.1:${server.port}/f`;
    const args = ["get", "--force", "--no-verify", "-P", folder, url];
    const score = { kills: 0, kept: 0, ended: 0 };

    /** Another version on the server, under the same name: its number. */
    const put = (random: Random, before: number): number => {
      const next = (before + 1 + random.below(VERSIONS - 1)) % VERSIONS;
      fs.writeFileSync(source.path("next"), versions[next] ?? "");
      fs.renameSync(source.path("next"), source.path("f"));
      return next;
    };

    /** The file here is whole, if there is one. */
    const look = (): void => {
      const found = read(file);
      if (found === null || versions.some((version) => version.equals(found))) return;
      throw new Error("the file is no version that the server ever had");
    };

    await repeat(4 * KILLS, async (random) => {
      if (score.kills >= KILLS) return;
      fs.rmSync(folder, { recursive: true, force: true });
      let version = put(random, 0);
      const chain = 1 + random.below(CHAIN_MAX);
      for (let kill = 0; kill < chain && score.kills < KILLS; kill++) {
        if (random.below(3) === 0) version = put(random, version);
        // Without a limit the bytes go past the program, from the socket into the file.
        const slow = random.below(3) > 0;
        const { child, ended } = start(slow ? [...args, "--limit-rate", RATE] : args);
        await Bun.sleep(slow ? 100 + random.below(400) : 80 + random.below(120));
        child.kill("SIGKILL");
        const { signal, status, err } = await ended;
        if (signal === null) expect({ status, err }).toEqual(GOOD);
        look();
        if (signal === null) break;
        score.kills += 1;
        if (noted(folder)) score.kept += 1;
      }
      // The server believes a name for a second: until then the version before is what it has.
      for (let now = false; !now;) {
        const { status, err } = await run(args);
        expect({ status, err }).toEqual(GOOD);
        expect(fs.existsSync(stagingOf(folder))).toBe(false);
        look();
        now = read(file)?.equals(versions[version] ?? Buffer.alloc(0)) === true;
      }
      score.ended += 1;
    });
    const { kills, kept, ended } = score;
    console.log(`get over HTTP: ${kills} kills, ${kept} left something, ${ended} completed`);
    expect(kills).toBeGreaterThan(KILLS / 2);
  },
  timeFor(KILLS, 10_000),
);

/** Whether a staged file is left. */
function noted(folder: string): boolean {
  const staging = stagingOf(folder);
  return fs.existsSync(staging) && fs.readdirSync(staging).length > 0;
}
