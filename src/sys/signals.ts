/** What this process was told about signals before it began. */
import fs from "node:fs";
import os from "node:os";

/**
 * Whether `signal` is ignored, by the wish of who started this process: SIGHUP by nohup(1), SIGINT
 * by a script's shell for what it puts behind `&`. A handler would undo that, so ask before there
 * is one. False where /proc does not tell.
 */
export function isIgnored(signal: NodeJS.Signals): boolean {
  try {
    const status = fs.readFileSync("/proc/self/status", "latin1");
    // proc(5): a mask in hexadecimal digits, signal 1 the lowest bit.
    const [, digits = "0"] = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status) ?? [];
    return ((BigInt(`0x${digits}`) >> BigInt(os.constants.signals[signal] - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}
