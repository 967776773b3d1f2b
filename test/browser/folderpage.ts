/**
 * A folder's page in a real Chromium (`make test-browser`), as a person meets it: seen, filtered,
 * sorted, gone through by keys, copied from, downloaded from. After each test the browser has asked
 * nobody but the server, and neither the policy nor a script has complained.
 *
 * With SHOTS=DIR it leaves pictures there, to be looked at.
 */
import { afterEach, expect } from "bun:test";
import fs from "node:fs";
import { needing } from "../rig/needs.ts";
import { Running, type RunningOptions } from "../rig/running.ts";
import { Tree } from "../rig/tree.ts";
import { CHROMIUM, Chromium } from "./chromium.ts";

const MARKUP = "<img src=x onerror=alert(1)>";
const SHOTS = process.env.SHOTS;
const driven = needing(CHROMIUM);

/** A server of `tree` and a browser that looks at its root. */
class Visit implements AsyncDisposable {
  readonly running: Running;
  readonly browser: Chromium;
  readonly base: string;

  private constructor(running: Running, browser: Chromium) {
    this.running = running;
    this.browser = browser;
    this.base = `http://127.0.0.1:${running.port}`;
  }

  static async of(tree: Tree, path = "/", options: RunningOptions = {}): Promise<Visit> {
    const running = new Running(tree.path("root"), options);
    const visit = new Visit(running, await Chromium.start(tree.path("downloads")));
    current = visit;
    await visit.browser.look(1100, 800, "light");
    await visit.browser.open(visit.base + path);
    return visit;
  }

  /** Names of the rows that are seen, in their order. */
  names(): Promise<string[]> {
    return this.browser.value(
      `[...document.querySelectorAll("#rows tr")].filter((row) => row.checkVisibility())` +
        `.map((row) => row.cells[0].textContent)`,
    );
  }

  focused(): Promise<string> {
    return this.browser.value(
      `document.activeElement.id || document.activeElement.textContent.trim()`,
    );
  }

