/**
 * The commands that bring a folder, or a file of it, to where they are typed. They are made of what
 * a client said in Host and of names from the disk, so that both are words of a shell here; as HTML
 * they still have to be escaped.
 */
import { bytesOf, type ByteString, utf8Of } from "../bytes.ts";
import { HERE } from "../path.ts";
import { printable } from "../printable.ts";
import { shellWord } from "../shellword.ts";
import { folderHref, hrefOf } from "./href.ts";

/** A command and what it does. */
export interface FolderLine {
  readonly does: string;
  /** One line without controls. */
  readonly line: string;
}

/**
 * The lines for the folder `relative` (as relativeOf() gives it) on `host`, a Host that
 * isAuthority() holds for, and for one `file` in it, if there is any. None where no host is named:
 * HTTP/1.0 may leave it out. `secure`: the client came by TLS.
 */
export function folderLines(
  host: ByteString,
  relative: ByteString,
  file: ByteString | null,
  secure: boolean,
): FolderLine[] {
  const [, name = "", port = ""] = HOST.exec(host) ?? [];
  if (name === "") return [];
  const path = folderHref(relative);
  const { http: web, port: usual, s6: scheme } = secure ? BY_TLS : PLAIN;
  // A browser leaves out the port that its scheme means without one; s6: means another.
  const s6 = `${scheme}://${name}:${port === "" ? usual : port}${path}`;
  const lines = [
    {
      does: "The whole folder; run again, it brings what has changed",
      line: `cli6 mirror ${shellWord(s6)} ${targetOf(relative, name)}`,
    },
  ];
  if (file === null) return lines;
  const http = `${web}://${name}${port === "" ? "" : `:${port}`}${path}${hrefOf(file)}`;
  return [
    ...lines,
    {
      does: "One file, compared with the server's digests",
      line: `cli6 get ${shellWord(s6 + hrefOf(file))}`,
    },
    {
      does: "One file with curl, going on where it stopped",
      line: `curl -C - ${savedAs(file)} ${shellWord(http)}`,
    },
  ];
}

// --- internal ---

/** The name in brackets or without, and the port. */
const HOST = /^(\[[^\]]*\]|[^:]*)(?::([0-9]*))?$/;

const PLAIN = { s6: "s6", http: "http", port: "80" };
const BY_TLS = { s6: "s6s", http: "https", port: "443" };

/** The folder that a mirror makes here: called like the one there, where that is a plain name. */
function targetOf(relative: ByteString, host: ByteString): string {
  const last = relative === HERE ? "" : (relative.split("/").findLast((it) => it !== "") ?? "");
  if (last !== "" && isText(last) && !last.startsWith("-")) return shellWord(utf8Of(last));
  return last === "" && /^[A-Za-z0-9][A-Za-z0-9.-]*$/.test(host) ? host : "copy";
}

/** curl keeps the escapes of an address in a name: where there are any the name is given to it. */
function savedAs(file: ByteString): string {
  const plain = hrefOf(file) === file || !isText(file);
  return plain ? "-O" : `-o ${shellWord(utf8Of(file))}`;
}

/** True for UTF-8 without controls, backslashes and their like: what can be typed. */
function isText(name: ByteString): boolean {
  return bytesOf(printable(name)) === name;
}
