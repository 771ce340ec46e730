# Everything that is done with this repository, by name.
CARGO ?= cargo
PREFIX ?= /usr/local
DESTDIR ?=
# Tests that run at a time: some of them wait for servers and for each other's programs.
TEST_THREADS ?= $(shell echo $$(($$(nproc) + 1)))
# The compiler for `make fuzz`, how long each target runs, how many run at a time, which of them, and
# where they are built.
NIGHTLY ?= nightly
FUZZ_SECONDS ?= 60
FUZZ_JOBS ?= 1
FUZZ_BUILD ?= target/fuzz/build
FUZZ_TARGETS ?= $(notdir $(wildcard fuzz/corpus/*))
# Mutations of the inputs of each target in `make soak`.
FUZZ_EXECUTIONS ?= 20000

.DEFAULT_GOAL := help
.PHONY: help build compiler test snapshots soak demo-under-load injected lint bench fuzz install uninstall demo audit sbom \
    dist dist-test reproducible

help:
	@echo 'make demo     build pki and watch it make a hierarchy for mutual TLS'
	@echo 'make build    the release binary, target/release/pki'
	@echo 'make test     install what the tests need, lint, and run every test'
	@echo 'make snapshots  write the messages and reports that the tests compare anew; of TESTS alone, if given'
	@echo 'make soak     the tests of faults, of hostile input and of random commands, at length'
	@echo 'make demo-under-load  the demo 50 times on a busy machine'
	@echo 'make injected known bugs put into a copy of pki, and the tests that have to find them'
	@echo 'make lint     formatting and clippy, warnings are errors'
	@echo 'make bench    pki against other tools, as whole processes'
	@echo 'make fuzz     libFuzzer for FUZZ_SECONDS ($(FUZZ_SECONDS)) a target, with the Rust compiler $(NIGHTLY)'
	@echo 'make audit    licences, origins and known vulnerabilities of what pki is made of'
	@echo 'make sbom     what pki is made of, target/pki.cdx.json'
	@echo 'make dist     the packages of a release, target/dist: tar, deb, rpm, OCI image, SBOM, checksums'
	@echo 'make dist-test  install and use the packages in clean roots'
	@echo 'make reproducible  build the packages twice, and compare'
	@echo 'make install  pki, manual pages, completions and systemd units under PREFIX ($(PREFIX))'
	@echo 'make uninstall  remove what make install put under PREFIX'

# pki is static if it can be; the helper, which loads modules, is not.
build: compiler
	$(CARGO) build --release --locked --bin pki-key-pkcs11
	packaging/static-pki

# Rust links with a C compiler, and AWS-LC is written in C.
compiler:
	@command -v cc >/dev/null || { apt-get update -q && \
	    apt-get install -y --no-install-recommends build-essential; }

# cargo test comes last, so that its summary is the last thing to be read.
test:
	tests/setup
	$(MAKE) --no-print-directory lint
	RUST_TEST_THREADS=$(TEST_THREADS) $(CARGO) test --locked --no-fail-fast

# Only on demand: what is compared anywhere else stays as it is.
unexport UPDATE_EXPECT
snapshots:
	tests/setup
	UPDATE_EXPECT=1 $(CARGO) test --locked --test suite -- $(TESTS)

# The demo on a busy machine, every error at every system call, many more mutations, and many more cases of the
# model.
soak:
	tests/setup soak
	$(MAKE) --no-print-directory demo-under-load
	$(CARGO) test --locked --test suite -- --ignored soak::
	SOAK=1 FUZZ_EXECUTIONS=$(FUZZ_EXECUTIONS) $(CARGO) test --locked --test suite -- faults hostile differential model:: \
	    postgres::

# The demo, 50 times beside a busy loop on every core.
demo-under-load: build
	tests/demo_under_load target/release/pki 50

# That a test is green says something where it is red for the bug that it stands against.
injected:
	tests/setup
	tests/injected/run

lint:
	packaging/third-party --check
	@docs/ja/outdated
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --all-targets -- -D warnings

# What is measured is what `make build` makes; cargo replaces it by a dynamic one.
bench: build
	benches/setup
	cp target/release/pki target/bench-pki
	PKI=$(CURDIR)/target/bench-pki $(CARGO) bench --locked --bench issue --bench crl --bench batch --bench ocsp \
	    --bench postgres
	rm -rf target/tmp/bench-*

# New inputs go to target/fuzz/TARGET/corpus, and into fuzz/corpus by hand: the replay takes them from there.
fuzz: compiler
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked
	$(CARGO) +$(NIGHTLY) fuzz build --debug-assertions --target-dir '$(FUZZ_BUILD)'
	@printf '%s\n' $(FUZZ_TARGETS) | \
	    xargs -n 1 -P $(FUZZ_JOBS) fuzz/run '$(FUZZ_BUILD)' $(FUZZ_SECONDS)

# Needs the database of known vulnerabilities, a git repository that cargo-deny fetches.
audit:
	@command -v cargo-deny >/dev/null || { \
	    echo 'make audit needs cargo-deny: cargo install --locked cargo-deny' >&2; exit 1; }
	$(CARGO) deny --locked check

sbom:
	CARGO='$(CARGO)' packaging/sbom target/pki.cdx.json

# Tools that are missing are installed: Debian packages, and under target/tools those of crates.io.
dist:
	CARGO='$(CARGO)' packaging/dist

dist-test: target/dist/SHA256SUMS
	packaging/test

target/dist/SHA256SUMS:
	$(MAKE) --no-print-directory dist

reproducible: compiler
	CARGO='$(CARGO)' tests/reproducible

# A rule of its own: root installs what another user built, and needs no cargo for it.
target/release/pki: Cargo.toml Cargo.lock .cargo/config.toml $(shell find src -type f)
	$(MAKE) --no-print-directory build
	touch $@

install: target/release/pki
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install target/release/pki target/release/pki-key-pkcs11

uninstall:
	DESTDIR='$(DESTDIR)' PREFIX='$(PREFIX)' packaging/install --remove

demo: build
	@docs/demo.sh target/release/pki
