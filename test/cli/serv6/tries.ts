/** What code that got into a server would try. */

/**
 * What code in the server may try: a word for what it got, or "refused" and why. It stands alone,
 * because a thread gets it as text.
 */
export async function tries([other = "", root = "", pid = ""]: readonly string[]): Promise<
  Record<string, string>
> {
  const fs = await import("node:fs");
  const { execSync } = await import("node:child_process");
  const { connect } = await import("node:net");
  const all: Record<string, () => unknown> = {
    served: () => fs.readFileSync(`${root}/a.txt`, "utf8"),
    passwd: () => fs.readFileSync("/etc/passwd", "utf8").length,
    magic: () => fs.readFileSync("/proc/self/root/etc/passwd", "utf8").length,
    link: () => fs.readFileSync(`${root}/out`, "utf8").length,
    list: () => fs.readdirSync("/").length,
    later: async () => (await fs.promises.readFile("/etc/passwd")).length,
    blob: async () => (await Bun.file("/etc/passwd").text()).length,
    make: () => fs.writeFileSync(`${root}/planted`, "x"),
    overwrite: () => fs.writeFileSync(`${root}/a.txt`, "x"),
    mode: () => fs.chmodSync(`${root}/a.txt`, 0o777),
    times: () => fs.utimesSync(`${root}/a.txt`, 1, 1),
    rename: () => fs.renameSync(`${root}/a.txt`, `${root}/b.txt`),
    remove: () => fs.unlinkSync(`${root}/out`),
    program: () => Bun.spawnSync(["/bin/echo", "planted"]).stdout.toString(),
    shell: () => execSync("echo planted").toString(),
    signal: () => process.kill(Number(pid), 0),
    user: () => process.setuid?.(process.geteuid?.() ?? 0),
    fetch: async () => (await fetch(`http://127.0.0.1:${other}`)).status,
    connect: () =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(other), "127.0.0.1", () => resolve("connected"));
        socket.on("error", reject);
      }),
    listen: () => Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } }).port,
  };
  const got: Record<string, string> = {};
  for (const [name, attempt] of Object.entries(all)) {
    try {
      got[name] = String((await attempt()) ?? "done");
    } catch (error) {
      got[name] = `refused ${error instanceof Error && "code" in error ? error.code : error}`;
    }
  }
  return got;
}
