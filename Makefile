# SPDX-License-Identifier: BSD-2-Clause
# why502: builds the tool, its lab and its tests. `make help` lists the targets.
#
# Knobs: O=build (output directory)  V=1 (show commands)  SAN=address,undefined
#        CC= CLANG= BPFTOOL= CROSS_COMPILE= ARCH=  LIBBPF=dir (a built libbpf instead of the
#        installed one)  VMLINUX_BTF=file (types of another kernel)  PREFIX= DESTDIR=
VERSION := 0.1.0

export PATH := $(PATH):/usr/sbin:/sbin
export LC_ALL := C.UTF-8

O	?= build
ARCH	?= $(shell uname -m | sed 's/x86_64/x86/; s/aarch64/arm64/; s/riscv64/riscv/; s/ppc64le/powerpc/')
Q	:= $(if $(filter 1,$(V)),,@)
say	 = $(if $(Q),@printf '  %-6s %s\n' '$(1)' '$(2)')
PREFIX	?= /usr/local

ifneq ($(CROSS_COMPILE),)
CC	:= $(CROSS_COMPILE)gcc
AR	:= $(CROSS_COMPILE)ar
endif
CLANG	?= clang
PKGCONF	?= pkg-config
VMLINUX_BTF ?= /sys/kernel/btf/vmlinux
# Ubuntu's /usr/sbin/bpftool refuses a kernel it has no package for; the real one lies deeper.
BPFTOOL	?= $(shell for b in bpftool /usr/lib/linux-tools/*/bpftool /usr/lib/linux-tools-*/bpftool; do \
		"$$b" version >/dev/null 2>&1 && echo "$$b" && break; done)

# $(call pkg,PACKAGES,WHAT TO SAY WHEN PKG-CONFIG DOES NOT KNOW THEM)
pkg	= $(shell $(PKGCONF) --libs $(1) 2>/dev/null || echo '$(2)')
TUI_LIBS := $(call pkg,ncursesw tinfo,-lncursesw -ltinfo)
LIBS	:= $(call pkg,libpcap,-lpcap) $(TUI_LIBS) $(call pkg,jansson,-ljansson) $(call pkg,libnghttp2,-lnghttp2) \
	   $(call pkg,capstone,-lcapstone) -lm
ifeq ($(LIBBPF),)
BPF_LIBS := $(call pkg,libbpf,-lbpf) $(call pkg,libelf zlib,-lelf -lz)
else
BPF_LIBS := $(LIBBPF)/libbpf.a -lelf -lz
BPF_INC	:= -I$(LIBBPF)/include
endif
LAB_LIBS := $(call pkg,openssl,-lssl -lcrypto)
CMOCKA	:= $(call pkg,cmocka,-lcmocka)

W5_CPPFLAGS := -D_GNU_SOURCE -DW5_VERSION='"$(VERSION)"' -Iinclude -Isrc -I$(O) $(BPF_INC) $(CPPFLAGS)
CFLAGS	?= -O2 -g
W5_CFLAGS := -std=gnu11 -Wall -Wextra -Wno-unused-parameter -Werror=implicit -Wshadow \
	   -Wstrict-prototypes -Wmissing-prototypes -fno-omit-frame-pointer \
	   -fstack-protector-strong $(CFLAGS)
W5_LDFLAGS := -Wl,--as-needed -Wl,-z,relro,-z,now $(LDFLAGS)
ifneq ($(SAN),)
W5_CFLAGS += -fsanitize=$(SAN) -fno-sanitize-recover=undefined
W5_LDFLAGS += -fsanitize=$(SAN:fuzzer-no-link,%=%)
else
W5_CFLAGS += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
endif
BPF_CFLAGS := -g -O2 -mcpu=v3 -target bpf -D__TARGET_ARCH_$(ARCH) -Wall -Wno-unused-function \
	   -Wno-address-of-packed-member -Iinclude -Ibpf $(BPF_INC)
DEPS	= -MMD -MP

# ---- what is built from what -------------------------------------------------

BPF_OBJ	:= $(patsubst %.c,$(O)/%.o,$(sort $(wildcard bpf/*.bpf.c)))
OBJ	:= $(patsubst %.c,$(O)/%.o,$(sort $(wildcard src/*/*.c)))
# The library is everything that needs no kernel: what tests and fuzzers link.
LIB_OBJ	:= $(filter-out $(O)/src/kernel/% $(O)/src/app/%,$(OBJ)) \
	   $(filter $(patsubst %,$(O)/src/app/%.o,options option_table option_value expr config),$(OBJ))
