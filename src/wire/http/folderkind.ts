/**
 * What a name looks like it is, told by its end alone, and the small picture of each kind. The
 * pictures stand once in a page and rows refer to them: 45 bytes a row, and no request.
 */
import type { ByteString } from "../bytes.ts";

/** A kind is the id of its picture, one letter because each row has it. */
export type Kind = "d" | "i" | "a" | "v" | "z" | "c" | "p" | "m" | "f";

/** Of a file called `name`: image, audio, video, archive, code, text or document, data, or "f". */
export function kindOf(name: ByteString): Kind {
  const dot = name.lastIndexOf(".");
  if (dot < 0) return TEXTS.test(name) ? "p" : "f";
  // Longer ends than "safetensors" are not known, and need not be made lower case.
  if (name.length - dot > END_CHARS_MAX) return "f";
  return KINDS.get(name.slice(dot + 1).toLowerCase()) ?? "f";
}

/** All pictures, to stand in a page before they are referred to; shows nothing itself. */
export function kindPictures(): string {
  return SYMBOLS;
}

/** The picture of `kind` in a row. It says nothing to a screen reader: the name has its end. */
export function kindPicture(kind: Kind | "u"): string {
  return REFERENCES[kind] ?? "";
}

// --- internal ---

const ENDS: readonly (readonly [Kind, string])[] = [
  ["i", "apng avif bmp gif heic heif ico jpeg jpg jxl png psd raw svg tif tiff webp xcf"],
  ["a", "aac aif aiff flac m4a mid midi mp3 oga ogg opus wav weba wma"],
  ["v", "avi flv m2ts m4v mkv mov mp4 mpeg mpg ogv ts3 vob webm wmv"],
  ["z", "7z apk br bz2 cab cpio deb dmg gz img iso jar lz4 lzma rar rpm tar tbz tgz txz whl xz"],
  ["z", "zip zst"],
  [
    "c",
    "bash bat c cc cfg cfm clj cmake conf cpp cs css cxx dart diff ex exs fish go gradle h hpp",
  ],
  [
    "c",
    "hs htm html ini java jl js json jsonl jsx kt less lock lua m4 make mjs ml nix patch php pl",
  ],
  [
    "c",
    "proto ps1 py r rb rs sass scala scss sh sql swift toml ts tsx vim vue xml yaml yml zig zsh",
  ],
  ["p", "adoc doc docx epub key log md mobi numbers odp ods odt pages pdf ppt pptx ps rst rtf srt"],
  ["p", "tex txt xls xlsx"],
  ["m", "arrow bin ckpt csv dat db feather gguf ggml h5 hdf5 joblib mat model msgpack nc npy npz"],
  ["m", "onnx orc parquet pb pickle pkl pt pth safetensors sqlite sqlite3 tflite tsv"],
];

const KINDS = new Map(ENDS.flatMap(([kind, ends]) => ends.split(" ").map((end) => [end, kind])));

/** Text that has no end by custom. */
const TEXTS = /^(?:README|LICENSE|COPYING|AUTHORS|NEWS|TODO)$/;

const END_CHARS_MAX = 12;

/**
 * Sixteen units square, drawn in the colour of the text; a rule of the style may give another. "u"
 * leads up.
 */
const PICTURES: Readonly<Record<Kind | "u", string>> = {
  u: '<path d="M4 7.2 8 3.2l4 4M8 3.4v9.8"/>',
  d: '<path d="M1.5 4c0-.8.6-1.3 1.3-1.3H6l1.6 1.8h5.6c.7 0 1.3.6 1.3 1.3v6.4c0 .7-.6 1.3-1.3 1.3H2.8c-.7 0-1.3-.6-1.3-1.3z" fill="currentColor"/>',
  i: '<rect x="2" y="2.5" width="12" height="11" rx="1.5"/><circle cx="5.6" cy="6" r="1.1"/><path d="m2.5 12 3.6-3.4 2.2 2 2.6-3 2.8 3.2"/>',
  a: '<path d="M6 12V3.6l7-1.3v8.2"/><circle cx="4.2" cy="12" r="1.8"/><circle cx="11.2" cy="10.6" r="1.8"/>',
  v: '<rect x="1.5" y="3" width="13" height="10" rx="1.5"/><path d="m6.6 5.8 3.8 2.2-3.8 2.2z" fill="currentColor"/>',
  z: '<path d="M2 5.5h12v6.8c0 .7-.5 1.2-1.2 1.2H3.2c-.7 0-1.2-.5-1.2-1.2zM1.5 2.5h13v3h-13zM6.3 8.3h3.4"/>',
  c: '<path d="M5.3 4.2 1.6 8l3.7 3.8M10.7 4.2 14.4 8l-3.7 3.8M9 3 7 13"/>',
  p: '<path d="M9.2 1.7H4.3c-.7 0-1.2.5-1.2 1.2v10.2c0 .7.5 1.2 1.2 1.2h7.4c.7 0 1.2-.5 1.2-1.2V5.4zM9 2v3.6h3.7M5.5 8.5h5M5.5 11h5"/>',
  m: '<ellipse cx="8" cy="3.8" rx="5.5" ry="2.1"/><path d="M2.5 3.8v8.4c0 1.2 2.5 2.1 5.5 2.1s5.5-.9 5.5-2.1V3.8M2.5 8c0 1.2 2.5 2.1 5.5 2.1s5.5-.9 5.5-2.1"/>',
  f: '<path d="M9.2 1.7H4.3c-.7 0-1.2.5-1.2 1.2v10.2c0 .7.5 1.2 1.2 1.2h7.4c.7 0 1.2-.5 1.2-1.2V5.4zM9 2v3.6h3.7"/>',
};

const REFERENCES: Readonly<Record<string, string>> = Object.fromEntries(
  Object.keys(PICTURES).map((kind) => [kind, `<svg aria-hidden=true><use href="#${kind}"/></svg>`]),
);

const SYMBOLS = `<svg class=h aria-hidden=true>${Object.entries(PICTURES)
  .map(([kind, picture]) => `<symbol id=${kind} viewBox="0 0 16 16">${picture}</symbol>`)
  .join("")}</svg>\n`;
