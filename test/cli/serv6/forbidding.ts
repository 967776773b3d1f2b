/**
 * Runs a command as a container does that forbids its programs to build walls of their own: the
 * calls for Landlock and seccomp are EPERM. Arguments: the command.
 */
import { dlopen, ptr } from "bun:ffi";
import { Confinement } from "../../../src/sys/confine.ts";
import { filterProgram } from "../../../src/sys/filter.ts";
import { ofLibc } from "../../../src/sys/libraries.ts";

const x64 = process.arch === "x64";
const confinement = Confinement.make();
if (confinement === null) throw new Error("no filter here");
confinement.noNewPrivileges();
const rules = [444, x64 ? 317 : 277].map((number) => ({ number, answer: "EPERM" as const }));
const failed = confinement.filter(filterProgram(x64 ? "x64" : "arm64", rules));
if (failed < 0) throw new Error(`no filter: ${failed}`);

const words = process.argv.slice(2).map((word) => Buffer.from(`${word}\0`));
const list = new BigUint64Array([...words.map((word) => BigInt(ptr(word))), 0n]);
const symbols = { execv: { args: ["ptr", "ptr"], returns: "i32" } } as const;
ofLibc((name) => dlopen(name, symbols).symbols.execv(words[0] ?? null, list));
throw new Error(`can't run ${words.join(" ")}`);