BIN_OBJ	:= $(filter-out $(LIB_OBJ),$(OBJ))
BIN	:= $(if $(wildcard src/app/main.c),$(O)/why502)
# A program of the lab is one file, or a folder and what the folders share.
LAB1	:= $(patsubst tools/lab/%.c,$(O)/lab-%,$(sort $(wildcard tools/lab/*.c)))
LABN	:= $(patsubst tools/lab/%/main.c,$(O)/lab-%,$(sort $(wildcard tools/lab/*/main.c)))
LAB	:= $(LAB1) $(LABN)
lab_obj	= $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tools/lab/$(1)/*.c tools/lab/common/*.c)))
UNIT	:= $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/unit/test_*.c)))
UNIT_OBJ := $(patsubst %.c,$(O)/%.o,$(filter-out tests/unit/test_%,$(sort $(wildcard tests/unit/*.c))))
DRIVERS	:= $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/replay/*.c tests/screen/*.c)))
SCENE_OBJ := $(patsubst %.c,$(O)/%.o,$(sort $(wildcard tests/screen/scene/*.c)))
FUZZ	:= $(patsubst %.c,$(O)/%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
BENCH	:= $(patsubst tools/bench/%.c,$(O)/bench-%,$(filter-out %.bpf.c,$(sort $(wildcard tools/bench/*.c)))) \
	   $(patsubst tools/bench/%.c,$(O)/tools/bench/%.o,$(sort $(wildcard tools/bench/*.bpf.c)))

# Only where the distribution has the library's static archive.
TLSGATE	:= $(if $(shell $(CC) -print-file-name=libssl.a | grep /),$(O)/e2e-tlsgate)

.DELETE_ON_ERROR:
.SECONDARY:
# These build by a make of their own, in the same folder: not beside another goal (make -j all check).
ifneq ($(filter check test demo bench accuracy test-kernels golden install,$(MAKECMDGOALS)),)
.NOTPARALLEL:
endif

.PHONY: all tools unit deps check test demo bench bench-tools accuracy test-kernels fuzz fuzz-programs \
	golden format install clean help FORCE

all: $(BIN) $(LAB) $(TLSGATE) ## build the tool and the lab's programs into build/

tools: $(LAB) $(BENCH)

# Holds every flag; touched only when one changed, and every object depends on it.
FLAGS	:= $(CC) $(W5_CPPFLAGS) $(W5_CFLAGS) $(W5_LDFLAGS) $(LIBS) $(BPF_LIBS) $(CLANG) $(BPF_CFLAGS)
$(O)/.flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(FLAGS))' | cmp -s - $@ || printf '%s\n' '$(subst ','\'',$(FLAGS))' > $@

$(O)/vmlinux.h:
	$(call say,BTF,$@)
	@mkdir -p $(@D)
	@test -r $(VMLINUX_BTF) || { echo "why502: this kernel has no $(VMLINUX_BTF), so the eBPF programs cannot be built here:" \
		"boot a kernel with CONFIG_DEBUG_INFO_BTF=y or name a file with VMLINUX_BTF=." >&2; exit 1; }
	@test -n "$(BPFTOOL)" || { echo "why502: no bpftool found: run sudo tools/install-deps build, or name it with BPFTOOL=." >&2; exit 1; }
	$(Q)$(BPFTOOL) btf dump file $(VMLINUX_BTF) format c > $@
	@# Kernels before 6.18 lack it; newer ones look for a map's field of this name.
	$(Q)grep -q '^struct bpf_task_work {' $@ || sed -i 's/^typedef signed char __s8;/struct bpf_task_work { unsigned long long __opaque; };\n&/' $@

$(O)/%.bpf.o: %.bpf.c $(O)/.flags | $(O)/vmlinux.h
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -I$(O) $(DEPS) -c $< -o $@

$(O)/why502.skel.h: $(BPF_OBJ)
	$(call say,SKEL,$@)
	@test -n "$^" || { echo "why502: bpf/ holds no programs" >&2; exit 1; }
	$(Q)$(BPFTOOL) gen object $(O)/why502.bpf.o $^
	$(Q)$(BPFTOOL) gen skeleton $(O)/why502.bpf.o name w5_bpf > $@

# Order-only for the first build; later the .d files know who includes the skeleton.
$(filter $(O)/src/kernel/%,$(OBJ)): | $(O)/why502.skel.h

$(O)/%.o: %.c $(O)/.flags
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(W5_CPPFLAGS) $(DEPS) $(W5_CFLAGS) -c $< -o $@

$(O)/libwhy502.a: $(LIB_OBJ) $(O)/.flags
	$(call say,AR,$@)
	$(Q)mkdir -p $(@D) && rm -f $@ && $(AR) rcs $@ $(LIB_OBJ)

$(O)/why502: $(BIN_OBJ) $(O)/libwhy502.a
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -o $@ $^ $(BPF_LIBS) $(LIBS)

$(LAB1): $(O)/lab-%: $(O)/tools/lab/%.o
$(foreach p,$(LABN:$(O)/lab-%=%),$(eval $(O)/lab-$(p): $(call lab_obj,$(p))))
$(LAB):
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -pthread -o $@ $^ $(LIBS) $(LAB_LIBS)
$(O)/lab-tracecat: $(O)/libwhy502.a

$(O)/e2e-tlsgate: $(O)/tests/e2e/tlsgate.o
	$(call say,LD,$@)
	$(Q)$(CC) -static -o $@ $^ -lssl -lcrypto -ldl -pthread 2>$@.log || { cat $@.log >&2; exit 1; }

$(filter $(O)/bench-%,$(BENCH)): $(O)/bench-%: $(O)/tools/bench/%.o
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -pthread -o $@ $^ $(BPF_LIBS) -lm

$(UNIT): %: %.o $(UNIT_OBJ) $(O)/libwhy502.a
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -o $@ $^ $(CMOCKA) $(LIBS)

$(DRIVERS): %: %.o $(O)/libwhy502.a
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -o $@ $^ $(LIBS)

$(O)/tests/screen/driver: $(SCENE_OBJ)

$(FUZZ): %: %.o $(O)/libwhy502.a
	$(call say,LD,$@)
	$(Q)$(CC) $(W5_CFLAGS) $(W5_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LIBS)

# ---- tests -------------------------------------------------------------------

# What these targets build uses every core, whether or not make was called with -j.
JOBS	:= -j$(shell nproc 2>/dev/null || echo 1)

unit: $(UNIT) $(DRIVERS)
bench-tools: $(BENCH)
fuzz-programs: $(FUZZ)

# Two builds in one tree: build/ is what is shipped, build/san the same code under
# AddressSanitizer and UBSan, where unit, replay and screen tests run.
san_build = $(MAKE) $(JOBS) --no-print-directory O=$(O)/san SAN=address,undefined unit

deps: ## install what building and testing need (tools/deps), as root
	@tools/install-deps

check: ## tests that need no root: unit, replay, screen, style
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(san_build)
	@O=$(O) tests/run unit replay screen check

test: ## everything, end to end included (as root; installs what is missing)
	@tools/install-deps
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(san_build)
	@O=$(O) tests/run unit replay screen check e2e

demo: ## a real nginx failing in several ways, and why502 beside it (as root)
	@tools/install-deps
	@$(MAKE) $(JOBS) --no-print-directory all
	@O=$(O) tools/lab/demo

accuracy: ## faults with known causes under mixed load, each finding compared (as root)
	@tools/install-deps
	@$(MAKE) $(JOBS) --no-print-directory all
	@O=$(O) tools/lab/accuracy

bench: ## cost per request against nothing, empty programs and tcpdump (as root; QUICK=1, ROUNDS=15)
	@tools/install-deps
	@$(MAKE) $(JOBS) --no-print-directory all bench-tools
	@O=$(O) tools/bench/run

test-kernels: ## doctor and one end-to-end case on Debian's 6.1 and 7.3 under qemu (as root)
	@tools/install-deps build test kernels
	@$(MAKE) $(JOBS) --no-print-directory all
	@O=$(O) tools/kernels/run

FUZZ_SECONDS ?= 30
fuzz: ## libFuzzer programs of tests/fuzz, FUZZ_SECONDS each
	@$(MAKE) $(JOBS) --no-print-directory O=$(O)/fuzz CC=$(CLANG) SAN=fuzzer-no-link,address,undefined fuzz-programs
	@set -e; for f in $(patsubst $(O)/%,$(O)/fuzz/%,$(FUZZ)); do \
		corpus=$(O)/fuzz/corpus/$${f##*/}; seed=tests/fuzz/seed/$${f##*/}; mkdir -p $$corpus; \
		test ! -d $$seed || cp $$seed/* $$corpus/; \
		echo "  FUZZ   $${f##*/} $(FUZZ_SECONDS) s"; \
		$$f -max_total_time=$(FUZZ_SECONDS) -verbosity=0 -print_final_stats=1 -artifact_prefix=$(O)/fuzz/ $$corpus; \
	done

