/** The folder in which files grow: nobody else's, kept from others, gone when it is empty. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import fc from "fast-check";
import { Staged } from "../../src/destination/staged.ts";
import { httpStagedName, stagedName, Staging } from "../../src/destination/staging.ts";
import { ERRNO } from "../../src/sys/errno.ts";
import { replaceCall } from "../rig/faults.ts";
import { failed, TemporaryDestination } from "../rig/destination.ts";
import { openInTrees } from "../rig/open-files.ts";

const NOT_OURS = "is not a folder that only you can write to: remove it";

test("it is made for the user alone, and goes when nothing is left in it", () => {
  using destination = new TemporaryDestination();
  const path = destination.tree.path(destination.stagingName);
  expect(fs.statSync(path).mode & 0o7777).toBe(0o700);
  const second = Staging.open(destination.folder);
  const file = Staged.open(second, "x");
  file.close();
  second.close();
  expect(destination.staged()).toEqual(["x"]);
  const third = Staging.open(destination.folder);
  third.forget("x");
  third.forget("x");
  third.close();
  expect(destination.names()).toEqual([]);
});

test("a folder that others may write to is refused", () => {
  using destination = new TemporaryDestination();
  const path = destination.tree.path(destination.stagingName);
  const before = openInTrees();
  for (const [mode, ours] of [
    [0o720, false],
    [0o702, false],
    [0o777, false],
    [0o755, true],
    [0o700, true],
  ] as const) {
    fs.chmodSync(path, mode);
    if (ours) {
      Staging.open(destination.folder).close();
      expect(destination.names()).toEqual([]);
      fs.mkdirSync(path);
      continue;
    }
    const error = failed(() => Staging.open(destination.folder));
    expect([error.code, error.message]).toEqual(["EPERM", `${path} ${NOT_OURS}`]);
  }
  expect(openInTrees()).toBe(before);
});

test("another user's folder, a link, or what can't be looked at is refused", () => {
  using destination = new TemporaryDestination({ elsewhere: null });
  const path = destination.tree.path(destination.stagingName);
  const before = openInTrees();
  {
    using _ = replaceCall("statx", (real) => (fd, name, out) => {
      const answer = real(fd, name, out);
      out.uid += 1;
      return answer;
    });
    expect(failed(() => Staging.open(destination.folder)).message).toEndWith(NOT_OURS);
  }
  {
    using _ = replaceCall("statx", () => () => -ERRNO.EIO);
    expect(failed(() => Staging.open(destination.folder)).code).toBe("EPERM");
  }
  fs.rmdirSync(path);
  fs.symlinkSync("elsewhere", path);
  expect(failed(() => Staging.open(destination.folder)).code).toBe("ENOTDIR");
  fs.unlinkSync(path);
  fs.writeFileSync(path, "");
  expect(failed(() => Staging.open(destination.folder)).code).toBe("ENOTDIR");
  fs.unlinkSync(path);
  expect([destination.names("elsewhere"), openInTrees()]).toEqual([[], before]);
});

test("of two that lock it one has it until it closes", () => {
  using destination = new TemporaryDestination();
  const second = Staging.open(destination.folder);
  destination.staging.lock();
  const error = failed(() => second.lock());
  expect([error.code, error.message]).toEqual([
    "EBUSY",
    `another cli6 is writing to ${destination.tree.root}: wait for its end`,
  ]);
  expect([destination.staging.exclusive, second.exclusive]).toEqual([true, false]);
  second.close();
  using _ = replaceCall("lock", () => () => -ERRNO.EIO);
  const third = Staging.open(destination.folder);
  expect(failed(() => third.lock()).code).toBe("EIO");
  third.close();
});

test("where there are no locks it goes on without, and with each file as others' are", () => {
  using destination = new TemporaryDestination();
  for (const errno of [ERRNO.ENOLCK, ERRNO.EOPNOTSUPP, ERRNO.ENOSYS]) {
    const { staging } = destination;
    using _ = replaceCall("lock", () => () => -errno);
    staging.lock();
    expect(staging.exclusive).toBe(false);
    const file = Staged.open(staging, "x");
    file.claim();
    file.close();
  }
  destination.staging.lock();
  const file = Staged.open(destination.staging, "y");
  using _ = replaceCall("lock", () => () => -ERRNO.ENOLCK);
  file.claim();
  file.close();
});

test("what a run left under names of its own goes with the next lock, all else stays", () => {
  using destination = new TemporaryDestination();
  const { staging } = destination;
  for (const name of ["%b0123456789abcdef-7", "%25b0", "large"]) {
    destination.tree.write(`${destination.stagingName}/${name}`, "left");
  }
  staging.lock();
  expect(destination.staged()).toEqual(["%25b0", "large"]);
  expect([...staging.left].sort()).toEqual(["%25b0", "large"]);
  const names = [staging.ownName(), staging.ownName()];
  expect(names).toEqual([
    expect.stringMatching(/^%b[0-9a-f]{16}-0$/),
    expect.stringMatching(/^%b[0-9a-f]{16}-1$/),
  ]);
  expect(stagedName("%b0123456789abcdef-0")).toStartWith("%25b");
});

test("a run that ends beside us and removes the empty folder takes nothing from us", () => {
  using destination = new TemporaryDestination();
  const before = openInTrees();
  for (const exclusive of [false, true]) {
    if (exclusive) destination.staging.lock();
    Staging.open(destination.folder).close();
    expect(destination.names()).toEqual([]);
    const file = Staged.open(destination.staging, "x");
    file.write(Buffer.from("x"), 0n);
    expect(destination.staged()).toEqual(["x"]);
    if (exclusive) {
      // The lock is on the new folder.
      const other = Staging.open(destination.folder);
      expect(failed(() => other.lock()).code).toBe("EBUSY");
      other.close();
    }
    file.discard();
    file.close();
  }
  // Removed between making and opening.
  let removals = 3;
  using _ = replaceCall("openat", (real) => (fd, name, flags, mode) => {
    if (removals-- > 0) fs.rmdirSync(destination.tree.path(destination.stagingName));
    return real(fd, name, flags, mode);
  });
  Staging.open(destination.folder).close();
  expect(openInTrees()).toBe(before);
});

test("a destination that is gone is an error, not a loop", () => {
  using destination = new TemporaryDestination();
  fs.rmSync(destination.tree.root, { recursive: true });
  expect(failed(() => Staging.open(destination.folder)).code).toBe("ENOENT");
  expect(failed(() => Staged.open(destination.staging, "x")).code).toBe("ENOENT");
});

/** Paths of few letters, so that what could meet does, and of any. */
const paths = fc.oneof(
  fc.string({ unit: fc.constantFrom("%", "2", "5", "F", "/", "a"), maxLength: 8 }),
  fc.string({ unit: fc.constantFrom("%", "/"), minLength: 80, maxLength: 90 }),
  fc.string({ unit: "binary", maxLength: 12 }).map((text) => Buffer.from(text).toString("latin1")),
);

