# Tests of the VT-d model alone: fuzzing and measuring.
#
#   make fuzz FUZZ_SECONDS=600    libFuzzer over registers and guest memory
#   make bench                    time and instructions of each operation

# --- bench: a release build, whatever SAN says ------------------------------

bench := build/rel/tests/bench/vtd-bench

build/rel/tests/bench/vtd-bench: build/rel/tests/bench/vtd-bench.o \
		build/rel/tests/bench/guest.o build/rel/libvtd.a
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
ifndef FUZZ_SEED
FUZZ_SEED := $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')
endif

fuzz-src := $(sort $(wildcard tests/fuzz/*-fuzz.c))
fuzz-lib := tests/fuzz/guest.c tests/fuzz/oracle.c
fuzz-headers := $(wildcard daemon/vtd/*.h daemon/vtd/*.def tests/fuzz/*.h)
fuzzers := $(fuzz-src:tests/fuzz/%.c=build/fuzz/%)
fuzz-cflags := -std=gnu11 -I. -O2 -g $(warn) \
	$(if $(filter 1,$(WERROR)),-Werror) \
	-fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer

$(fuzzers): build/fuzz/%: tests/fuzz/%.c $(fuzz-lib) $(vtd-src) $(fuzz-headers)
	@mkdir -p $(@D)
	@echo '  FUZZ    $@'
	$(Q)$(FUZZ_CC) $(fuzz-cflags) -o $@ $(filter %.c,$^)

.PHONY: fuzz $(fuzzers:build/fuzz/%=run-%)
fuzz: $(fuzzers:build/fuzz/%=run-%)

# What it learns goes to build/; an input that fails does, too.
$(fuzzers:build/fuzz/%=run-%): run-%: build/fuzz/%
	@mkdir -p build/fuzz/corpus/$*
	@echo '$*: $(FUZZ_SECONDS) s, FUZZ_SEED=$(FUZZ_SEED)'
	$(Q)build/fuzz/$* -max_total_time=$(FUZZ_SECONDS) -seed=$(FUZZ_SEED) \
		-max_len=4096 -timeout=10 -verbosity=0 -print_final_stats=1 \
		-artifact_prefix=build/fuzz/ build/fuzz/corpus/$*
