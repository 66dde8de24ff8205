# Everything a newcomer types. Each target installs what it needs on a Debian 12 that has Swift 6.3.
#
#   make demo      back up, change, back up again, restore and compare a real directory (DIR=…, default /usr/share/doc)
#   make test      every test: unit, contract, golden, fuzz, and the built binary against real Bacula programs
#   make check     formatting, lint, warnings as errors, explicit imports: what a reviewer would complain about first
#   make release   the optimised binary with the Swift runtime inside: .build/release/appliance
#   make deb       dist/appliance_VERSION_ARCH.deb (make check-deb tries it in a clean Debian)
#   make install   copies the release to DESTDIR/PREFIX (default /usr/local) with samples, man pages and units
#   make bench     figures, side by side with real Bacula on the same tree
#   make fmt       settles all layout arguments

SWIFT ?= swift
PREFIX ?= /usr/local
DESTDIR ?=
DIR ?= /usr/share/doc
SOURCES := Package.swift Sources Plugins Tests Benchmarks
RELEASE := --configuration release --static-swift-stdlib

.PHONY: all build demo test check release deb check-deb install bench fmt dependencies test-dependencies clean

all: build

dependencies:
	@packaging/install-dependencies.sh build

test-dependencies: dependencies
	@packaging/install-dependencies.sh test

build: dependencies
	$(SWIFT) build

demo: dependencies
	@$(SWIFT) build --configuration release --product appliance
	@.build/release/appliance demo "$(DIR)"

# The release binary is built too, because the end-to-end tests run the program that users run. They come second and alone:
# they move gigabytes, and the others then needn't share the machine with them.
test: test-dependencies
	$(SWIFT) build --configuration release --product appliance
	$(SWIFT) build --build-tests
	$(SWIFT) test --skip-build --skip EndToEndTests
	APPLIANCE=$(CURDIR)/.build/release/appliance $(SWIFT) test --skip-build --filter EndToEndTests

check: dependencies
	$(SWIFT) format lint --strict --recursive --parallel $(SOURCES)
	Tests/Tools/lint.sh
	$(SWIFT) build --build-tests --explicit-target-dependency-import-check error

release: dependencies
	$(SWIFT) build $(RELEASE) --product appliance --scratch-path .build-release
	strip --strip-all -o .build-release/appliance .build-release/release/appliance
	@ls -l .build-release/appliance

deb: release
	packaging/build-deb.sh .build-release/appliance dist

# Installs the package into a clean root and runs a role there (root).
check-deb: deb
	packaging/check-deb.sh dist/appliance_*.deb

install: release
	packaging/install.sh .build-release/appliance "$(DESTDIR)" "$(PREFIX)"

bench: test-dependencies
	$(SWIFT) build --configuration release --product appliance
	Benchmarks/run.sh

fmt:
	$(SWIFT) format --in-place --recursive --parallel $(SOURCES)

clean:
	rm -rf .build .build-release dist