test("two paths never share a staged name, and each is the name of a file", () => {
  fc.assert(
    fc.property(paths, paths, (one, two) => {
      expect(stagedName(one) === stagedName(two)).toBe(one === two);
      for (const name of [stagedName(one), stagedName(two)]) {
        expect(name.length).toBeLessThanOrEqual(255);
        expect(name).not.toContain("/");
      }
    }),
    { numRuns: 2000 },
  );
});

test("what comes over HTTP has another name, no longer than a file's may be", () => {
  expect(httpStagedName("a/b")).toBe("%ha%2Fb");
  expect(httpStagedName("n".repeat(253))).toBe(`%h${"n".repeat(253)}`);
  const names = [254, 255, 256, 300].map((length) => httpStagedName("n".repeat(length)));
  for (const name of names) expect(name).toMatch(/^%h%%[0-9a-f]{64}$/);
  expect(new Set(names).size).toBe(4);
});

test("staged names are the same in every run, long ones too", () => {
  const long = "d/".repeat(200);
  for (const [path, name] of [
    ["f", "f"],
    ["a/b", "a%2Fb"],
    ["a%2Fb", "a%252Fb"],
    ["%%", "%25%25"],
    ["n".repeat(255), "n".repeat(255)],
    ["n".repeat(256), "%%342aaaf5a0fcb18cba413f00ff46ffc9bcaa496b545e0998a81056cc7bec6aea"],
    [long, `%%${new Bun.CryptoHasher("sha256").update(long).digest("hex")}`],
  ] as const) {
    expect([path, stagedName(path)]).toEqual([path, name]);
  }
});
