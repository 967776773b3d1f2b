/** What Bun 1.4.5 has and its types lack, for the tests: src says it by a type of its own. */
import "bun";

declare module "bun" {
  interface Socket<Data = undefined> {
    readonly fd: number;
  }
  interface TCPSocketListener<Data = unknown> {
    readonly fd: number;
  }
}
