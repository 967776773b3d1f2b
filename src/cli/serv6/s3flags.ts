/** The flag of object stores, and what a ROOT that names one needs beside it. */
import type { ServeOptions } from "../../server/start.ts";
import { isS3Root } from "../../store/s3/address.ts";
import { utf8Of } from "../../wire/bytes.ts";
import { printableText } from "../../wire/printable.ts";
import { type Environment, UsageError, type Values } from "../flags/flags.ts";
import { text } from "../flags/values.ts";
import { awsProfile } from "./awsprofile.ts";

/** Part of the table of serv6. */
export const S3_FLAGS = {
  "s3-endpoint": {
    type: "string",
    group: "What is served",
    valueHint: "url",
    reader: text("an address as https://s3.example:9000"),
    description: "where the store of s3://bucket is; default: AWS_ENDPOINT_URL, or AWS itself",
  },
} as const;

/**
 * How the object stores are reached that `roots` name; nothing for folders alone. All of them have
 * one address and the same keys. Throws UsageError where keys are missing.
 */
export function s3Of(
  values: Values<typeof S3_FLAGS>,
  roots: readonly string[],
  environment: Environment,
): Pick<ServeOptions, "s3"> {
  const given = values["s3-endpoint"];
  const root = roots.find(isS3Root);
  if (root === undefined) {
    if (given !== undefined) throw new UsageError("--s3-endpoint needs s3://bucket as ROOT");
    return {};
  }
  const profile = awsProfile(environment);
  const endpoint = given === undefined ? profile.endpoint : utf8Of(given);
  const { region, accessKeyId, secretAccessKey, sessionToken, files } = profile;
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    const noted =
      files.length === 0 ? "" : `, or write them to ${files.map(printableText).join(" or ")}`;
    throw new UsageError(
      `${printableText(root)} needs keys: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY${noted}`,
    );
  }
  return {
    s3: {
      ...{ accessKeyId, secretAccessKey },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  };
}
