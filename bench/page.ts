/**
 * `bun bench/page.ts RESULT.json [DOWNLOADS.json] [-o report.html] [--svg DIR] [--readme FILE]`:
 * results of bench/run.ts and bench/download.ts as a page, as drawings, and as the README's table.
 * Owns files and flags. Exit status: 0 done, 1 a file can't be read or written, 2 usage.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { run } from "./command.ts";
import { downloadFigures, type DownloadResult } from "./page/downloads.ts";
import { page, STYLE } from "./page/html.ts";
import { refusal, rewritten } from "./page/readme.ts";
import { serverFigures } from "./page/servers.ts";
import { type BenchResult, RESULT_SCHEMA } from "./result.ts";

const USAGE =
  "bun bench/page.ts RESULT.json [DOWNLOADS.json] [-o report.html] [--svg DIR] [--readme README.md]";

function main(): number {
  const { values, positionals } = parseArgs({
    options: {
      output: { type: "string", short: "o", default: "report.html" },
      svg: { type: "string" },
      readme: { type: "string" },
    },
    allowPositionals: true,
  });
  const [file, downloadsFile, ...more] = positionals;
  if (file === undefined || more.length > 0) return refuse(`usage: ${USAGE}`);
  const result = JSON.parse(readFileSync(file, "utf8")) as BenchResult;
  if (result.schema !== RESULT_SCHEMA) return refuse(`${file} is no ${RESULT_SCHEMA}`);
  if (values.readme !== undefined) {
    const why = refusal(result);
    if (why !== null) return refuse(`${file} does not go into ${values.readme}: ${why}`);
    writeFileSync(values.readme, rewritten(readFileSync(values.readme, "utf8"), result));
  }
  const downloads =
    downloadsFile === undefined
      ? null
      : (JSON.parse(readFileSync(downloadsFile, "utf8")) as DownloadResult);
  const figures = [
    ...serverFigures(result),
    ...(downloads === null ? [] : downloadFigures(downloads)),
  ];
  writeFileSync(values.output, page(result, downloads, figures));
  console.log(values.output);
  if (values.svg === undefined) return 0;
  mkdirSync(values.svg, { recursive: true });
  for (const { name, svg } of figures) {
    const alone = svg.replace(/(<svg[^>]*>)/, `$1<style>${STYLE}</style>`);
    writeFileSync(join(values.svg, `${name}.svg`), `${alone}\n`);
  }
  return 0;
}

function refuse(why: string): number {
  console.error(`bench: ${why}`);
  return 2;
}

await run(main);
