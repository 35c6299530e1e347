# Tests of the VT-d model alone: fuzzing and measuring.
#
#   make fuzz FUZZ_SECONDS=600    libFuzzer over registers and guest memory
#   make bench                    time and instructions of each operation

# --- bench: a release build, whatever SAN says ------------------------------

bench := build/rel/tests/bench/vtd-bench

build/rel/tests/bench/vtd-bench: build/rel/tests/bench/vtd-bench.o \
		build/rel/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

.PHONY: bench
ifeq ($(SAN),1)
bench:
	$(Q)$(MAKE) --no-print-directory SAN= bench
else
bench: $(bench)
	$(Q)tests/bench/bench.sh $(bench)
endif

# --- fuzz: clang's libFuzzer with ASan and UBSan ----------------------------

FUZZ_CC ?= clang-14
FUZZ_SECONDS ?= 60
# 0 lets libFuzzer choose; it prints which seed it took.
FUZZ_SEED ?= 0

fuzz-src := $(sort $(wildcard tests/fuzz/*-fuzz.c))
fuzzers := $(fuzz-src:tests/fuzz/%.c=build/fuzz/%)
fuzz-cflags := -std=gnu11 -I. -O2 -g $(warn) -Wno-unused-command-line-argument \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -MMD -MP

$(fuzzers): build/fuzz/%: tests/fuzz/%.c $(vtd-src)
	@mkdir -p $(@D)
	@echo '  FUZZ    $@'
	$(Q)$(FUZZ_CC) $(fuzz-cflags) -o $@ $< $(vtd-src)

-include $(fuzzers:%=%.d)

.PHONY: fuzz $(fuzzers:build/fuzz/%=run-%)
fuzz: $(fuzzers:build/fuzz/%=run-%)

# New inputs go to build/; the corpus in the tree is only read.
$(fuzzers:build/fuzz/%=run-%): run-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	$(Q)build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED) \
		-max_len=4096 -timeout=10 -print_final_stats=1 -verbosity=1 \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus/$* \
		$(wildcard tests/fuzz/corpus/$*)
