/**
 * A port that nobody answers on: it listens with an empty queue and stops itself, so that the
 * kernel drops every SYN but the first. Prints its port, and once it is continued "opened" and
 * "closed" for each connection.
 */
import { kernel } from "../../src/sys/kernel.ts";

const listener = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: () => console.log("opened"),
    close: () => console.log("closed"),
    data() {},
  },
});
kernel.listen(listener.fd, 0);
console.log(listener.port);
setTimeout(() => process.kill(process.pid, "SIGSTOP"), 0);
