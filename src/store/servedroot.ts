/** What is served, as it was named: where it really is, of which kind, and why it can't be. */
import fs from "node:fs";
import { codeOf } from "../sys/errno.ts";
import { failureKindOf, isWireCode, textOf, type WireCode } from "../wire/errors.ts";
import { Failure } from "../wire/failure.ts";
import { printableText } from "../wire/printable.ts";

/** Why a store could not be opened, in words for the person who started the server. */
export class StoreError extends Failure {
  override name = "StoreError";

  constructor(message: string, code: WireCode) {
    super(failureKindOf(code), code, message);
  }
}

/** Where `root` really is. Throws StoreError. */
export function realPath(root: string): string {
  try {
    return fs.realpathSync(root);
  } catch (error) {
    throw cannotServe(root, codeOf(error));
  }
}

/** What is there. Throws StoreError for what is neither. */
export function kindOf(real: string): "file" | "dir" {
  const stat = fs.statSync(real);
  if (stat.isDirectory()) return "dir";
  if (stat.isFile()) return "file";
  throw new StoreError(`cannot serve ${real}: neither a directory nor a regular file`, "EINVAL");
}

/** The error for a root that can't be served, by the name of an errno. */
export function cannotServe(root: string, code: string): StoreError {
  const known: WireCode = isWireCode(code) ? code : "EIO";
  const why = known === "ENOENT" ? "there is no such file or directory" : textOf(known);
  return new StoreError(`cannot serve ${printableText(root)}: ${why}`, known);
}
