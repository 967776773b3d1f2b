/**
 * One restless client of the soak: does one random thing with a server and checks every byte it
 * gets. Versions of a file change while it reads, so that it demands one version, whole, never a
 * certain one.
 */
import { Peer } from "../rig/peer.ts";
import { BLOCK_BYTES, verify } from "../rig/oracle.ts";

/** A source of random numbers below `n`. */
export type Dice = (n: number) => number;

/** The files of the soak: number in the oracle, and size. */
export interface SoakFile {
  readonly name: string;
  readonly file: number;
  readonly size: number;
}

/** Bytes of an oracle's block that hold the version: "FFF.VVV.OOOOOOOO". */
const VERSION_AT = 4;

/** Does one random thing. Throws when a byte is wrong or a promise was broken. */
export async function act(port: number, files: readonly SoakFile[], dice: Dice): Promise<string> {
  using peer = await Peer.dial(port);
  const file = files[dice(files.length)];
  if (file === undefined) throw new Error("no files");
  switch (dice(7)) {
    case 0:
      return await plain(peer, file, dice);
    case 1:
      return await abort(peer, file, dice);
    case 2:
      return await stall(peer, file, dice);
    case 3:
      return await ranges(peer, file, dice);
    default:
      return await pipeline(peer, files, dice);
  }
}

async function plain(peer: Peer, file: SoakFile, dice: Dice): Promise<string> {
  peer.send(dice(2) === 0 ? `${file.name}\n` : `/${file.name}`);
  if (dice(2) === 0) peer.finish();
  const { bytes, ending } = await peer.all();
  // RST is an honest answer to a file that was edited meanwhile; a short FIN never is.
  if (ending === "fin") check(bytes, file, 0, file.size);
  return `plain ${ending}`;
}

/** Leaves in the middle, by RST or FIN. */
async function abort(peer: Peer, file: SoakFile, dice: Dice): Promise<string> {
  peer.send(`READ /${file.name}\n`.repeat(1 + dice(4)));
  const enough = dice(file.size);
  await peer.until(() => peer.length >= enough);
  if (dice(2) === 0) peer.reset();
  return "abort";
}

/** Asks and does not read for a while, then reads on. */
async function stall(peer: Peer, file: SoakFile, dice: Dice): Promise<string> {
  peer.socket.pause();
  peer.send(`READ /${file.name}\n`);
  await Bun.sleep(dice(50));
  peer.socket.resume();
  const { line, body } = await peer.reply();
  return reply(peer, line, body, file, 0, file.size);
}

async function ranges(peer: Peer, file: SoakFile, dice: Dice): Promise<string> {
  for (let i = 0; i < 8; i++) {
    const offset = dice(file.size + 1);
    const length = dice(200_000);
    peer.send(`READ offset=${offset} length=${length} /${file.name}\n`);
    const { line, body } = await peer.reply();
    const told = reply(peer, line, body, file, offset, Math.min(length, file.size - offset));
    if (told !== "whole") return told;
  }
  return "ranges";
}

async function pipeline(peer: Peer, files: readonly SoakFile[], dice: Dice): Promise<string> {
  const asked = Array.from({ length: 1 + dice(30) }, () => files[dice(files.length)] as SoakFile);
  peer.send(asked.map(({ name }) => `READ /${name}\nPING\n`).join(""));
  for (const file of asked) {
    const { line, body } = await peer.reply();
    const told = reply(peer, line, body, file, 0, file.size);
    if (told !== "whole") return told;
    const pong = await peer.line();
    if (peer.ending === null && !pong.startsWith("OK 0 server="))
      throw new Error(`no pong: ${pong}`);
  }
  return "pipeline";
}

function reply(
  peer: Peer,
  line: string,
  body: Buffer,
  file: SoakFile,
  offset: number,
  length: number,
): string {
  if (peer.ending === "reset") return "reset";
  if (!line.startsWith(`OK ${length} size=${file.size} offset=${offset} `)) {
    throw new Error(`${file.name}: ${JSON.stringify(line)}, connection ${peer.ending ?? "open"}`);
  }
  check(body, file, offset, length);
  return "whole";
}

/** One version, whole: the first full block names it, the oracle checks the rest. */
function check(bytes: Buffer, file: SoakFile, offset: number, length: number): void {
  if (bytes.length !== length) throw new Error(`${file.name}: ${bytes.length} of ${length} bytes`);
  const skip = (BLOCK_BYTES - (offset % BLOCK_BYTES)) % BLOCK_BYTES;
  if (bytes.length < skip + BLOCK_BYTES) return;
  const at = skip + VERSION_AT;
  const version = Number.parseInt(bytes.toString("latin1", at, at + 3), 16);
  const wrong = verify(bytes, file.file, version, offset);
  if (wrong !== null) throw new Error(`${file.name}: ${wrong}`);
}
