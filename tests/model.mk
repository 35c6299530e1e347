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
