/**
 * `make conformance`: the same bytes to our server and to nginx, as a Markdown table on standard
 * output. The status is 1 where our answer is not the expected one, or a difference from nginx has
 * no explanation in its row; without nginx the second is not judged, and is said to be so.
 */
import { Running } from "../../../rig/running.ts";
import { faultsOf, idleNotes, markdownOf, type Row } from "./beside.ts";
import { type Case, servedTree } from "./case.ts";
import { NGINX } from "./nginx.ts";
import { etagAt, outcomeOf } from "./outcome.ts";
import { TABLE } from "./table.ts";

async function main(): Promise<number> {
  using tree = servedTree();
  await using running = new Running(tree.root);
  const missing = NGINX.unavailable();
  const nginx = missing === null ? await NGINX.start(tree.root) : null;
  const rows: Row[] = [];
  try {
    const tags = [await etagAt(running.port), nginx === null ? "" : await etagAt(nginx.port)];
    const ask = (port: number, [, sent]: Case, etag = ""): Promise<string> =>
      outcomeOf(port, sent.replaceAll("{etag}", etag));
    for (const [about, cases] of TABLE) {
      for (const row of cases) {
        const seen = await ask(running.port, row, tags[0]);
        const other = nginx === null ? null : await ask(nginx.port, row, tags[1]);
        rows.push({ about, row, seen, other });
      }
    }
  } finally {
    await nginx?.stop();
  }
  process.stdout.write(
    `# serv6 beside ${nginx === null ? "nobody" : `nginx ${NGINX.version()}`}\n${markdownOf(rows)}`,
  );
  const faults = faultsOf(rows);
  const differ = rows.filter(({ other, seen }) => other !== null && other !== seen).length;
  console.error(`${rows.length} cases, ${differ} answered otherwise by nginx`);
  if (missing !== null) console.error(`not compared with nginx: ${missing}`);
  for (const note of idleNotes(rows))
    console.error(`a note that this nginx has no need of: ${note}`);
  for (const fault of faults) console.error(`wrong: ${fault}`);
  return faults.length > 0 ? 1 : 0;
}

process.exit(await main());