FORMAT := $(wildcard src/*/*.[ch] bpf/*.[ch] include/*.h tools/*/*.[ch] tools/*/*/*.[ch] tests/*/*.[ch] tests/*/*/*.[ch])
format: ## let clang-format lay out every C file
	@clang-format -i $(FORMAT)

golden: ## rewrite the expected output of replay and screen tests; review the diff
	@$(MAKE) $(JOBS) --no-print-directory all
	@$(san_build)
	@for t in replay screen; do test ! -x tests/$$t/run || O=$(abspath $(O)) tests/$$t/run --golden; done

# ---- the rest ----------------------------------------------------------------

install: all ## install into DESTDIR and PREFIX
	install -d $(DESTDIR)$(PREFIX)/sbin
	install -m 755 $(O)/why502 $(DESTDIR)$(PREFIX)/sbin/why502
	$(if $(wildcard man/why502.8),install -d $(DESTDIR)$(PREFIX)/share/man/man8)
	$(if $(wildcard man/why502.8),install -m 644 man/why502.8 $(DESTDIR)$(PREFIX)/share/man/man8/why502.8)
	install -d $(DESTDIR)$(PREFIX)/share/why502
	install -m 644 tools/wireshark/why502.lua $(DESTDIR)$(PREFIX)/share/why502/why502.lua

clean: ## remove build/
	rm -rf $(O)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(O)/src $(O)/bpf $(O)/tools $(O)/tests -name '*.d' 2>/dev/null)
