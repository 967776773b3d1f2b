/** `serv6 s3://bucket/prefix` as a command: where its keys come from, and the wall around it. */
import { expect, test } from "bun:test";
import fs from "node:fs";
import net from "node:net";
import { awsProfile } from "../../../src/cli/serv6/awsprofile.ts";
import { s3Of } from "../../../src/cli/serv6/s3flags.ts";
import { connectPorts } from "../../../src/cli/serv6/remote.ts";
import { needing, PORTS, WALLS } from "../../rig/needs.ts";
import { content } from "../../rig/oracle.ts";
import { Peer } from "../../rig/peer.ts";
import { cli6 } from "../../rig/program.ts";
import { S3Fake } from "../../rig/s3fake.ts";
import { Tree } from "../../rig/tree.ts";
import { Started } from "./started.ts";

const KEYS = { AWS_ACCESS_KEY_ID: "key", AWS_SECRET_ACCESS_KEY: "secret" };

test("objects are served behind the whole wall, by a store that has a name", async () => {
  using tree = new Tree({ "p/small": "content" });
  tree.write("p/large", content(1, 0, 5_000_000));
  await using fake = await S3Fake.over(tree.root);
  const env = { ...KEYS, AWS_ENDPOINT_URL: `http://localhost:${fake.port}` };
  await using started = new Started(["s3://bucket/p", "-p", "0"], env);
  const url = `s6://127.0.0.1:${await started.port()}`;
  expect((await cli6([`${url}/small`])).out).toBe("content");
  using into = new Tree();
  expect((await cli6(["get", `${url}/large`, "-P", into.root])).status).toBe(0);
  expect(fs.readFileSync(into.path("large")).equals(content(1, 0, 5_000_000))).toBe(true);
  expect((await cli6(["ls", `${url}/`])).out).toMatch(/ large\n.* small\n$/);
  expect(started.said).toContain(" serves s3://bucket/p/ on s6://");
  expect(started.said).not.toContain("warning");
});

needing(WALLS)("--self-test: it may make internet sockets, and no others", async () => {
  using tree = new Tree();
  await using fake = await S3Fake.over(tree.root);
  const args = ["s3://bucket", "--self-test", "--s3-endpoint", `http://127.0.0.1:${fake.port}`];
  await using started = new Started(args, KEYS);
  const table = await new Response(started.child.stdout).text();
  if (table === "") throw new Error(`it says ${await started.status()}: ${started.said}`);
  expect(table).toMatch(/^ok +make a socket of this machine \(socket\) +EPERM +EPERM in /m);
  expect(table).toMatch(/^ok +read \/etc\/passwd +EACCES +EACCES in /m);
  expect(table).not.toContain("FAIL");
  expect(await started.status()).toBe(0);
});

test("keys that the store does not take are told at start, and EIO to clients", async () => {
  using tree = new Tree({ f: "x" });
  await using fake = await S3Fake.over(tree.root);
  fake.misbehave = (_, reply) => {
    reply.writeHead(403).end("<Error><Code>InvalidAccessKeyId</Code></Error>");
    return true;
  };
  const env = { ...KEYS, AWS_ENDPOINT_URL: `http://127.0.0.1:${fake.port}` };
  await using started = new Started(["s3://bucket", "-p", "0"], env);
  await started.says(/^serv6: warning: the server could not read the file: the object store /m);
  using peer = await Peer.dial(await started.port());
  peer.send("READ /f\n");
  expect((await peer.reply()).line).toStartWith("ERR EIO ");
});

test("without keys, or with an endpoint and a folder, it says what is missing", async () => {
  using home = new Tree();
  const nowhere = { HOME: home.root, AWS_PROFILE: "", AWS_ACCESS_KEY_ID: "" };
  await using keyless = new Started(["s3://bucket", "-p", "0"], nowhere);
  expect(await keyless.status()).toBe(2);
  expect(keyless.said).toContain(`AWS_SECRET_ACCESS_KEY, or write them to ${home.root}/.aws/cred`);
  await using folder = new Started([home.root, "--s3-endpoint", "http://a:1", "-p", "0"]);
  expect(await folder.status()).toBe(2);
  expect(folder.said).toContain("--s3-endpoint needs s3://bucket as ROOT");
  await using nonsense = new Started(["s3://bucket", "--s3-endpoint", "ftp://a", "-p", "0"], KEYS);
  expect(await nonsense.status()).toBe(2);
  expect(nonsense.said).toContain('ftp://a is no address as "https://s3.example:9000"');
});

test("the profile files of AWS are read as its tools do", () => {
  using home = new Tree({
    ".aws/credentials":
      "[default]\naws_access_key_id = d\naws_secret_access_key=ds\n# aws_session_token = no\n" +
      "[other]\naws_access_key_id = o\naws_secret_access_key = o=s/+\naws_session_token = ot\n",
    ".aws/config":
      "[default]\nregion = eu-south-1\n[profile other]\nregion=us-west-2\n" +
      "endpoint_url = http://store:9000\ns3 =\n  region = nested\n[other]\nregion = wrong\n",
  });
  const { files, ...plain } = awsProfile({ HOME: home.root });
  expect(files).toEqual([home.path(".aws/credentials"), home.path(".aws/config")]);
  expect(plain).toEqual({
    ...{ accessKeyId: "d", secretAccessKey: "ds", sessionToken: undefined },
    ...{ region: "eu-south-1", endpoint: undefined },
  });
  expect(awsProfile({ HOME: home.root, AWS_PROFILE: "other" })).toMatchObject({
    ...{ accessKeyId: "o", secretAccessKey: "o=s/+", sessionToken: "ot" },
    ...{ region: "us-west-2", endpoint: "http://store:9000" },
  });
  const set = { HOME: home.root, AWS_PROFILE: "other", ...KEYS, AWS_DEFAULT_REGION: "r" };
  // The token belongs to the other keys.
  expect(
    awsProfile({ ...set, AWS_ENDPOINT_URL: "http://e", AWS_ENDPOINT_URL_S3: "" }),
  ).toMatchObject({
    ...{ accessKeyId: "key", secretAccessKey: "secret", sessionToken: undefined },
    ...{ region: "r", endpoint: "http://e" },
  });
  const elsewhere = { AWS_SHARED_CREDENTIALS_FILE: home.path(".aws/credentials") };
  expect(awsProfile(elsewhere).accessKeyId).toBe("d");
});

