/**
 * The live page of who runs the server: it asks for /-/stats each second and draws what has come.
 * One document, which loads nothing else; style and script are let in by their digests.
 */
import { createHash } from "node:crypto";
import { field, typeFields } from "../wire/http/responsehead.ts";

const STYLE = `
:root{color-scheme:light dark;--page:#fff;--text:#1b1e23;--soft:#5c6470;--line:#e4e7eb;--raised:#f5f7f9;--bar:#0a58c4;--warn:#b3261e}
@media(prefers-color-scheme:dark){:root{--page:#14161a;--text:#e3e6ea;--soft:#98a1ad;--line:#2b3037;--raised:#1c2026;--bar:#8ab6ff;--warn:#f2b8b5}}
*{box-sizing:border-box}
html{background:var(--page);color:var(--text);font:.9375rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
body{margin:0 auto;max-width:66rem;padding:1.5rem}
h1{margin:0;font-size:1.5rem;line-height:1.25;font-weight:650}
header p{margin:.25rem 0 1.25rem;color:var(--soft)}
.lost{color:var(--warn)}
#cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:.75rem;margin:0}
#cards div{padding:.875rem 1rem;border:1px solid var(--line);border-radius:8px;background:var(--raised);min-width:0}
dt{color:var(--soft);font-size:.8125rem}
dd{margin:0;font-size:1.5rem;font-weight:600;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
dd small{display:block;min-height:1.25rem;font-size:.8125rem;font-weight:400;line-height:1.25rem;color:var(--soft)}
svg{display:block;width:100%;height:2.5rem;margin-top:.25rem}
polyline{fill:none;stroke:var(--bar);stroke-width:1.5;vector-effect:non-scaling-stroke}
h2{margin:1.5rem 0 .5rem;font-size:1.0625rem}
table{width:100%;border-collapse:collapse}
th{color:var(--soft);font-size:.8125rem;font-weight:600;text-align:left}
th,td{padding:.375rem .5rem;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
#none{color:var(--soft)}
td:first-child{min-width:8rem}
@media(max-width:40rem){body{padding:1rem}#cards{grid-template-columns:1fr 1fr;gap:.5rem}#cards div{padding:.625rem .75rem}dd{font-size:1.125rem}.w{display:none}}
`;

