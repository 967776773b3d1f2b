/**
 * SIGKILL at any moment of a `get` from several servers of HTTP, of which one sends wrong bytes:
 * what is in place is noted for all of them together, and while it comes again for one alone. The
 * file is right or not there, and running the command again ends it.
 */
import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import fs from "node:fs";
import { HttpFake } from "../rig/httpfake.ts";
import { content } from "../rig/oracle.ts";
import { Running } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { AGAIN, read, repeat, run, runs, stagingOf, start, timeFor } from "./rig.ts";

const MIB = 1024 * 1024;
const KILLS = runs(4);

/** Kills behind each other, before the command may come to its end. */
const CHAIN_MAX = 4;

/** Slow enough that most runs are killed in the middle of the file. */
const RATE = "60M";

const large = content(3, 9, 24 * MIB + 77);

test(
  `a killed get from several servers of HTTP leaves the right file or none (${KILLS}, ${AGAIN})`,
  async () => {
    using source = new Tree({ f: large });
    using tree = new Tree();
    await using server = new Running(source.root);
    using liar = new HttpFake({}, ({ range }, honest) => {
      const bytes = honest();
      if (range !== null && range[1] > 0) bytes[bytes.length - 1] = ~(bytes.at(-1) ?? 0) & 255;
      return { bytes };
    });
    const digest = createHash("sha256").update(large).digest("base64");
    liar.put("/f", large, `ETag: "1"\r\nRepr-Digest: sha-256=:${digest}:\r\n`);
    const folder = tree.path("to");
    const honest = `http://127.0.0.1:${server.port}/f`;
    const score = { kills: 0, kept: 0, ended: 0 };

    await repeat(4 * KILLS, async (random) => {
      if (score.kills >= KILLS) return;
      fs.rmSync(folder, { recursive: true, force: true });
      const urls = [liar.url("/f"), honest];
      const chain = 1 + random.below(CHAIN_MAX);
      for (let kill = 0; kill < chain && score.kills < KILLS; kill++) {
        if (random.below(2) === 0) urls.reverse();
        const args = ["get", "--force", "-P", folder, ...urls, "--limit-rate", RATE];
        const { child, ended } = start(args);
        await Bun.sleep(150 + random.below(900));
        child.kill("SIGKILL");
        const { signal, status } = await ended;
        const found = read(`${folder}/f`);
        if (found !== null) expect(found.equals(large)).toBe(true);
        if (signal === null) {
          expect(status).toBe(0);
          break;
        }
        score.kills += 1;
        if (fs.existsSync(stagingOf(folder))) score.kept += 1;
      }
      const { status, err } = await run(["get", "--force", "-P", folder, ...urls]);
      expect({ status, err }).toEqual({
        status: 0,
        err: expect.not.stringContaining(`${honest} is`),
      });
      expect([read(`${folder}/f`)?.equals(large), fs.existsSync(stagingOf(folder))]).toEqual([
        true,
        false,
      ]);
      score.ended += 1;
    });
    const { kills, kept, ended } = score;
    console.log(
      `get from HTTP servers: ${kills} kills, ${kept} left something, ${ended} completed`,
    );
    expect(kills).toBeGreaterThan(KILLS / 2);
  },
  timeFor(KILLS, 10_000),
);
