/**
 * Owns what is downloaded by whom: each scenario is one row of this table. Never how.
 */
import { type Contender, LONG_LINK, MANY_FILES, ONE_FILE } from "./contender.ts";
import { type Corpus, makeFile, makeTree, SMALL_FILES } from "./corpus.ts";
import type { Baseline } from "./report.ts";

export interface Scenario {
  readonly letter: "A" | "B" | "C";
  readonly title: string;
  readonly contenders: readonly Contender[];
  readonly baseline: Baseline;
  readonly samples: number;
  readonly longLink: boolean;
  /** Makes what is downloaded, `scale` times as much as the title says. */
  make(root: string, scale: number): Corpus;
}

export const SCENARIOS: readonly Scenario[] = [
  {
    ...{ letter: "A", title: "A: one file of 1 GiB to disk", contenders: ONE_FILE },
    ...{ baseline: "curl", samples: 5, longLink: false },
    make: (root, scale) => makeFile(root, "big.bin", 1024 * scale),
  },
  {
    ...{ letter: "B", title: "B: 10,000 files of 4 KiB in 100 folders", contenders: MANY_FILES },
    ...{ baseline: "best rival", samples: 5, longLink: false },
    make: (root, scale) => makeTree(root, "tree", Math.ceil(SMALL_FILES * scale)),
  },
  {
    letter: "C",
    title: "C: 256 MiB over a modelled link of 1 Gbit/s, 50 ms there and back, 0.002 % lost",
    ...{ contenders: LONG_LINK, baseline: "best rival", samples: 3, longLink: true },
    make: (root, scale) => makeFile(root, "long.bin", 256 * scale),
  },
];
