/**
 * A real file of more than 2^53 bytes, all holes, where the file system takes one: fault 52 from
 * the disk to the client, past the numbers that JavaScript counts exactly.
 */
import { afterAll, expect } from "bun:test";
import fs from "node:fs";
import { needing } from "../rig/needs.ts";
import { content, verify } from "../rig/oracle.ts";
import { BRANCHES, Running } from "../rig/running.ts";

/** tmpfs on Linux: it takes files up to 2^63 - 1 bytes, holes cost nothing. */
const MEMORY = "/dev/shm";

/** Odd, and not a double: 2^53 + 200,001. */
const SIZE = 2n ** 53n + 200_001n;

/** Where the file has content: from an even number past 2^53 to its end. */
const AT = 2n ** 53n + 16n;
const tail = content(9, 0, Number(SIZE - AT));

/** Such a file in a directory of its own, or null with the reason. */
function huge(): { root: string } | { why: string } {
  if (!fs.existsSync(MEMORY)) return { why: `no ${MEMORY}` };
  const root = fs.mkdtempSync(`${MEMORY}/serv6-`);
  // node:fs takes no such number: truncate(1) makes the hole, appending needs none.
  Bun.spawnSync(["truncate", "-s", String(AT), `${root}/f`]);
  try {
    fs.appendFileSync(`${root}/f`, tail);
    if (fs.statSync(`${root}/f`, { bigint: true }).size === SIZE) return { root };
  } catch {
    // Said below.
  }
  fs.rmSync(root, { recursive: true });
  return { why: `${MEMORY} takes no file of ${SIZE} bytes` };
}

const made = huge();
const why = "why" in made ? made.why : null;

afterAll(() => {
  if ("root" in made) fs.rmSync(made.root, { recursive: true });
});

for (const [branch, zeroCopy] of BRANCHES) {
  const need = { here: why === null, what: `such a file: ${why}` };
  needing(need)(
    `52: a real file past 2^53 bytes is told exactly and read by ranges (${branch})`,
    async () => {
      if (!("root" in made)) throw new Error(made.why);
      await using running = new Running(made.root, { zeroCopy });
      using peer = await running.dial();
      peer.send("STAT /f\nLIST /\nREAD /f\nREAD offset=16 /f\n");
      expect((await peer.reply()).line).toStartWith(`OK 0 type=file size=${SIZE} `);
      expect((await peer.reply()).body.toString()).toStartWith(`file size=${SIZE} `);
      expect((await peer.reply()).line).toMatch(/^ERR EOVERFLOW /);
      expect((await peer.reply()).line).toMatch(/^ERR EOVERFLOW /);
      // Odd offsets past 2^53: a number that was rounded on the way would shift every byte.
      for (const skip of [0n, 1n, 7n, 65_537n, 100_001n]) {
        peer.send(`READ offset=${AT + skip} /f\n`);
        const { line, body } = await peer.reply();
        expect(line).toStartWith(`OK ${SIZE - AT - skip} size=${SIZE} offset=${AT + skip} `);
        expect(verify(body, 9, 0, Number(skip))).toBeNull();
      }
      peer.send(
        `READ offset=${SIZE - 1n} /f\nREAD offset=${SIZE} /f\nREAD offset=${SIZE + 1n} /f\n`,
      );
      expect((await peer.reply()).body.toString()).toBe(tail.toString("latin1").slice(-1));
      expect((await peer.reply()).line).toStartWith("OK 0 ");
      expect((await peer.reply()).line).toMatch(/^ERR ERANGE /);
      // The largest length that can be counted: what cannot be, is refused.
      peer.send(`READ offset=200002 /f\nPING\n`);
      expect(await peer.line()).toStartWith(`OK ${2n ** 53n - 1n} size=${SIZE} offset=200002 `);
      await peer.take(1_000_000);
      peer.reset();
    },
  );
}
