/** Pages that are being made while the server ends. */
import { expect, test } from "bun:test";
import { Pages, type PageWork, SHORT_BYTES_MAX } from "../../src/store/pages.ts";
import { SimulatedLoop } from "../rig/simulatedloop.ts";
import { waiterOf } from "../rig/waiter.ts";

test("a step that throws may end the last connection and the store: each is closed once", () => {
  using loop = new SimulatedLoop();
  for (const bytes of [SHORT_BYTES_MAX, SHORT_BYTES_MAX + 1]) {
    const pages = new Pages();
    const closed: string[] = [];
    const page = (name: string, step: PageWork["step"]) => (): PageWork => {
      return { step, close: () => void closed.push(name) };
    };
    const fails = (): never => {
      throw new Error("a bug");
    };
    const ends = waiterOf(undefined, () => pages.close());
    pages.add(
      "waits",
      "/d",
      bytes,
      waiterOf(),
      page("waits", () => "waits"),
    );
    pages.add("throws", "/d", bytes, ends, page("throws", fails));
    loop.settle();
    expect(closed.sort()).toEqual(["throws", "waits"]);
    expect([pages.making, pages.waiting]).toEqual([0, 0]);
  }
});
