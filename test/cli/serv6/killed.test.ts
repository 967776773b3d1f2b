/** A server that is killed in the middle of a reply: nobody takes a part for the whole. */
import { expect, test } from "bun:test";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

const BYTES = 16 * 1024 * 1024;

for (const flags of [[], ["--no-sendfile"]]) {
  test(`a killed server cuts a bare path's file by RST, never by FIN ${flags.join("")}`, async () => {
    using tree = new Tree({ large: content(3, 0, BYTES) });
    await using started = new Started([tree.root, "-p", "0", "--log", "off", ...flags]);
    using peer = await Peer.dial(await started.port());
    peer.send("large\n");
    await peer.until(() => peer.length > 100_000);
    peer.socket.pause();
    started.child.kill("SIGKILL");
    await started.child.exited;
    peer.socket.resume();
    const { bytes, ending } = await peer.all();
    expect(bytes.length).toBeLessThan(BYTES);
    expect(ending).toBe("reset");
  });
}
