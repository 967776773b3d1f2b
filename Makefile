# One command for each thing to do. Each works from a fresh clone on a machine with node and npm:
# .ci/install fetches Bun and the packages once, and the stamp keeps later starts fast.

ROOT ?= .
HOST ?= 127.0.0.1
PORT ?= 6464
FILE ?=
ARGS ?=

STAMP := node_modules/.installed
BUN := node_modules/.bin/bun
# A bunfig.toml or .env in the current folder runs nothing in the commands.
RUN := $(BUN) --config=/dev/null --no-env-file

# Names travel by the environment, unexpanded: spaces, quotes and dollars arrive as they were given.
export root_name := $(value ROOT)
# A relative ROOT is meant from the folder that make was called in. With -C make is in another one by
# now, and says so by the flag w, while PWD is still the shell's.
export root_from := $(if $(filter file,$(origin ROOT)),,$(if $(findstring w,$(firstword -$(MAKEFLAGS))),$(value PWD)))
export file_name := $(value FILE)

# An IPv6 address is bare behind -b and in brackets before a port.
ADDRESS = $(patsubst [%],%,$(HOST))
AUTHORITY = $(if $(findstring :,$(ADDRESS)),[$(ADDRESS)],$(ADDRESS)):$(PORT)

.DEFAULT_GOAL := help
.PHONY: help servidor cliente test check fmt bench bench-full bench-rivals bench-micro bench-load bench-client bench-abuse bench-wide conformance soak fuzz torture abuse mutate test-browser clean
.PHONY: build test-packages bench-start bench-slow bench-growth

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

servidor: $(STAMP) ## run the server: ROOT=. HOST=127.0.0.1 PORT=6464 ARGS="more flags"
	@case $$root_name in /*) ;; *) root_name=$${root_from:+$$root_from/}$$root_name ;; esac; \
	  exec $(RUN) src/serv6.ts "$$root_name" -p '$(PORT)' -b '$(ADDRESS)' $(ARGS)

cliente: $(STAMP) ## print FILE from the server, or ask for paths: FILE= HOST= PORT= ARGS=
	@BUN_JSC_useFTLJIT=0 exec $(RUN) src/cli6.ts -s '$(AUTHORITY)' $(ARGS) $${file_name:+-- "$$file_name"}

test: $(STAMP) ## run the tests: ARGS="a part of a file's name"
	@exec $(BUN) test/run.ts $(ARGS)

check: $(STAMP) ## the gate: format, types, room rules, tests
	@$(BUN) fmt --no-script --check
	@$(BUN) check --no-script
	@exec $(BUN) test/run.ts

fmt: $(STAMP) ## format every file
	@exec $(BUN) fmt --no-script

bench: $(STAMP) ## the benchmark's quick run
	@exec $(BUN) bench/run.ts $(ARGS)

bench-full: $(STAMP) ## the whole benchmark, drawn in bench-results/report.html: half an hour, downloads included
	@mkdir -p bench-results
	@$(BUN) bench/run.ts --full --json bench-results/servers.json $(ARGS)
	@$(BUN) bench/download.ts --json bench-results/downloads.json
	@exec $(BUN) bench/page.ts bench-results/servers.json bench-results/downloads.json \
	  -o bench-results/report.html --svg bench-results --readme README.md

bench-rivals: ## install what the benchmarks compare with, from Debian: needs root
	@exec bench/rivals/install

bench-load: $(STAMP) ## our load generator beside wrk, both asking nginx
	@exec $(BUN) bench/wrk.ts $(ARGS)

bench-client: $(STAMP) ## downloads by cli6 and by its rivals: ARGS="--only C"
	@exec $(BUN) bench/download.ts $(ARGS)

bench-abuse: $(STAMP) ## what honest clients see beside attackers: ARGS="--entry-before FILE"
	@exec $(BUN) bench/abuse.ts $(ARGS)

bench-slow: $(STAMP) ## what honest clients see beside slowhttptest: ARGS="--before FILE"
	@exec $(BUN) bench/slow.ts $(ARGS)

bench-wide: $(STAMP) ## one wide folder listed by cli6, rsync and find: ARGS="NAMES CLIENTS ROUNDS"
	@exec $(BUN) bench/wide.ts $(ARGS)

bench-growth: $(STAMP) ## what more servers with caches buy, by simulation: ARGS="--exponent 0.7 --cache 0.1"
	@exec $(BUN) bench/growth.ts $(ARGS)

bench-start: $(STAMP) ## from a program's start to its first byte, compiled and from source: ARGS="ROUNDS"
	@SERV6_DEB=$${SERV6_DEB:-zstd} $(BUN) .ci/package/build.ts here
	@exec $(BUN) bench/start.ts $(ARGS)

bench-micro: $(STAMP) ## the hot functions beside naive twins
	@exec $(BUN) bench/micro.ts $(ARGS)

soak: $(STAMP) ## ten minutes of restless clients, watching bytes and leaks: SOAK_SECONDS= SEED=
	@SOAK_SECONDS=$${SOAK_SECONDS:-600} exec $(BUN) test/run.ts soak $(ARGS)

fuzz: $(STAMP) ## the randomised tests alone, for longer: SEED= RUNS=
	@RUNS=$${RUNS:-200000} exec $(BUN) test/run.ts fuzz $(ARGS)

torture: $(STAMP) ## get and mirror killed, starved and lied to, a thousand times: SEED= RUNS=
	@RUNS=$${RUNS:-1000} exec $(BUN) test/run.ts test/torture/ $(ARGS)

abuse: $(STAMP) ## every attack with honest clients beside it, for longer: RUNS= seconds of each
	@RUNS=$${RUNS:-5} exec $(BUN) test/run.ts test/abuse/ $(ARGS)

conformance: $(STAMP) ## what HTTP requests are answered with, beside nginx where it is installed: a table
	@exec $(BUN) test/server/http/conformance/run.ts $(ARGS)

test-browser: $(STAMP) ## a folder's page in a real Chromium: SHOTS=DIR keeps pictures
	@exec $(BUN) test --timeout=60000 $(ARGS) ./test/browser/folderpage.ts

mutate: $(STAMP) ## change the source in small ways and see tests fail: SEED= RUNS= ARGS="rooms"
	@exec $(BUN) test/mutate/run.ts $(ARGS)

build: $(STAMP) ## serv6 and cli6 as single files without Bun, in dist/: TARGETS="linux-x64 linux-arm64"
	@exec $(BUN) .ci/package/build.ts $(TARGETS)

test-packages: $(STAMP) ## build for this machine and test what was built, as others would install it
	@SERV6_DEB=$${SERV6_DEB:-zstd} $(BUN) .ci/package/build.ts here
	@exec $(BUN) test/run.ts test/packages/ $(ARGS)

clean: ## remove what was installed, built and measured
	@rm -rf node_modules coverage bench-results dist

$(STAMP): package.json bun.lock .ci/install
	@.ci/install
