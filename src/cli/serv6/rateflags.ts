/** The flags that say how fast it sends, who may connect at all, and who speaks for others. */
import { networkAround, networkOf } from "../../guard/networks.ts";
import type { ServeOptions } from "../../server/start.ts";
import { UsageError, type Values } from "../flags/flags.ts";
import { size } from "../flags/values.ts";

const LIMIT = "Limits";
const WHERE = "Where";

function rateFlag(description: string) {
  return {
    type: "string",
    group: LIMIT,
    valueHint: "size",
    reader: size({ min: 1500, max: 4 * 1024 ** 3 - 1 }),
    description,
  } as const;
}

function networkFlag(description: string) {
  return {
    type: "string",
    group: WHERE,
    valueHint: "net",
    reader: {
      takes: "an address, or a network as 10.0.0.0/8 or fd00::/8",
      read(text: string) {
        const around = networkAround(text);
        if (around === null) return networkOf(text) === null ? null : text;
        throw new UsageError(`${text} is an address in a network: ${around} is the whole of it`);
      },
    },
    many: true,
    description,
  } as const;
}

/** Part of the table of serv6. */
export const RATE_FLAGS = {
  allow: networkFlag("only these networks may connect, may be repeated; this machine too is one"),
  deny: networkFlag("these may not, also where --allow names them"),
  "proxy-protocol-from": networkFlag(
    "proxies there tell whose connection each is (PROXY protocol, version 2); may be repeated",
  ),
  rate: rateFlag("most bytes a second of all together, in equal parts for addresses"),
  "rate-per-address": rateFlag("most bytes a second of one address"),
  "rate-per-connection": rateFlag("most bytes a second of one connection"),
} as const;

/** What they mean. */
export function ratesOf(
  values: Values<typeof RATE_FLAGS>,
): Pick<ServeOptions, "rates" | "allow" | "deny" | "proxies"> {
  const { allow, deny, "proxy-protocol-from": proxies, rate: total = 0 } = values;
  const { "rate-per-address": address = 0, "rate-per-connection": connection = 0 } = values;
  const networks = { allow: allow ?? [], deny: deny ?? [], proxies: proxies ?? [] };
  return { ...networks, rates: { total, address, connection } };
}
