/**
 * What a user has noted for object stores: the environment and the profile files, as the tools of
 * AWS read them (AWS SDKs and Tools Reference Guide, "Shared config and credentials files"). Files
 * are read once, at start. What has to be asked for (roles, single sign-on, the metadata of a
 * machine) is not.
 */
import fs from "node:fs";
import path from "node:path";
import type { Environment } from "../flags/flags.ts";

/** What is known; anything may be missing. */
export interface AwsProfile {
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  /** The files that were looked for, for messages; none without a home. */
  readonly files: readonly string[];
}

/** What `environment` says, and where it says nothing the profile that it names, or "default". */
export function awsProfile(environment: Environment): AwsProfile {
  const name = environment["AWS_PROFILE"] || "default";
  const keys = environment["AWS_SHARED_CREDENTIALS_FILE"] || belowHome(environment, "credentials");
  const config = environment["AWS_CONFIG_FILE"] || belowHome(environment, "config");
  const noted = new Map([
    ...(name === "default" ? sectionOf(config, name) : []),
    ...sectionOf(config, `profile ${name}`),
    ...sectionOf(keys, name),
  ]);
  const own = environment["AWS_ACCESS_KEY_ID"] || undefined;
  // Keys belong together: half of them in the environment is no reason to mix.
  const key = (variable: string, setting: string): string | undefined =>
    own === undefined ? noted.get(setting) : environment[variable] || undefined;
  return {
    endpoint:
      environment["AWS_ENDPOINT_URL_S3"] ||
      environment["AWS_ENDPOINT_URL"] ||
      noted.get("endpoint_url"),
    region: environment["AWS_REGION"] || environment["AWS_DEFAULT_REGION"] || noted.get("region"),
    accessKeyId: own ?? noted.get("aws_access_key_id"),
    secretAccessKey: key("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
    sessionToken: key("AWS_SESSION_TOKEN", "aws_session_token"),
    files: [keys, config].filter((file) => file !== null),
  };
}

// --- internal ---

/** Null without a home: what lies in the current folder is nobody's word about it. */
function belowHome(environment: Environment, file: string): string | null {
  const home = environment["HOME"];
  return home === undefined || home === "" ? null : path.join(home, ".aws", file);
}

/**
 * The settings of `[section]` in `file`, by their names in small letters; none where it can't be
 * read. Nested ones are left out.
 */
function sectionOf(file: string | null, section: string): Map<string, string> {
  const settings = new Map<string, string>();
  let here = false;
  for (const line of textOf(file).split("\n")) {
    const [, named] = /^\s*\[\s*([^\]]*?)\s*\]/.exec(line) ?? [];
    if (named !== undefined) here = named === section;
    const [, name, value] = /^([A-Za-z0-9_]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (here && name !== undefined && value) settings.set(name.toLowerCase(), value);
  }
  return settings;
}

function textOf(file: string | null): string {
  try {
    return file === null ? "" : fs.readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
