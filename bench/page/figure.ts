/** Owns what a figure of the page is: a drawing, and the same numbers as a table below it. */
import type { Markup } from "./svg.ts";

export interface Figure {
  /** A word for its file: letters and hyphens. */
  readonly name: string;
  readonly title: string;
  /** What is to be seen and how it was measured. */
  readonly text: string;
  readonly svg: Markup;
  readonly columns: readonly string[];
  /** Text, one row a line; the first cell names it. */
  readonly rows: readonly (readonly string[])[];
}