const SCRIPT = `
"use strict";
{
  const by = (id) => document.getElementById(id);
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const size = (bytes) => {
    let unit = 0;
    for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
    return (unit === 0 || bytes >= 100 ? Math.round(bytes).toLocaleString("en") : bytes.toFixed(1)) + " " + units[unit];
  };
  const span = (seconds) => {
    const [d, h, m, s] = [seconds / 86400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60].map(Math.floor);
    return d > 0 ? d + " d " + h + " h" : h > 0 ? h + " h " + m + " min" : m > 0 ? m + " min " + s + " s" : s + " s";
  };
  const POINTS = 60;
  const lines = new Map();
  const draw = (id, value) => {
    const points = lines.get(id) ?? [];
    lines.set(id, points);
    points.push(value);
    if (points.length > POINTS) points.shift();
    const most = Math.max(...points, 1e-9);
    const x = (nth) => 100 - (points.length - 1 - nth) * 100 / (POINTS - 1);
    const text = points.map((it, nth) => x(nth).toFixed(1) + "," + (28 - 26 * it / most).toFixed(1)).join(" ");
    by(id).querySelector("polyline").setAttribute("points", text);
  };
  const put = (id, text, small) => {
    const value = by(id).querySelector("dd");
    value.textContent = text;
    const more = document.createElement("small");
    more.textContent = small;
    value.append(more);
  };
  let last = null;
  const show = (now, at) => {
    by("about").textContent = "serv6 " + now.version + ", up " + span(now.upSeconds);
    by("about").className = "";
    const seconds = last === null ? 0 : (at - last.at) / 1000;
    const rate = (name) => seconds > 0 ? Math.max(0, now[name] - last.now[name]) / seconds : 0;
    if (last !== null) {
      put("sent", size(rate("bytes")) + "/s", size(now.bytes) + " in all");
      draw("sent", rate("bytes"));
      put("asked", Math.round(rate("requests")).toLocaleString("en") + "/s", now.requests.toLocaleString("en") + " in all, " + now.refused.toLocaleString("en") + " refused");
      draw("asked", rate("requests"));
      put("cpu", (100 * rate("cpuSeconds")).toFixed(0) + " %", "of a core");
      draw("cpu", rate("cpuSeconds"));
    }
    const { states } = now;
    put("open", now.connections.toLocaleString("en"), states.room + states.turn + states.window + " sending, " + states.store + " waiting for the disk");
    draw("open", now.connections);
    put("lag", now.lagMs.toFixed(now.lagMs < 10 ? 1 : 0) + " ms", "what the last look came late by");
    draw("lag", now.lagMs);
    put("memory", size(now.rssBytes), now.openFiles + " files open, " + now.digestJobs + " digests");
    draw("memory", now.rssBytes);
    const rows = by("rows");
    rows.replaceChildren(...now.transfers.map((it) => {
      const row = document.createElement("tr");
      const cell = (text, kind) => {
        const td = document.createElement("td");
        td.textContent = text;
        td.className = kind;
        row.append(td);
      };
      cell(it.path, "");
      cell(it.peer, "w");
      cell(size(it.sent) + " of " + size(it.size), "n w");
      cell((it.size === 0 ? 100 : Math.floor(100 * it.sent / it.size)) + " %", "n");
      cell(it.quietSeconds < 1 ? "" : span(it.quietSeconds), "n");
      return row;
    }));
    by("none").hidden = now.transfers.length > 0;
    rows.parentNode.hidden = now.transfers.length === 0;
    last = { now, at };
  };
  const tick = async () => {
    try {
      const reply = await fetch("stats", { cache: "no-store" });
      if (!reply.ok) throw new Error(reply.statusText);
      show(await reply.json(), performance.now());
    } catch {
      by("about").textContent = "the server does not answer";
      by("about").className = "lost";
    }
    setTimeout(tick, 1000);
  };
  tick();
}
`;

/** A card: what it tells, and the line of the last minute. */
function card(id: string, told: string): string {
  return (
    `<div id=${id}><dt>${told}</dt><dd>–</dd>` +
    "<svg viewBox='0 0 100 30' preserveAspectRatio=none aria-hidden=true><polyline/></svg></div>"
  );
}

/** The document. */
export const STATUS_PAGE =
  "<!DOCTYPE html><html lang=en><meta charset=utf-8>" +
  "<meta name=viewport content='width=device-width,initial-scale=1'><title>serv6</title>" +
  `<style>${STYLE}</style><body><header><h1>What the server does</h1>` +
  "<p id=about role=status>asking the server</p></header><dl id=cards>" +
  card("sent", "Sent") +
  card("asked", "Requests") +
  card("open", "Connections") +
  card("cpu", "Processor") +
  card("lag", "Loop lag") +
  card("memory", "Memory") +
  "</dl><main><h2>Transfers</h2><p id=none>Nothing is on its way.</p>" +
  "<table hidden><thead><tr><th scope=col>Path<th scope=col class=w>To<th scope=col class='n w'>Sent" +
  "<th scope=col class=n>Done<th scope=col class=n>Still for<tbody id=rows></table></main>" +
  "<noscript><p>The numbers are drawn by a script; <a href=metrics>/-/metrics</a> has them as text." +
  `</noscript><script>${SCRIPT}</script>`;

/** Its fields: it asks this server for /-/stats, and nobody for anything else. */
export const STATUS_PAGE_FIELDS =
  typeFields("text/html;charset=utf-8") +
  field(
    "Content-Security-Policy",
    `default-src 'none'; connect-src 'self'; style-src ${digestOf(STYLE)}; ` +
      `script-src ${digestOf(SCRIPT)}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  ) +
  field("Referrer-Policy", "no-referrer");

// --- internal ---

function digestOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
