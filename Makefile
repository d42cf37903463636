# Everything a person or a CI machine starts; the steps themselves are in scripts/.
PREFIX ?= $(HOME)/.local
# CPU=x86-64-v3 makes a program that is faster and needs such a processor (2013 and later).
BUILD = swift build -c release --static-swift-stdlib $(if $(CPU),-Xcc -march=$(CPU))

.NOTPARALLEL:
.PHONY: help demo test acceptance fuzz sanitize build install dist check format bench setup clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 22

demo: setup build ## a real micrograph and a generated volume, with threads and with two ranks
	scripts/demo

test: setup builds ## all tests, at most 30 minutes on two cores
	scripts/test

acceptance: setup builds ## the tests again with the full figures (5 GiB image, 384 images)
	scripts/test --acceptance

fuzz: setup ## fuzz all readers, FUZZ_SECONDS (600) each; FUZZ_TARGETS=json,chunk for some of them
	scripts/fuzz

sanitize: setup ## the Swift tests and some runs under AddressSanitizer and ThreadSanitizer
	scripts/sanitize

setup: ## the Debian packages and the Python peers that demo and test need
	scripts/setup-debian
	scripts/setup-python

build: ## the release program, .build/release/omtask
	scripts/setup-debian --build
	$(BUILD) --product omtask

# Either optimised build keeps one core busy, so the fuzzer's goes on beside that of the program.
.PHONY: builds
builds:
	@mkdir -p .build
	scripts/fuzz --build >.build/fuzz-build.log 2>&1 & fuzzer=$$!; $(MAKE) build; program=$$?; \
	wait $$fuzzer || { cat .build/fuzz-build.log; exit 1; }; exit $$program

install: build ## copy the program to PREFIX/bin (default ~/.local), no root needed
	install -D -m 755 .build/release/omtask "$(DESTDIR)$(PREFIX)/bin/omtask"

dist: ## one archive with one program for any Linux with glibc 2.34, dist/omtask-*.tar.gz
	scripts/dist

check: ## format, documentation rules, warnings as errors, import arrows
	scripts/check

format: ## rewrite the Swift sources in the project's format
	swift format -i -r Package.swift Sources Tasks Tests Plugins Examples Fuzz/Package.swift Fuzz/Sources

bench: setup build ## omtask against its peers, writes Benchmarks/RESULTS.md
	scripts/setup-python Benchmarks/requirements.txt
	.venv/bin/python Benchmarks/run.py

clean: ## remove what was built and made (not .venv)
	rm -rf .build dist demo-output
