/**
 * Owns the page: one file that needs no other, in light and in dark, wide and narrow. Pure.
 * Invariant: whatever failed or was left out stands above what was measured.
 */
import { machineLine } from "../proc.ts";
import { busySide, keepsUp } from "../report.ts";
import type { BenchResult } from "../result.ts";
import { median } from "../stats.ts";
import type { DownloadResult } from "./downloads.ts";
import type { Figure } from "./figure.ts";
import { samplesOf } from "./servers.ts";
import { element, escaped, type Markup } from "./svg.ts";
import { amount, digits, time } from "./units.ts";

/** The whole document. */
export function page(
  result: BenchResult,
  downloads: DownloadResult | null,
  figures: readonly Figure[],
): string {
  const title = "serv6 and cli6, measured";
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><style>${STYLE}</style></head><body>
<main><h1>${title}</h1>
${intro(result, downloads)}
${failures(result)}
${figures.map(section).join("\n")}
${everySample(result)}
${servers(result)}
</main></body></html>
`;
}

/** The style sheet of the page, for drawings that stand alone too. */
export const STYLE = `
:root { color-scheme: light dark; --ink: #1c2430; --soft: #5c6675; --grid: #e3e7ec; --paper: #fff;
  --own: #0b66c3; --warn: #b3261e;
  --c1: #c4622d; --c2: #2e8b57; --c3: #8250b8; --c4: #a8862b; --c5: #c03a76; --c6: #3b8a99; --c7: #6b7480; --c8: #7a5c46; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa5b4; --grid: #2b323c; --paper: #14181e;
  --own: #58a6ff; --warn: #ff7b72;
  --c1: #e8935f; --c2: #5fc08a; --c3: #b48ae0; --c4: #d9b95c; --c5: #ee7fae; --c6: #6cc0cf; --c7: #a4aebb; --c8: #c2a48c; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2.6rem 0 .2rem; }
p { margin: .3rem 0; } .soft, figcaption { color: var(--soft); font-size: .9rem; }
code { font: .9em ui-monospace, monospace; overflow-wrap: anywhere; }
.failed { border-left: 4px solid var(--warn); padding: .2rem 1rem; margin: 1rem 0; color: var(--warn); }
figure { margin: .6rem 0; overflow-x: auto; } svg { width: 100%; min-width: 36rem; height: auto; display: block; }
details { margin: .4rem 0; } summary { cursor: pointer; color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem .2rem 0; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } td.text { white-space: normal; text-align: left; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); } svg .name { fill: var(--ink); }
svg .name.s0 { fill: var(--own); font-weight: 600; }
svg .grid { stroke: var(--grid); } svg .base { stroke: var(--soft); }
svg polyline { fill: none; stroke-width: 1.6; stroke: currentColor; }
svg .s0 polyline { stroke-width: 3; } svg .marker { fill: currentColor; stroke: currentColor; }
svg .hollow { fill: var(--paper); stroke-width: 1.6; } svg .spread { stroke: currentColor; stroke-width: 4; opacity: .22; }
${["own", "c1", "c2", "c3", "c4", "c5", "c6", "c7", "c8"].map((tone, nth) => `svg .s${nth} { color: var(--${tone}); }`).join(" ")}
svg circle.own { fill: var(--own); } svg circle.other { fill: var(--c7); }
svg .range { stroke-width: 4; opacity: .35; } svg .range.own { stroke: var(--own); } svg .range.other { stroke: var(--c7); }
svg .mark { stroke: var(--warn); stroke-width: 2.5; }`;

// --- internal ---

function intro(result: BenchResult, downloads: DownloadResult | null): Markup {
  const { began, machine, network, mode, command } = result;
  const again = downloads === null ? [] : ["bun bench/download.ts"];
  return [
    element("p", {}, escaped(`${machineLine(machine)}; network: ${network}.`)),
    element(
      "p",
      { class: "soft" },
      escaped(`The ${mode} run of ${began.slice(0, 10)}. Again: `),
      [command, ...again].map((one) => element("code", {}, escaped(one))).join(", "),
      escaped(
        ". All on one machine over loopback: read it as cost, not as what a cable brings. Servers and load are processes of their own, " +
          "every reply is checked, rivals take turns in random order, ratios compare samples of one round.",
      ),
    ),
  ].join("\n");
}

function failures({ failures: all, mode, servers: found, scenarios }: BenchResult): Markup {
  const skipped = found.flatMap(({ name, skipped: why }) =>
    why === null ? [] : [`${name}: ${why}`],
  );
  const impossible = scenarios.flatMap(({ name, skipped: why }) =>
    why === undefined ? [] : [`${name}: ${why}`],
  );
  const lines = [
    ...all.map((one) => `failed: ${one}`),
    ...impossible.map((one) => `not possible here: ${one}`),
    ...skipped.map((one) => `left out: ${one}`),
    ...(mode === "full" ? [] : [`a ${mode} run: fewer samples, fewer rivals`]),
  ];
  if (lines.length === 0) return "";
  return element("div", { class: "failed" }, ...lines.map((one) => element("p", {}, escaped(one))));
}

function section({ name, title, text, svg, columns, rows }: Figure): Markup {
  return element(
    "section",
    { id: name },
    element("h2", {}, escaped(title)),
    element("figure", {}, svg, element("figcaption", {}, escaped(text))),
    element("details", {}, element("summary", {}, "the numbers"), table(columns, rows)),
  );
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): Markup {
  const head = columns.map((text) => element("th", { scope: "col" }, escaped(text)));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((text) => element("td", {}, escaped(text)))),
  );
  const inside = [element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)];
  return element("div", { class: "wide" }, element("table", {}, ...inside));
}

/** Who was busy, which tells whether a row measures its server at all. */
function everySample(result: BenchResult): Markup {
  const columns = [
    ...["", "requests/s", "p50", "p99", "p99.9", "server CPU", "load CPU", "busy"],
    ...["us/request", "calls/request", "samples"],
  ];
  const parts = result.scenarios.map(({ name, title, ratePerSecond }) => {
    const rows = result.servers.flatMap(({ name: server }) => {
      const samples = samplesOf(result, name, server);
      if (samples.length === 0) return [];
      const middle = (of: (s: (typeof samples)[number]) => number): number =>
        median(samples.map(of));
      const own = middle((s) => s.serverCpuSeconds / s.seconds);
      const load = middle((s) => s.loadCpuSeconds / s.seconds);
      const answered = middle((s) => s.requestsPerSecond);
      const calls = samples[0]?.syscallsPerRequest ?? null;
      return [
        [
          ...[server, amount(answered), time(middle((s) => s.p50Us)), time(middle((s) => s.p99Us))],
          ...[time(middle((s) => s.p999Us)), `${Math.round(own * 100)} %`],
          `${Math.round(load * 100)} %`,
          ratePerSecond === null
            ? busySide(own, load)
            : keepsUp(
                ratePerSecond,
                answered,
                middle((s) => s.p99Us),
                middle((s) => s.sentLateP99Us ?? 0),
              ),
          digits(middle((s) => (s.serverCpuSeconds * 1e6) / (s.requestsPerSecond * s.seconds))),
          ...[calls === null ? "" : digits(calls), String(samples.length)],
        ],
      ];
    });
    return element("h3", {}, escaped(title)) + table(columns, rows);
  });
  const text =
    "CPU in shares of one core. Where the load was the busy side, the server could have done more.";
  return element(
    "section",
    {},
    element("h2", {}, "Every scenario"),
    element("p", { class: "soft" }, escaped(text)),
    element("details", {}, element("summary", {}, "the tables"), ...parts),
  );
}

function servers({ servers: all }: BenchResult): Markup {
  const rows = all.map(({ name, about, skipped }) =>
    element(
      "tr",
      {},
      element("td", {}, escaped(name)),
      element("td", { class: "text" }, escaped(skipped === null ? about : `left out: ${skipped}`)),
    ),
  );
  return element(
    "section",
    {},
    element("h2", {}, "Who took part"),
    element("div", { class: "wide" }, element("table", {}, element("tbody", {}, ...rows))),
  );
}
