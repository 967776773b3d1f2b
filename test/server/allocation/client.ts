/**
 * The client's downloads, and how much memory their JavaScript takes: run with the collector off.
 * Arguments: the server's port, the folder to write into, the files' common path and their number
 * ("/big 1", "/small- 500"), and their size. Brings all of them twice into the void of a new folder
 * and prints what the second time took, in bytes: the first has compiled what there is to compile.
 */
import fs from "node:fs";
import { join } from "node:path";
import { Delivery } from "../../../src/download/delivery.ts";
import { Origin } from "../../../src/download/origin.ts";
import { Progress } from "../../../src/download/progress.ts";
import { Folder } from "../../../src/destination/folder.ts";
import { Staging, stagedName } from "../../../src/destination/staging.ts";

const [port, root = "", path = "", count, times] = process.argv.slice(2);

async function bring(into: string): Promise<void> {
  fs.mkdirSync(into);
  const origin = new Origin(
    { host: "127.0.0.1", port: Number(port) },
    {
      connection: { connectTimeoutMs: 5000, stallTimeoutMs: 5000 },
      ...{
        connections: 1,
        retries: 0,
        retryRefused: false,
        verify: true,
        delta: true,
        waited: () => {},
        note: () => {},
      },
    },
  );
  const folder = Folder.open(Buffer.from(into).toString("latin1"), true);
  const staging = Staging.open(folder);
  const delivery = new Delivery(origin, staging, new Progress(), {
    delivered: () => {},
    undelivered: (_file, error) => {
      throw error;
    },
  });
  for (let nth = 0; nth < Number(count); nth++) {
    const name = `${path.slice(1)}${nth}`;
    const entry = await origin.control.ask((client) => client.stat(`/${name}`));
    const file = { path: `/${name}`, entry };
    const known = { file, folder, name, staged: stagedName(name), replace: false };
    await delivery.add({ ...known, restarts: 0, bad: 0 });
  }
  await delivery.finish();
  origin.close();
  staging.close();
  folder.close();
}

const used: number[] = [];
for (let time = 0; time < Number(times); time++) {
  const before = process.memoryUsage().heapUsed;
  await bring(join(root, String(time)));
  used.push(process.memoryUsage().heapUsed - before);
}
console.log(JSON.stringify(used));
process.exit(0);
