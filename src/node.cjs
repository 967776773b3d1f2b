/** What a program that runs without Bun gets of this package: one line that says why. */
throw new Error(
  "serv6 needs Bun 1.4.5 or newer (https://bun.com): Node has no sockets that it could use",
);
