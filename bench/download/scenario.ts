/**
 * Owns what is downloaded by whom: each scenario is one row of this table. Never how.
 */
import { type Contender, LONG_LINK, MANY_FILES, ONE_FILE, REPLACED } from "./contender.ts";
import {
  type Corpus,
  type Difference,
  makeFile,
  makeTree,
  makeVersions,
  SMALL_FILES,
} from "./corpus.ts";
import type { Baseline } from "./report.ts";

export interface Scenario {
  readonly letter: "A" | "B" | "C" | "D" | "E" | "F";
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
  replaced("D", "1 % changed in 100 places", { places: 100, changed: 0.01, appended: 0 }),
  replaced("E", "10 % appended", { places: 1, changed: 0, appended: 0.1 }),
  replaced("F", "all of it changed", { places: 1, changed: 1, appended: 0 }),
];

// --- internal ---

/** 1 GiB that is there in an older version, over the link of C. */
function replaced(letter: "D" | "E" | "F", what: string, difference: Difference): Scenario {
  return {
    ...{ letter, title: `${letter}: 1 GiB of which there is an older version, ${what}; link of C` },
    ...{ contenders: REPLACED, baseline: "best rival", samples: 3, longLink: true },
    make: (root, scale) => makeVersions(root, "file.bin", 1024 * scale, difference),
  };
}
