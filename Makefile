# One word per act. Each target is a script that can be read and run alone.
PREFIX  ?= /usr/local
DESTDIR ?=
export PREFIX DESTDIR

.DEFAULT_GOAL := build
.PHONY: build run test unit e2e bench lint fuzz install uninstall clean prerequisites

prerequisites:
	@scripts/prerequisites build

build: prerequisites        ## release build
	@swift build -c release --product epostd
	@swift build -c release --product epost-directory
	@swift build -c release --product epost-console

run: prerequisites          ## daemon below var/, then the console
	@scripts/run

test:                       ## everything that must be green: unit tests, then end to end
	@scripts/prerequisites test
	@scripts/test

unit: prerequisites         ## unit tests only
	@swift test --no-parallel

e2e:                        ## end-to-end tests against the built programs
	@scripts/prerequisites test
	@scripts/e2e $(ONLY)

bench: build                ## load tests with a table of ratios, a long queue, and the console's figures
	@scripts/prerequisites bench
	@Tests/Bench/run
	-@Tests/Bench/queue
	@Tests/Bench/console

lint:                       ## format, module boundaries, file sizes, forbidden traps
	@scripts/prerequisites build
	@scripts/lint

fuzz:                       ## fuzz targets, SECONDS each (default 60)
	@scripts/prerequisites build
	@scripts/fuzz $(SECONDS)

install:                    ## below PREFIX and DESTDIR; build first
	@scripts/install

uninstall:
	@scripts/install --remove

clean:
	@rm -rf .build .build-fuzz
