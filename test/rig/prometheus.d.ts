/** What parse-prometheus-text-format gives, which has no types of its own. */
declare module "parse-prometheus-text-format" {
  /** Each family as it was told; numbers are text, as they came. */
  export default function parse(text: string): {
    readonly name: string;
    readonly type: "COUNTER" | "GAUGE" | "HISTOGRAM" | "SUMMARY" | "UNTYPED" | "INFO";
    readonly help: string;
    readonly metrics: readonly {
      readonly value?: string;
      readonly labels?: Readonly<Record<string, string>>;
      readonly buckets?: Readonly<Record<string, string>>;
      readonly count?: string;
      readonly sum?: string;
    }[];
  }[];
}
