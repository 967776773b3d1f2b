/**
 * QR codes (ISO/IEC 18004) of short addresses: bytes, error correction of level L, versions 1 to 5,
 * which are those whose words are one block. Pure, and no more of the standard than that. A library
 * would be a dependency of the running program for one line of its first words.
 */

/** A square of modules by row, true for dark, without the quiet zone around it. */
export type QrCode = readonly (readonly boolean[])[];

/** Bytes that fit: version 5 holds no more. The longest address with an IPv6 has 56. */
export const QR_BYTES_MAX = 106;

/** The smallest code of `bytes`, or null where there are more than QR_BYTES_MAX. */
export function qrCode(bytes: Uint8Array): QrCode | null {
  const version = VERSIONS.find(({ data }) => bytes.length <= data - OVERHEAD_BYTES);
  if (version === undefined) return null;
  const words = [...dataWords(bytes, version.data)];
  words.push(...correctionWords(words, version.correction));
  let best: boolean[][] | null = null;
  let least = Infinity;
  for (let mask = 0; mask < MASKS.length; mask++) {
    const code = drawn(version.size, words, mask);
    const penalty = penaltyOf(code);
    if (penalty < least) [best, least] = [code, penalty];
  }
  return best;
}

/**
 * `code` as lines of half blocks, two rows of modules a line, light ones drawn: right on a dark
 * terminal, and on any with the colours set to white on black. Around it is a light margin of two
 * modules: the four of the standard are for print, and would not leave room in 24 lines.
 */
export function qrLines(code: QrCode): string[] {
  const light = (row: number, column: number): boolean => {
    const end = code.length + MARGIN;
    const inside = row < end && column < end;
    return inside && code[row]?.[column] !== true;
  };
  const lines: string[] = [];
  for (let row = -MARGIN; row < code.length + MARGIN; row += 2) {
    let line = "";
    for (let column = -MARGIN; column < code.length + MARGIN; column++) {
      const above = light(row, column);
      line += light(row + 1, column) ? (above ? "█" : "▄") : above ? "▀" : " ";
    }
    lines.push(line);
  }
  return lines;
}

// --- internal ---

const MARGIN = 2;

/** Mode and count, and the end, together (7.4.3, 7.4.5). */
const OVERHEAD_BYTES = 2;

/** Modules of a side, and words of data and correction at level L (table 9). */
const VERSIONS = [
  { size: 21, data: 19, correction: 7 },
  { size: 25, data: 34, correction: 10 },
  { size: 29, data: 55, correction: 15 },
  { size: 33, data: 80, correction: 20 },
  { size: 37, data: 108, correction: 26 },
] as const;

/** Table 10: which modules are turned over. */
const MASKS: readonly ((row: number, column: number) => boolean)[] = [
  (row, column) => (row + column) % 2 === 0,
  (row) => row % 2 === 0,
  (_row, column) => column % 3 === 0,
  (row, column) => (row + column) % 3 === 0,
  (row, column) => (Math.floor(row / 2) + Math.floor(column / 3)) % 2 === 0,
  (row, column) => ((row * column) % 2) + ((row * column) % 3) === 0,
  (row, column) => (((row * column) % 2) + ((row * column) % 3)) % 2 === 0,
  (row, column) => (((row + column) % 2) + ((row * column) % 3)) % 2 === 0,
];

/** Mode 4, the count, the bytes, the end, each half a word late; then padding (7.4.10). */
function dataWords(bytes: Uint8Array, count: number): Uint8Array {
  const words = new Uint8Array(count);
  const nibbles = [4, bytes.length >> 4, bytes.length & 15];
  for (const byte of bytes) nibbles.push(byte >> 4, byte & 15);
  nibbles.push(0);
  for (let at = 0; at < count; at++) {
    const padding = (at - nibbles.length / 2) % 2 === 0 ? 0xec : 0x11;
    const [high, low] = nibbles.slice(2 * at, 2 * at + 2);
    words[at] = high === undefined ? padding : high * 16 + (low ?? 0);
  }
  return words;
}

/** Powers of 2 in GF(256) by x^8 + x^4 + x^3 + x^2 + 1 (7.5.2). */
const POWERS: readonly number[] = powers();

function powers(): number[] {
  const all = [1];
  for (let at = 1; at < 255; at++) {
    const twice = (all[at - 1] ?? 0) * 2;
    all.push(twice < 256 ? twice : twice ^ 0x11d);
  }
  return all;
}

function product(a: number, b: number): number {
  if (a === 0 || b === 0) return 0;
  return POWERS[(POWERS.indexOf(a) + POWERS.indexOf(b)) % 255] ?? 0;
}

