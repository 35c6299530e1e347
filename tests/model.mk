# Fuzzing and measuring: the VT-d model, and the translation service.
#
#   make fuzz FUZZ_SECONDS=600    libFuzzer, ten minutes a target, one after the
#                                 other; two at a time with -j2
#   make run-walk-fuzz            one target
#   make fuzz-merge               what was learnt becomes the kept corpus
#   make bench                    time and instructions of each operation

# --- bench: a release build, whatever SAN says ------------------------------

bench := build/rel/tests/bench/vtd-bench
client-bench := build/rel/tests/bench/client-bench

build/rel/tests/bench/vtd-bench: build/rel/tests/bench/vtd-bench.o \
		build/rel/tests/bench/guest.o build/rel/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

.PHONY: bench
ifeq ($(SAN),1)
bench:
	$(Q)$(MAKE) --no-print-directory SAN= bench
else
bench: $(bench) $(client-bench)
	$(Q)tests/bench/bench.sh $(bench) memory
	$(Q)tests/bench/bench.sh $(client-bench)
	$(Q)$(client-bench) measure
endif

# --- fuzz: clang's libFuzzer with ASan and UBSan ----------------------------

FUZZ_CC ?= clang-14
FUZZ_SECONDS ?= 60
ifndef FUZZ_SEED
FUZZ_SEED := $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')
endif

fuzz-src := $(sort $(wildcard tests/fuzz/*-fuzz.c))
fuzz-lib := $(sort $(filter-out $(fuzz-src),$(wildcard tests/fuzz/*.c)))
fuzz-obj := $(vtd-src:%.c=build/fuzz/%.o) $(fuzz-lib:%.c=build/fuzz/%.o)
fuzzers := $(fuzz-src:tests/fuzz/%.c=build/fuzz/%)
fuzz-cflags := -std=gnu11 -I. -O2 -g -D_GNU_SOURCE \
	-DVIOMMUD_VERSION='"$(VERSION)"' $(warn) \
	$(if $(filter 1,$(WERROR)),-Werror) \
	-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -MMD -MP

build/fuzz/%.o: %.c tests/model.mk
	@mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(fuzz-cflags) -c -o $@ $<

# Of the daemon a target takes what it needs.
build/fuzz/daemon.a: $(daemon-src:%.c=build/fuzz/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(fuzzers): build/fuzz/%: build/fuzz/tests/fuzz/%.o $(fuzz-obj)
	@echo '  FUZZ    $@'
	$(Q)$(FUZZ_CC) -fsanitize=fuzzer,address,undefined -o $@ $^ \
		$(if $(filter %.a,$^),$(daemon-libs))
build/fuzz/message-fuzz: build/fuzz/daemon.a

-include $(shell find build/fuzz -name '*.d' -type f 2>/dev/null)

.PHONY: fuzz $(fuzzers:build/fuzz/%=run-%)
fuzz: $(fuzzers:build/fuzz/%=run-%)

# What it learns goes to build/; an input that fails does, too.
$(fuzzers:build/fuzz/%=run-%): run-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus/$* tests/fuzz/corpus/$*
	@echo '$*: $(FUZZ_SECONDS) s, FUZZ_SEED=$(FUZZ_SEED)'
	$(Q)build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED) \
		-max_len=1024 -timeout=10 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/$*- build/fuzz/corpus/$* \
		tests/fuzz/corpus/$*

# The corpus in the repository: few and small inputs that reach the most.
.PHONY: fuzz-merge $(fuzzers:build/fuzz/%=merge-%)
fuzz-merge: $(fuzzers:build/fuzz/%=merge-%)
$(fuzzers:build/fuzz/%=merge-%): merge-%: build/fuzz/%
	$(Q)tests/fuzz/merge.sh build/fuzz/$* build/fuzz/corpus/$* \
		tests/fuzz/corpus/$*
