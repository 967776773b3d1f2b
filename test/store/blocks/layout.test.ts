/** The index of a cache: what is written is read again, and nothing else is taken for a record. */
import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  BLOCK_BYTES,
  headerBytes,
  headerOf,
  recordBytes,
  recordOf,
  slotsFor,
} from "../../../src/store/blocks/layout.ts";

const HEADER = { salt: 0x1234_5678_9abc_def0n, epoch: 3, slots: 1024 };
const RECORD = { id: Buffer.from("0123456789abcdef"), block: 7, length: 4096, sum: 99n };

test("a header and a record are read as they were written", () => {
  expect(headerOf(headerBytes(HEADER))).toEqual(HEADER);
  expect(recordOf(recordBytes(RECORD, 5, HEADER), 5, HEADER)).toEqual(RECORD);
});

test("a record of another slot, folder or epoch is none", () => {
  const bytes = recordBytes(RECORD, 5, HEADER);
  expect(recordOf(bytes, 6, HEADER)).toBeNull();
  expect(recordOf(bytes, 5, { ...HEADER, salt: 1n })).toBeNull();
  expect(recordOf(bytes, 5, { ...HEADER, epoch: 4 })).toBeNull();
});

test("a torn record, or one with any byte changed, is none", () => {
  const whole = recordBytes(RECORD, 5, HEADER);
  fc.assert(
    fc.property(fc.nat(63), fc.integer({ min: 1, max: 255 }), (at, change) => {
      const bytes = Buffer.from(whole);
      bytes[at] = bytes[at]! ^ change;
      expect(recordOf(bytes, 5, HEADER)).toBeNull();
    }),
  );
  for (let at = 0; at < 64; at++) {
    const torn = Buffer.concat([whole.subarray(0, at), Buffer.alloc(64 - at, 0xff)]);
    expect(recordOf(torn, 5, HEADER)).toBeNull();
  }
});

test("a header of another layout is told from what is none", () => {
  const other = headerBytes(HEADER);
  other.write("2", 13, "latin1");
  expect(headerOf(other)).toBe("other");
  expect(headerOf(Buffer.alloc(4096, 1))).toBeNull();
  expect(headerOf(headerBytes(HEADER).subarray(0, 4095))).toBeNull();
});

test("there are slots for small objects, and a bound", () => {
  expect(slotsFor(1)).toBe(1024);
  expect(slotsFor(1000 * BLOCK_BYTES)).toBe(8000);
  expect(slotsFor(100 * 2 ** 40)).toBe(262_144);
});
