/**
 * A program of somebody else, who depends on the packed package: it serves a folder, downloads and
 * mirrors it, looks at the progress and ends one download. It prints one line of JSON. Run by
 * package.test.ts in a package of its own, in a folder where "served/large" and "served/small" are.
 */
import fs from "node:fs";
import {
  type DownloadResult,
  type MirrorResult,
  type Operation,
  type TransferEvent,
  connect,
  download,
  Failure,
  mirror,
  serve,
} from "serv6";

const server = serve({ root: "served", port: 0 });
const [address] = server.addresses;
if (address === undefined) throw new Error("it listens nowhere");

using client = await connect(address);
const { version } = await client.ping();

const events: TransferEvent["type"][] = [];
const operation: Operation<DownloadResult> = download({
  server: address,
  from: ["large", "small"],
  folder: "fetched",
  onEvent: ({ type }) => events.push(type),
});
let looks = 0;
let most = 0;
while (operation.progress.done < 2) {
  looks += 1;
  most = Math.max(most, operation.progress.arrived);
  await Bun.sleep(1);
}
const downloaded = await operation;

const mirrored: MirrorResult = await mirror({ server: address, from: "/", folder: "copy" });

// At a rate at which it would take a minute.
const controller = new AbortController();
const slow = download({
  server: address,
  from: "large",
  folder: "slow",
  limitRate: Math.ceil(fs.statSync("served/large").size / 60),
  signal: controller.signal,
});
for await (const { arrived } of slow.snapshots(5)) if (arrived > 0) break;
controller.abort();
const kind = await slow.then(
  () => "none",
  (error: unknown) => (error instanceof Failure ? error.kind : String(error)),
);

await server.stop();
console.log(
  JSON.stringify({
    version: version !== "",
    looked: looks > 0 && most <= downloaded.bytes,
    downloaded: [downloaded.done, downloaded.verified],
    events,
    mirrored: [mirrored.done, mirrored.removed],
    aborted: [kind, fs.readdirSync("slow").length],
  }),
);