test("names of settings are in any case, and [profile default] is the default in front of [default]", () => {
  using home = new Tree({
    ".aws/credentials": "[default]\nAWS_ACCESS_KEY_ID = d\r\nAws_Secret_Access_Key = ds\r\n",
    ".aws/config":
      "[profile default]\nregion = first\n[default]\nregion = second\nendpoint_url = u\n",
  });
  expect(awsProfile({ HOME: home.root })).toMatchObject({
    ...{ accessKeyId: "d", secretAccessKey: "ds", region: "first", endpoint: "u" },
  });
});

test("without a home no file of the current folder is taken for a profile", async () => {
  using planted = new Tree({
    ".aws/credentials": "[default]\naws_access_key_id = p\naws_secret_access_key = p\n",
    ".aws/config": "[default]\nendpoint_url = http://planted.example\n",
  });
  const before = process.cwd();
  process.chdir(planted.root);
  try {
    for (const environment of [{}, { HOME: "" }]) {
      const profile = awsProfile(environment);
      expect([profile.files, profile.accessKeyId, profile.endpoint]).toEqual([
        [],
        undefined,
        undefined,
      ]);
      expect(() => s3Of({ "s3-endpoint": undefined }, ["s3://b"], environment)).toThrow(
        /AWS_SECRET_ACCESS_KEY$/,
      );
    }
  } finally {
    process.chdir(before);
  }
});

test("it may connect to the port of its store, and to that of names", () => {
  const s3 = { accessKeyId: "", secretAccessKey: "" };
  const portsOf = (endpoint?: string): readonly number[] | null =>
    connectPorts({ root: "s3://b", s3: endpoint === undefined ? s3 : { ...s3, endpoint } });
  expect(portsOf("http://127.0.0.1:9000")).toEqual([9000, 53]);
  expect(portsOf("https://s3.example/")).toEqual([443, 53]);
  expect(portsOf("http://[::1]:81")).toEqual([81, 53]);
  expect(portsOf()).toEqual([443, 53]);
  expect(connectPorts({ root: "/" })).toBeNull();
});

test("a store that sends its clients elsewhere is not followed", async () => {
  using tree = new Tree({ f: "x" });
  await using fake = await S3Fake.over(tree.root);
  fake.misbehave = (asked, reply) => {
    const elsewhere = `http://127.0.0.1:${fake.port}/elsewhere/f`;
    reply.writeHead(asked.key === "" ? 404 : 307, { Location: elsewhere }).end();
    return true;
  };
  const env = { ...KEYS, AWS_ENDPOINT_URL: `http://127.0.0.1:${fake.port}` };
  await using started = new Started(["s3://bucket", "-p", "0"], env);
  using peer = await Peer.dial(await started.port());
  peer.send("READ /f\n");
  expect((await peer.reply()).line).toStartWith("ERR EIO ");
  expect(fake.asked.filter(({ key }) => key !== "").map(({ key }) => key)).toEqual(["f"]);
});

needing(WALLS, PORTS)(
  "89: code that got into it reaches its store's port, and no other",
  async () => {
    using tree = new Tree();
    await using fake = await S3Fake.over(tree.root);
    const other = net.createServer((socket) => socket.end("HTTP/1.0 200 OK\r\n\r\n"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const port = String(typeof address === "object" ? address?.port : address);
    const entry = `${import.meta.dir}/planted.ts`;
    const launch = [process.execPath, "--config=/dev/null", "--no-env-file", entry];
    const endpoint = `http://127.0.0.1:${fake.port}`;
    const got: Record<string, unknown>[] = [];
    for (const tried of [port, String(fake.port)]) {
      const child = Bun.spawn([...launch, tried, String(process.pid), "s3://bucket", "-p", "0"], {
        stdin: "ignore",
        stdout: "pipe",
        stderr: "ignore",
        env: { ...process.env, ...KEYS, AWS_ENDPOINT_URL: endpoint },
      });
      let said = "";
      for await (const chunk of child.stdout) {
        said += Buffer.from(chunk).toString();
        if (said.includes("\n")) break;
      }
      child.kill("SIGKILL");
      await child.exited;
      const threads = Object.values(JSON.parse(said) as Record<string, Record<string, string>>);
      got.push(...threads.map(({ connect, passwd, listen }) => ({ connect, passwd, listen })));
    }
    other.close();
    const refused: unknown = expect.stringMatching(/^refused /);
    const nothing = { connect: refused, passwd: refused, listen: refused };
    const store = { ...nothing, connect: "connected" };
    expect(got).toEqual([nothing, nothing, nothing, store, store, store]);
  },
);
