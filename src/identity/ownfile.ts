/**
 * The file that keeps a server's own key and certificate: made at the first start that needs it,
 * readable by its user alone, and the same from then on, so that clients know the server again.
 */
import fs from "node:fs";
import os from "node:os";
import { codeOf } from "../sys/errno.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";
import { createPrivate } from "./privatefile.ts";
import { selfSigned } from "./selfsigned.ts";

/** A certificate need not name more of a machine with very many addresses. */
const ADDRESSES_MAX = 64;

/**
 * Makes `file` unless it is there; two servers that start at once get the same one. Throws Failure
 * (usage) where it can't be kept, or others can read it.
 */
export function ensureOwnFile(file: string): void {
  try {
    if (!fs.existsSync(file)) createPrivate(file, selfSigned(here()));
    if ((fs.statSync(file).mode & 0o077) !== 0) {
      throw new Failure(
        "usage",
        "EACCES",
        `others may read the key in ${printableText(file)}: chmod 600`,
      );
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const code = codeOf(error);
    const text = `--tls-self: no key can be kept in ${printableText(file)} (${code})`;
    throw new Failure("usage", code, text);
  }
}

// --- internal ---

/** This machine's names and addresses. */
function here() {
  const name = os.hostname();
  const own = Object.values(os.networkInterfaces()).flatMap((all) => all ?? []);
  const addresses = [...new Set(["127.0.0.1", "::1", ...own.map(({ address }) => address)])];
  return {
    names: /^[A-Za-z0-9._-]{1,253}$/.test(name) ? ["localhost", name] : ["localhost"],
    addresses: addresses.slice(0, ADDRESSES_MAX).map(bytesOf),
    now: Date.now(),
  };
}

/** An address as its 4 or 16 bytes. */
function bytesOf(address: string): Uint8Array {
  if (!address.includes(":")) return Uint8Array.from(address.split("."), Number);
  const plain = address.replace(/%.*$/, "");
  const [head = "", tail] = plain.split("::");
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const front = groups(head);
  const back = groups(tail ?? "");
  const middle = Array.from({ length: 8 - front.length - back.length }, () => "0");
  return Uint8Array.from(
    [...front, ...middle, ...back].flatMap((group) => {
      const word = Number.parseInt(group, 16);
      return [word >> 8, word & 0xff];
    }),
  );
}
