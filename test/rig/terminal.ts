/**
 * A terminal as far as a progress display needs one: characters with their widths, wrapping,
 * scrolling, and the few movements that are allowed. Anything else is an error, so that nothing
 * unusual slips in.
 */

/** A line of cells; `wrapped`: it goes on in the next one. A wide character's second cell is "". */
interface Line {
  cells: string[];
  wrapped: boolean;
}

/** What a person has seen: screen and scrollback together. */
export class EmulatedTerminal {
  columns: number;
  readonly rows: number;
  #lines: Line[] = [{ cells: [], wrapped: false }];
  #row = 0;
  #column = 0;
  #pending = "";

  constructor(columns: number, rows: number) {
    this.columns = columns;
    this.rows = rows;
  }

  /** All lines, without the blanks at their ends and the empty ones below. */
  get text(): string {
    const lines = this.#lines.map(({ cells }) => {
      return Array.from(cells, (cell) => cell ?? " ")
        .join("")
        .trimEnd();
    });
    return lines.join("\n").trimEnd();
  }

  /** Where the cursor is, counted from the first line ever. */
  get cursor(): readonly [row: number, column: number] {
    return [this.#row, this.#column];
  }

  /** Takes what a program wrote; sequences may come in pieces. */
  write(text: string): void {
    this.#pending += text;
    while (this.#pending !== "") {
      const taken = this.#take(this.#pending);
      if (taken === 0) return;
      this.#pending = this.#pending.slice(taken);
    }
  }

  /**
   * Another width. Some terminals break lines that are too long now (`reflow`), others cut them
   * off; the cursor stays with the character it was on.
   */
  resize(columns: number, reflow: boolean): void {
    const lines: Line[] = [];
    this.#lines.forEach(({ cells, wrapped }, nth) => {
      if (nth === this.#row) this.#row = lines.length;
      if (!reflow) lines.push({ cells: cells.slice(0, columns), wrapped });
      else {
        for (let at = 0; at === 0 || at < cells.length; at += columns) {
          const more = at + columns < cells.length;
          lines.push({ cells: cells.slice(at, at + columns), wrapped: more || wrapped });
        }
      }
    });
    this.#lines = lines;
    this.columns = columns;
  }

  // --- internal ---

  /** Takes one character or sequence from the start of `text`; 0 when it is not all there. */
  #take(text: string): number {
    if (text.startsWith("\x1b")) {
      if (text === "\x1b" || /^\x1b\[[0-9;]*$/.test(text)) return 0;
      const sequence = /^\x1b\[([0-9;]*)([AJKm])/.exec(text);
      if (sequence === null) throw new Error(`unexpected ${JSON.stringify(text.slice(0, 12))}`);
      this.#move(Number(sequence[1] || "0"), sequence[2] ?? "");
      return sequence[0].length;
    }
    const character = String.fromCodePoint(text.codePointAt(0) ?? 0);
    if (character === "\r") this.#column = 0;
    else if (character === "\n") this.#down();
    else if (/[\x00-\x1f\x7f-\x9f]/.test(character)) {
      throw new Error(`unexpected ${JSON.stringify(character)}`);
    } else this.#print(character);
    return character.length;
  }

  #move(count: number, what: string): void {
    const line = this.#line;
    if (what === "A") {
      // Nobody gets back what has scrolled away.
      const top = Math.max(0, this.#lines.length - this.rows);
      this.#row = Math.max(top, this.#row - Math.max(1, count));
    } else if (what === "K" || what === "J") {
      if (count !== 0) throw new Error(`unexpected ${count}${what}`);
      line.cells.length = Math.min(line.cells.length, this.#column);
      line.wrapped = false;
      if (what === "J") this.#lines.length = this.#row + 1;
    }
  }

  get #line(): Line {
    return (this.#lines[this.#row] ??= { cells: [], wrapped: false });
  }

  #down(): void {
    this.#row += 1;
    void this.#line;
  }

  #print(character: string): void {
    const width = Bun.stringWidth(character);
    if (this.#column + width > this.columns) {
      this.#line.wrapped = true;
      this.#down();
      this.#column = 0;
    }
    const { cells } = this.#line;
    while (cells.length < this.#column) cells.push(" ");
    if (width === 0) cells[this.#column - 1] = (cells[this.#column - 1] ?? "") + character;
    else cells.splice(this.#column, width, character, ...Array<string>(width - 1).fill(""));
    this.#column += width;
  }
}
