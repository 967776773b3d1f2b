/**
 * What the page of a folder does where a script may run: it filters while somebody types, sorts
 * without asking the server again, copies lines, and goes through the rows by the arrow keys. It
 * changes nothing but what is shown, keeps nothing and asks nothing. Its digest stands in
 * folderpolicy.ts. The clipboard is written by execCommand(): navigator.clipboard is there for
 * https: alone.
 */

/** As it stands in the page. */
export const FOLDER_SCRIPT = `
"use strict";
{
  const by = (id) => document.getElementById(id);
  const box = by("q"), said = by("said"), body = by("rows");
  const rows = [...body.rows];
  const plain = (text) => text.normalize("NFD").replace(/\\p{M}/gu, "").toLowerCase();
  const link = (row) => row.cells[0].firstChild;
  const names = new Map(rows.map((row) => [row, plain(link(row).textContent)]));

  const filter = () => {
    const words = plain(box.value).split(/\\s+/);
    let shown = 0;
    for (const row of rows) {
      const fits = words.every((word) => names.get(row).includes(word));
      row.hidden = !fits;
      shown += fits;
    }
    said.textContent = box.value === "" ? "" :
      shown === 0 ? "No name here has that in it." : shown + " of " + rows.length.toLocaleString("en") + " shown";
  };

  const heads = [...document.querySelectorAll("thead th")];
  const value = [
    (row) => link(row).textContent,
    (row) => Number(row.cells[1].title.replace(/\\D/g, "")),
    (row) => row.cells[2].firstChild?.dateTime ?? "",
  ];
  const sort = (column) => {
    const head = heads[column];
    const was = head.getAttribute("aria-sort");
    const down = was ? was === "ascending" : column > 0;
    const sign = down ? -1 : 1;
    const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
    const keyed = rows.map((row) => ({
      row, folder: link(row).textContent.endsWith("/"), name: value[0](row), key: value[column](row),
    }));
    keyed.sort((a, b) => b.folder - a.folder || sign * compare(a.key, b.key) || compare(a.name, b.name));
    body.append(...keyed.map(({ row }) => row));
    for (const other of heads) other.removeAttribute("aria-sort");
    const order = down ? "descending" : "ascending";
    head.setAttribute("aria-sort", order);
    const next = document.querySelector("[rel=next]");
    const how = "&sort=" + ["name", "size", "time"][column] + (down ? "&order=desc" : "");
    if (next) next.setAttribute("href", next.getAttribute("href").split("&")[0] + how);
    said.textContent = "Sorted by " + ["name", "size", "time"][column] + ", " + order;
  };
  heads.forEach((head, column) => head.firstChild.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    sort(column);
  }));

  for (const code of document.querySelectorAll("dd code")) {
    const button = document.createElement("button");
    button.textContent = "Copy";
    button.title = code.textContent;
    button.addEventListener("click", () => {
      getSelection().selectAllChildren(code);
      const done = document.execCommand("copy");
      button.textContent = done ? "Copied" : "Selected";
      said.textContent = done ? "Copied" : "Selected: copy it by the keyboard";
    });
    code.after(button);
  }

  const step = (from, by) => {
    const all = [...document.querySelectorAll("tbody tr:not([hidden]) a")];
    const at = all.indexOf(from);
    const to = at < 0 ? (by > 0 ? all[0] : undefined) : all[at + by];
    if (to !== undefined) to.focus();
    else if (by < 0) box.focus();
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const { key, target } = event;
    const inRows = target.matches("tbody a");
    if (key === "/" && target !== box) box.focus(), box.select();
    else if (key === "Escape" && target === box) box.value = "", filter();
    else if (key === "ArrowDown" && (inRows || target === box)) step(target, 1);
    else if (key === "ArrowUp" && inRows) step(target, -1);
    else return;
    event.preventDefault();
  });
  box.addEventListener("input", filter);
  by("filter").hidden = rows.length === 0;
  // A page that is gone back to has its text still.
  if (box.value !== "") filter();
}
`;
