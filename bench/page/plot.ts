/**
 * Owns the two drawings of the page: lines over an axis, and dots with their spread. Pure: numbers
 * in, SVG out. A series is told by its marker and by its name beside it, not by colour alone.
 * Invariant: what was not measured is a gap; every mark lies inside the frame.
 */
import { linear, logarithmic, type Scale } from "./scale.ts";
import { element, escaped, label, type Markup } from "./svg.ts";

const WIDTH = 720;
const HEIGHT = 400;
const FRAME = { left: 96, right: 120, top: 16, bottom: 52 };
const LINE = 17;
/** From the middle of one label of the lower axis to the next: "10,000" and a gap. */
const LABEL = 46;

export interface Point {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly Point[];
}

export interface Axis {
  readonly label: string;
  readonly log: boolean;
  format(value: number): string;
}

export interface Plot {
  readonly title: string;
  /** What is to be seen, in a sentence. */
  readonly text: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

/** Lines with markers; a bar behind a marker is the range of its samples. */
export function linePlot(plot: Plot): Markup {
  const all = plot.series.flatMap(({ points }) => points);
  const right = WIDTH - FRAME.right;
  const bottom = HEIGHT - FRAME.bottom;
  const x = scaleOf(
    plot.x,
    all.map((point) => point.x),
    FRAME.left + 12,
    right - 12,
  );
  const lows = plot.y.log ? all.map(({ low }) => low) : [];
  const y = scaleOf(plot.y, [...lows, ...all.map(({ high }) => high)], bottom, FRAME.top);
  const measured = [...new Set(all.map((point) => point.x))].sort((a, b) => a - b);
  const labels = spaced(measured.length <= 10 ? measured : x.ticks, x);
  return drawing(plot, HEIGHT, [
    ...y.ticks.flatMap((tick) => [
      element("line", { class: "grid", x1: FRAME.left, x2: right, y1: y.at(tick), y2: y.at(tick) }),
      label(plot.y.format(tick), FRAME.left - 8, y.at(tick) + 4, { "text-anchor": "end" }),
    ]),
    ...labels.map((tick) =>
      label(plot.x.format(tick), x.at(tick), bottom + 20, { "text-anchor": "middle" }),
    ),
    label(plot.x.label, (FRAME.left + right) / 2, HEIGHT - 10, middle),
    label(plot.y.label, 0, 0, {
      ...middle,
      transform: `translate(14 ${(FRAME.top + bottom) / 2}) rotate(-90)`,
    }),
    ...plot.series.map((series, nth) => line(series, nth, x, y)),
    ...names(plot.series, y, right),
  ]);
}

/** Those of ascending `values` whose labels don't touch, the first first. */
function spaced(values: readonly number[], x: Scale): number[] {
  const kept: number[] = [];
  for (const value of values) {
    const last = kept.at(-1);
    if (last === undefined || x.at(value) - x.at(last) >= LABEL) kept.push(value);
  }
  return kept;
}

export interface DotRow {
  readonly name: string;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** What was promised, marked on the row; null: nothing. */
  readonly mark: number | null;
  /** Drawn like ours. */
  readonly own: boolean;
}

export interface DotPlot {
  readonly title: string;
  readonly text: string;
  readonly x: Axis;
  readonly rows: readonly DotRow[];
  /** A value that all are to be compared with, as 1 for a ratio; null: none. */
  readonly base: number | null;
}

/** A row for each: a dot at the median, a bar for the range, a tick for what was promised. */
export function dotPlot(plot: DotPlot): Markup {
  const left = 190;
  const right = WIDTH - 90;
  const row = 26;
  const height = plot.rows.length * row + 56;
  const values = plot.rows.flatMap(({ low, high, mark }) => [
    low,
    high,
    ...(mark === null ? [] : [mark]),
  ]);
  const x = scaleOf(plot.x, [...values, ...(plot.base === null ? [] : [plot.base])], left, right);
  const bottom = height - 44;
  return drawing(plot, height, [
    ...x.ticks.flatMap((tick) => [
      element("line", { class: "grid", x1: x.at(tick), x2: x.at(tick), y1: 4, y2: bottom }),
      label(plot.x.format(tick), x.at(tick), bottom + 18, middle),
    ]),
    ...(plot.base === null
      ? []
      : [
          element("line", {
            class: "base",
            x1: x.at(plot.base),
            x2: x.at(plot.base),
            y1: 4,
            y2: bottom,
          }),
        ]),
    ...plot.rows.flatMap(({ name, value, low, high, mark, own }, nth) => {
      const y = 16 + nth * row;
      const tone = own ? "own" : "other";
      return [
        label(name, left - 12, y + 4, { "text-anchor": "end" }),
        element("line", { class: `range ${tone}`, x1: x.at(low), x2: x.at(high), y1: y, y2: y }),
        element("circle", { class: tone, cx: x.at(value), cy: y, r: 5 }),
        ...(mark === null
          ? []
          : [
              element("line", {
                class: "mark",
                x1: x.at(mark),
                x2: x.at(mark),
                y1: y - 9,
                y2: y + 9,
              }),
            ]),
        label(plot.x.format(value), right + 12, y + 4),
      ];
    }),
    label(plot.x.label, (left + right) / 2, height - 8, middle),
  ]);
}

// --- internal ---

const middle = { "text-anchor": "middle" };

function drawing(plot: { title: string; text: string }, height: number, inside: Markup[]): Markup {
  const about = {
    viewBox: `0 0 ${WIDTH} ${height}`,
    role: "img",
    xmlns: "http://www.w3.org/2000/svg",
  };
  const words = [
    element("title", {}, escaped(plot.title)),
    element("desc", {}, escaped(plot.text)),
  ];
  return element("svg", about, ...words, ...inside);
}

function scaleOf(axis: Axis, values: readonly number[], from: number, to: number): Scale {
  const known = values.filter((value) => Number.isFinite(value) && (!axis.log || value > 0));
  if (known.length === 0) return linear(1, from, to);
  const most = Math.max(...known);
  return axis.log ? logarithmic(Math.min(...known), most, from, to) : linear(most, from, to);
}

function line({ points }: Series, nth: number, x: Scale, y: Scale): Markup {
  const places = points.map((point) => `${x.at(point.x).toFixed(1)},${y.at(point.y).toFixed(1)}`);
  return element(
    "g",
    { class: `s${nth}` },
    ...points.map(({ x: at, low, high }) =>
      element("line", {
        class: "spread",
        x1: x.at(at),
        x2: x.at(at),
        y1: y.at(low),
        y2: y.at(high),
      }),
    ),
    element("polyline", { points: places.join(" ") }),
    ...points.map((point) => marker(nth, x.at(point.x), y.at(point.y))),
  );
}

/** Circle, square, triangle, diamond, and the same hollow: told apart without their colours. */
function marker(nth: number, x: number, y: number): Markup {
  const shape = nth % 4;
  const kind = nth >= 4 ? "marker hollow" : "marker";
  if (shape === 0) return element("circle", { class: kind, cx: x, cy: y, r: 4.5 });
  const corners = [
    [],
    [
      [-4, -4],
      [4, -4],
      [4, 4],
      [-4, 4],
    ],
    [
      [0, -5.5],
      [5, 4],
      [-5, 4],
    ],
    [
      [0, -6],
      [5, 0],
      [0, 6],
      [-5, 0],
    ],
  ][shape]!;
  const points = corners.map(([dx = 0, dy = 0]) => `${(x + dx).toFixed(1)},${(y + dy).toFixed(1)}`);
  return element("polygon", { class: kind, points: points.join(" ") });
}

/** Names beside the last points, moved apart where they would overlap. */
function names(series: readonly Series[], y: Scale, right: number): Markup[] {
  const wanted = series
    .flatMap(({ name, points }, nth) => {
      const last = points.at(-1);
      return last === undefined ? [] : [{ name, nth, at: y.at(last.y) }];
    })
    .sort((a, b) => a.at - b.at);
  for (let i = 1; i < wanted.length; i++) {
    wanted[i]!.at = Math.max(wanted[i]!.at, wanted[i - 1]!.at + LINE);
  }
  // And back into the frame from below, each no lower than the next one allows.
  let lowest = HEIGHT - FRAME.bottom;
  for (const one of wanted.toReversed()) {
    one.at = Math.min(one.at, lowest);
    lowest = one.at - LINE;
  }
  return wanted.flatMap(({ name, nth, at }) => [
    element("g", { class: `s${nth}` }, marker(nth, right + 6, at)),
    label(name, right + 18, at + 4, { class: `name s${nth}` }),
  ]);
}