/** The rest of `words` divided by the product of (x - 2^i) for i < `count`. */
function correctionWords(words: readonly number[], count: number): number[] {
  let divisor = [1];
  for (let at = 0; at < count; at++) {
    const root = POWERS[at] ?? 0;
    const raised = [...divisor, 0];
    divisor = raised.map((term, nth) => term ^ product(divisor[nth - 1] ?? 0, root));
  }
  const rest = [...words, ...Array<number>(count).fill(0)];
  for (let at = 0; at < words.length; at++) {
    const lead = rest[at] ?? 0;
    divisor.forEach((term, nth) => (rest[at + nth] = (rest[at + nth] ?? 0) ^ product(term, lead)));
  }
  return rest.slice(words.length);
}

function drawn(size: number, words: readonly number[], mask: number): boolean[][] {
  const code = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const fixed = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  const set = (row: number, column: number, dark: boolean): void => {
    const [line, known] = [code[row], fixed[row]];
    if (line === undefined || known === undefined || column < 0 || column >= size) return;
    line[column] = dark;
    known[column] = true;
  };
  drawPatterns(size, set);
  drawFormat(size, mask, set);
  drawWords(code, fixed, words, MASKS[mask] ?? (() => false));
  return code;
}

type Set = (row: number, column: number, dark: boolean) => void;

/** Timing, the three finders with their margin, and the alignment of versions from 2 on. */
function drawPatterns(size: number, set: Set): void {
  for (let at = 8; at < size - 8; at++) {
    set(6, at, at % 2 === 0);
    set(at, 6, at % 2 === 0);
  }
  const square = (row: number, column: number, reach: number, light: readonly number[]): void => {
    for (let y = -reach; y <= reach; y++) {
      for (let x = -reach; x <= reach; x++) {
        set(row + y, column + x, !light.includes(Math.max(Math.abs(x), Math.abs(y))));
      }
    }
  };
  square(3, 3, 4, [2, 4]);
  square(3, size - 4, 4, [2, 4]);
  square(size - 4, 3, 4, [2, 4]);
  if (size > 21) square(size - 7, size - 7, 2, [1]);
}

/** Level and mask with their own correction, twice, and the module that is always dark (7.9). */
function drawFormat(size: number, mask: number, set: Set): void {
  const level = 0b01;
  const data = level * 8 + mask;
  let rest = data << 10;
  for (let bit = 14; bit >= 10; bit--) if ((rest >> bit) & 1) rest ^= 0x537 << (bit - 10);
  const bits = ((data << 10) | rest) ^ 0x5412;
  for (let nth = 0; nth < 15; nth++) {
    const dark = ((bits >> nth) & 1) === 1;
    // Both go around the timing lines, in row and column 6.
    if (nth < 8) {
      set(nth < 6 ? nth : nth + 1, 8, dark);
      set(8, size - 1 - nth, dark);
    } else {
      set(8, nth === 8 ? 7 : 14 - nth, dark);
      set(size - 15 + nth, 8, dark);
    }
  }
  set(size - 8, 8, true);
}

/** Bits in columns of two, upwards and downwards in turns, from the right (7.7.3). */
function drawWords(
  code: boolean[][],
  fixed: readonly (readonly boolean[])[],
  words: readonly number[],
  masked: (row: number, column: number) => boolean,
): void {
  const size = code.length;
  let bit = 0;
  for (let turn = 0, right = size - 1; right > 0; turn++, right -= right === 8 ? 3 : 2) {
    for (let step = 0; step < size; step++) {
      const row = turn % 2 === 0 ? size - 1 - step : step;
      for (const column of [right, right - 1]) {
        const line = code[row];
        if (line === undefined || fixed[row]?.[column] !== false) continue;
        // The few modules behind the last word are 0 before the mask.
        const dark = (((words[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
        line[column] = dark !== masked(row, column);
        bit += 1;
      }
    }
  }
}

/** 7.8.3: the less it looks like a finder, a field or a line, the better it is read. */
function penaltyOf(code: QrCode): number {
  const size = code.length;
  const columns = code.map((_, column) => code.map((row) => row[column] === true));
  let penalty = 0;
  let dark = 0;
  for (const line of [...code, ...columns]) {
    const text = line.map((it) => (it ? "1" : "0")).join("");
    for (const [run] of text.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    // What is around the code is light.
    penalty += 40 * [...`0000${text}0000`.matchAll(/(?=000010111010|010111010000)/g)].length;
  }
  code.forEach((line, row) => {
    line.forEach((it, column) => {
      if (it) dark += 1;
      const others = [code[row + 1]?.[column], line[column + 1], code[row + 1]?.[column + 1]];
      if (others.every((other) => other === it)) penalty += 3;
    });
  });
  const fromHalf = Math.abs((dark * 100) / (size * size) - 50);
  return penalty + 10 * Math.max(0, Math.ceil(fromHalf / 5) - 1);
}
