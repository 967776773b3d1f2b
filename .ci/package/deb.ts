/**
 * The Debian package: both programs, their pages and completions, and a unit of systemd that nothing
 * starts before the administrator does. It is made without root and without debhelper.
 */
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
} from "node:fs";
import { rmSync, statSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { VERSION } from "../../src/server/version.ts";
import { ar, tar } from "./archive.ts";
import { ROOT, type Target } from "./runtime.ts";

const HERE = import.meta.dir;

/**
 * Both programs have Bun in them: a dictionary that reaches over one of them, 112 MB, leaves the
 * second out. That halves the package, to 44 MB, and takes 128 MiB where it is unpacked. One thread
 * gives the same bytes on any machine. SERV6_DEB=zstd is for trying things out: 2 s instead of 40,
 * but Debian 11 can't read it.
 */
const COMPRESSOR =
  process.env.SERV6_DEB === "zstd"
    ? { command: "zstd -1 --long=27", suffix: "zst" }
    : { command: "xz -T1 --lzma2=preset=1,dict=128MiB", suffix: "xz" };

/** The oldest C library with all that Bun's runtime asks for by name. */
const LIBC_OLDEST = "2.17";

/** Makes serv6_VERSION_ARCH.deb in `dist` from what was built there; `epoch` dates its files. */
export function debian(target: Target, dist: string, epoch: number): void {
  const folder = mkdtempSync(join(dist, "deb-"));
  try {
    const data = join(folder, "data");
    stage(data, target, dist);
    const control = join(folder, "control");
    describe(control, data, target);
    const { command, suffix } = COMPRESSOR;
    const names = { control: `control.tar.${suffix}`, data: `data.tar.${suffix}` };
    tar(control, join(folder, names.control), epoch, command);
    tar(data, join(folder, names.data), epoch, command);
    const member = (name: string) => ({ name, bytes: readFileSync(join(folder, name)) });
    const format = { name: "debian-binary", bytes: Buffer.from("2.0\n") };
    const archive = ar([format, member(names.control), member(names.data)], epoch);
    writeFileSync(join(dist, `serv6_${VERSION}_${target.debian}.deb`), archive);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// --- internal ---

/** The files where they are installed. */
function stage(data: string, target: Target, dist: string): void {
  const put = (path: string, bytes: string | Uint8Array, mode = 0o644): void => {
    place(join(data, path));
    writeFileSync(join(data, path), bytes);
    chmodSync(join(data, path), mode);
  };
  const doc = "usr/share/doc/serv6";
  const shells = join(dist, "completions");
  place(join(data, "usr/bin/serv6"));
  for (const name of ["serv6", "cli6"]) {
    const program = join(data, "usr/bin", name);
    copyFileSync(join(dist, target.name, name), program);
    chmodSync(program, 0o755);
    const page = readFileSync(join(dist, "man", `${name}.1`));
    put(`usr/share/man/man1/${name}.1.gz`, Bun.gzipSync(page, { level: 9 }));
    const completes = (shell: string, file: string): Buffer =>
      readFileSync(join(shells, shell, file));
    put(`usr/share/bash-completion/completions/${name}`, completes("bash", name));
    put(`usr/share/fish/vendor_completions.d/${name}.fish`, completes("fish", `${name}.fish`));
    put(`usr/share/zsh/vendor-completions/_${name}`, completes("zsh", `_${name}`));
  }
  const changes = readFileSync(join(ROOT, ".github/CHANGELOG.md"));
  put(`${doc}/changelog.gz`, Bun.gzipSync(changes, { level: 9 }));
  put(`${doc}/copyright`, copyright());
  for (const unit of ["serv6.service", "serv6.socket"]) {
    put(`usr/lib/systemd/system/${unit}`, readFileSync(join(HERE, "debian", unit)));
  }
  put("etc/default/serv6", readFileSync(join(HERE, "debian/default")));
  place(join(data, "var/lib/serv6/f"));
}

/** What dpkg is told: the package, its scripts, and digests of what it installs. */
function describe(control: string, data: string, { debian: architecture }: Target): void {
  place(join(control, "control"));
  const files = readdirSync(data, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(data.length + 1))
    .sort();
  const bytes = files.reduce((sum, file) => sum + statSync(join(data, file)).size, 0);
  const fields = [
    "Package: serv6",
    `Version: ${VERSION}`,
    `Architecture: ${architecture}`,
    "Maintainer: the serv6 authors <serv6@example.invalid>",
    `Installed-Size: ${Math.ceil(bytes / 1024)}`,
    `Depends: libc6 (>= ${LIBC_OLDEST})`,
    "Section: net",
    "Priority: optional",
    "Description: moves files between machines, complete or with an error",
    " serv6 serves a folder over plain TCP and HTTP on one port, as fast as the kernel",
    " can; cli6 brings files and whole folders, resumed, compared and published by one",
    " rename. Both are single files that need no Bun.",
  ];
  const put = (name: string, text: string, mode: number): void => {
    writeFileSync(join(control, name), text);
    chmodSync(join(control, name), mode);
  };
  const digest = (file: string): string =>
    createHash("md5")
      .update(readFileSync(join(data, file)))
      .digest("hex");
  put("control", `${fields.join("\n")}\n`, 0o644);
  put("conffiles", "/etc/default/serv6\n", 0o644);
  put("md5sums", files.map((file) => `${digest(file)}  ${file}\n`).join(""), 0o644);
  for (const script of ["postinst", "prerm", "postrm"]) {
    put(script, readFileSync(join(HERE, "debian", script), "utf8"), 0o755);
  }
}

/** In Debian's form (DEP-5): ours, citty's, and what Bun consists of. */
function copyright(): string {
  const body = (text: string): string =>
    text
      .trim()
      .split("\n")
      .map((line) => (line.trim() === "" ? " ." : ` ${line}`))
      .join("\n");
  const license = (file: string): [holders: string, text: string] => {
    const text = readFileSync(join(ROOT, file), "utf8");
    const holders = /^Copyright \(c\) (.*)$/m.exec(text)?.[1] ?? "";
    return [holders, text.slice(text.indexOf("Permission is hereby"))];
  };
  const [authors, mit] = license("LICENSE");
  const [cittys] = license("node_modules/citty/LICENSE");
  return [
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/",
    "Upstream-Name: serv6",
    `\nFiles: *\nCopyright: ${authors}\nLicense: MIT`,
    "\nFiles: usr/bin/*\nCopyright: " +
      `${authors}\n ${cittys} (citty)\n Oven and the authors of Bun`,
    "License: MIT",
    "Comment: The programs have Bun in them, with JavaScriptCore (LGPL-2) and others:",
    " https://bun.com/docs/project/licensing",
    `\nLicense: MIT\n${body(mit)}\n`,
  ].join("\n");
}

function place(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o755 });
}
