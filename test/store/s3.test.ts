/** The store over an object store keeps the contract of stores, over one that is made here. */
import { afterAll, test } from "bun:test";
import { s3AddressOf } from "../../src/store/s3/address.ts";
import { openS3, type S3Store } from "../../src/store/s3/store.ts";
import { S3Fake } from "../rig/s3fake.ts";
import { cacheIn } from "../rig/s3running.ts";
import { Tree } from "../rig/tree.ts";
import { contract, type Traits } from "./contract.ts";

const NS_PER_SECOND = 1_000_000_000n;

const TRAITS: Traits = {
  sync: () => Promise.resolve(),
  timeOf: (ns) => (ns / NS_PER_SECOND) * NS_PER_SECOND,
  folderTimes: false,
  keepsVersions: false,
  belowFile: "ENOENT",
  wide: 150,
  run: (name, body) => test(name, body),
};

const fakes: S3Fake[] = [];
const folders: Tree[] = [];
afterAll(() => {
  for (const folder of folders) folder[Symbol.dispose]();
  for (const fake of fakes) fake.close();
});

async function storeOver(tree: Tree): Promise<S3Store> {
  const fake = await S3Fake.over(tree.root);
  fakes.push(fake);
  return openS3(s3AddressOf("s3://bucket"), fake.options, { hidden: false });
}

async function cachedOver(tree: Tree): Promise<S3Store> {
  const fake = await S3Fake.over(tree.root);
  fakes.push(fake);
  const folder = new Tree();
  folders.push(folder);
  const cache = cacheIn(folder.root);
  return openS3(s3AddressOf("s3://bucket"), fake.options, { hidden: false }, cache);
}

contract("s3", storeOver, TRAITS);
contract("s3 with a cache", cachedOver, TRAITS);
