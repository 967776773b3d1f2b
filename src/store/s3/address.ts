/** What is served out of an object store, as it was named, and what it takes to reach it. */
import { printableText } from "../../wire/printable.ts";
import { StoreError } from "../servedroot.ts";

/** How an object store is reached. */
export interface S3Options {
  /** Its address, as "http://127.0.0.1:9000"; of AWS that of the region when there is none. */
  readonly endpoint?: string;
  /** "us-east-1" when there is none. */
  readonly region?: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of credentials that are lent for a time. They are not renewed. */
  readonly sessionToken?: string;
}

/** What is served: the keys of a bucket that begin with `prefix`, which is "" or ends in "/". */
export interface S3Address {
  readonly bucket: string;
  readonly prefix: string;
}

const SCHEME = "s3://";

/** True for a ROOT that names an object store; a folder that is called so is "./s3:". */
export function isS3Root(root: string): boolean {
  return root.startsWith(SCHEME);
}

/** The address that `root` is. Throws StoreError (EINVAL) for one that names no object safely. */
export function s3AddressOf(root: string): S3Address {
  const [bucket = "", ...rest] = root.slice(SCHEME.length).replace(/\/$/, "").split("/");
  const refuse = (why: string): StoreError =>
    new StoreError(`cannot serve ${printableText(root)}: ${why}`, "EINVAL");
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}$/.test(bucket)) {
    throw refuse("a bucket's name has letters, digits, dots and dashes: s3://bucket/prefix");
  }
  const unsafe = (part: string): boolean => part === "" || part === "." || part === "..";
  if (rest.some(unsafe) || /[\\\p{Cc}]/u.test(rest.join("/"))) {
    throw refuse("a prefix has no empty part, no . and .., no backslash and no control character");
  }
  return { bucket, prefix: rest.map((part) => `${part}/`).join("") };
}