  async shot(name: string): Promise<void> {
    if (SHOTS !== undefined) await this.browser.screenshot(`${SHOTS}/${name}.png`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser[Symbol.asyncDispose]();
    await this.running[Symbol.asyncDispose]();
  }
}

let current: Visit | null = null;

/** What no visit may leave behind, asked at its end. */
function isQuiet({ browser, base }: Visit): void {
  expect(browser.complaints).toEqual([]);
  expect(browser.requests.filter((url) => !url.startsWith(`${base}/`))).toEqual([]);
}

afterEach(() => {
  if (current !== null) isQuiet(current);
  current = null;
});

const FILES = {
  "root/b.bin": Buffer.alloc(5000).toString(),
  "root/a.txt": "text",
  "root/Año.txt": "x",
  "root/sub/inner": "",
  "root/zsub/x": "",
  [`root/${MARKUP}`]: "harmless",
  "root/README.md": "<script>alert(2)</script> & more",
  "downloads/.keep": "",
};

driven("it is seen: rows, pictures, README, and names that are markup are text", async () => {
  using tree = new Tree(FILES);
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  expect(await visit.names()).toEqual([
    ...["sub/", "zsub/", MARKUP, "Año.txt", "README.md", "a.txt", "b.bin"],
  ]);
  expect(await browser.value(`document.images.length + document.scripts.length`)).toBe(1);
  expect(await browser.value(`document.querySelector("pre").textContent`)).toBe(
    "<script>alert(2)</script> & more",
  );
  // The pictures are drawn: each has an extent of its own.
  expect(
    await browser.value(
      `[...document.querySelectorAll("tbody use")].every((it) => it.getBBox().width > 5)`,
    ),
  ).toBe(true);
  expect(
    await browser.value(`getComputedStyle(document.querySelector("#rows tr svg")).color`),
  ).not.toBe("rgb(0, 0, 0)");
  const rolesOf = (await browser.send("Accessibility.getFullAXTree")) as {
    nodes: { role?: { value: string }; name?: { value: string } }[];
  };
  const told = rolesOf.nodes.map(({ role, name }) => `${role?.value}: ${name?.value}`);
  for (const it of ["table: 127", "columnheader: Size", "rowheader: a.txt", "searchbox: Filter"]) {
    expect(told.some((line) => line.startsWith(it))).toBe(true);
  }
  await visit.shot("light");
  await browser.look(1100, 800, "dark");
  await visit.shot("dark");
  expect(await browser.value(`getComputedStyle(document.documentElement).backgroundColor`)).toBe(
    "rgb(20, 22, 26)",
  );
});

driven("it is narrow: nothing is wider than the window, down to 320 pixels", async () => {
  using tree = new Tree({ ...FILES, [`root/${"W".repeat(200)}.safetensors`]: "" });
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  await browser.value(`document.querySelector("details").open = true`);
  for (const width of [320, 360, 640, 1100, 2560]) {
    await browser.look(width, 800, width === 360 ? "dark" : "light");
    expect(await browser.value(`document.documentElement.scrollWidth`)).toBe(width);
    await visit.shot(`${width}`);
  }
});

driven("it is filtered while somebody types, and / is the way there", async () => {
  using tree = new Tree(FILES);
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  await browser.press("/");
  expect(await visit.focused()).toBe("q");
  await browser.type("TXT");
  expect(await visit.names()).toEqual(["Año.txt", "a.txt"]);
  expect(await browser.value(`document.querySelector("[role=status]").textContent`)).toBe(
    "2 of 7 shown",
  );
  await browser.type(" ano");
  expect(await visit.names()).toEqual(["Año.txt"]);
  await visit.shot("filter");
  await browser.type("/");
  expect(await visit.names()).toEqual([]);
  await browser.press("Escape");
  expect(await visit.names()).toHaveLength(7);
});

driven("it is sorted by its headings, with a script and by the server alike", async () => {
  using tree = new Tree(FILES);
  const byTime = ["b.bin", "sub", MARKUP, "README.md", "a.txt", "Año.txt", "zsub"];
  for (const [nth, name] of byTime.entries()) {
    fs.utimesSync(tree.path(`root/${name}`), 1_000_000 + nth * 60, 1_000_000 + nth * 60);
  }
  await using visit = await Visit.of(tree);
  const { browser, base } = visit;
  const orders: string[][] = [];
  const states: string[] = [];
  const state = `[...document.querySelectorAll("thead th")].map((it) => it.ariaSort ?? "").join()`;
  for (const column of [2, 2, 3, 3, 1, 1]) {
    await browser.click(`thead th:nth-child(${column}) a`);
    orders.push(await visit.names());
    states.push(await browser.value(state));
  }
  expect(states).toEqual([
    ...[",descending,", ",ascending,", ",,descending", ",,ascending"],
    ...["ascending,,", "descending,,"],
  ]);
  expect(browser.requests).toHaveLength(1);
  const queries = ["sort=size&order=desc", "sort=size", "sort=time&order=desc", "sort=time"];
  await browser.send("Emulation.setScriptExecutionDisabled", { value: true });
  for (const [nth, query] of [...queries, "sort=name", "sort=name&order=desc"].entries()) {
    await browser.open(`${base}/?${query}`);
    expect([query, await visit.names()]).toEqual([query, orders[nth]!]);
    expect(await browser.value(state)).toBe(states[nth]!);
  }
  // What only a script can do is not seen.
  expect(await browser.value(`document.querySelector("#q").checkVisibility()`)).toBe(false);
  await visit.shot("without-script");
  await browser.loading(() => browser.click("thead th:nth-child(2) a"));
  expect(await visit.names()).toEqual(orders[0]!);
});

driven("it is gone through by the keyboard alone, with the focus in sight", async () => {
  using tree = new Tree(FILES);
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  const way: string[] = [];
  for (let nth = 0; nth < 6; nth++) {
    await browser.press("Tab");
    way.push(await visit.focused());
  }
  expect(way).toEqual(["From a terminal", "q", "Name", "Size", "Changed (UTC)", "sub/"]);
  await browser.press("ArrowDown");
  expect(await visit.focused()).toBe("zsub/");
  expect(await browser.value(`getComputedStyle(document.activeElement).outlineStyle`)).toBe(
    "solid",
  );
  await browser.press("ArrowUp");
  await browser.press("ArrowUp");
  expect(await visit.focused()).toBe("q");
  await browser.type("zsub");
  await browser.press("ArrowDown");
  await browser.loading(() => browser.press("Enter"));
  expect(await browser.value("location.pathname")).toBe("/zsub/");
  expect(await visit.names()).toEqual(["x"]);
  await browser.loading(() => browser.click("a[rel=up]"));
  await browser.loading(() => browser.click(`#rows a[href="sub/"]`));
  await browser.loading(() => browser.click("nav a"));
  expect(await browser.value("location.pathname")).toBe("/");
});

driven("a line is copied by its button, as it stands", async () => {
  using tree = new Tree(FILES);
  await using visit = await Visit.of(tree, "/sub/");
  const { browser, base } = visit;
  await browser.click("summary");
  await browser.click("dd button");
  expect(await browser.value(`document.querySelector("dd button").textContent`)).toBe("Copied");
  await browser.press("/");
  await browser.send("Input.dispatchKeyEvent", {
    ...{ type: "rawKeyDown", key: "v", windowsVirtualKeyCode: 86, modifiers: 2 },
    commands: ["paste"],
  });
  expect(await browser.value(`document.querySelector("#q").value`)).toBe(
    `cli6 mirror ${base.replace("http", "s6")}/sub/ sub`,
  );
});

driven("what a browser does not show is downloaded, whole and under its name", async () => {
  using tree = new Tree(FILES);
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  for (const name of ["b.bin", MARKUP]) {
    await browser.value(
      `[...document.querySelectorAll("#rows a")].find((it) =>` +
        ` it.textContent === ${JSON.stringify(name)}).click()`,
    );
    await browser.until(name, () => browser.downloads.length > 0);
    const saved = browser.downloads.pop()!;
    expect(fs.readFileSync(tree.path(`downloads/${saved}`), "latin1")).toBe(
      fs.readFileSync(tree.path(`root/${name}`), "latin1"),
    );
    expect(saved).toBe(name.replaceAll(/[<>]/g, "_"));
  }
});

driven("ten thousand entries are ten pages, each sorted and filtered at once", async () => {
  using tree = new Tree({ "root/f": "", "downloads/.keep": "" });
  for (let nth = 0; nth < 9999; nth++) tree.write(`root/n${10_000 + nth}`, "");
  await using visit = await Visit.of(tree);
  const { browser } = visit;
  let pages = 1;
  const seen = new Set(await visit.names());
  await browser.press("/");
  await browser.type("n1000");
  const said = `document.querySelector("[role=status]").textContent`;
  expect(await browser.value(said)).toBe("10 of 1,000 shown");
  const filtered = await browser.value<number>(
    `(() => { const begin = performance.now(); const box = document.querySelector("#q");` +
      ` box.value = "99"; box.dispatchEvent(new Event("input")); box.offsetTop;` +
      ` return performance.now() - begin; })()`,
  );
  console.log(`filtering 1,000 rows took ${filtered.toFixed(1)} ms`);
  await browser.click("thead th:nth-child(2) a");
  expect(
    await browser.value(`document.querySelector("[rel=next]").getAttribute("href")`),
  ).toEndWith("&sort=size&order=desc");
  while ((await browser.value(`document.querySelector("[rel=next]") !== null`)) === true) {
    await browser.loading(() => browser.value(`document.querySelector("[rel=next]").click()`));
    for (const name of await visit.names()) seen.add(name);
    pages += 1;
  }
  await visit.shot("wide");
  expect([pages, seen.size]).toEqual([10, 10_000]);
  await browser.loading(() => browser.click("[rel=first]"));
});

driven("an index.html of --index has its script, its origin and its relative links", async () => {
  const start = `<!doctype html><link rel=icon href="data:,">`;
  using tree = new Tree({
    "root/site/index.html": `${start}<a href="page.html">on</a><script src="it.js"></script>`,
    "root/site/it.js": `localStorage.was = "here"; document.title = localStorage.was`,
    "root/site/page.html": `${start}<title>page</title>`,
    "downloads/.keep": "",
  });
  await using visit = await Visit.of(tree, "/", { index: true });
  const { browser } = visit;
  // From the sandboxed page, whose flags must not be handed on.
  await browser.loading(() => browser.click("#rows a"));
  expect(await browser.value("document.title")).toBe("here");
  expect(await browser.value("origin")).toBe(visit.base);
  await browser.loading(() => browser.click("a"));
  expect(await browser.value("document.title")).toBe("page");
});
