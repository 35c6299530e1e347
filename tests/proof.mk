# Proofs of the VT-d model besides its unit tests.
#
#   make property OPERATIONS=10000000 SEED=1    against a second opinion
#   make coverage                               lines and branches that tests run
#   make mutate MUTANTS=300 MUTATE_SEED=1       do the tests notice a change?

# --- property ---------------------------------------------------------------

property-src := $(sort $(wildcard tests/property/*.c)) tests/fuzz/oracle.c
property := $(B)/tests/property/vtd-property

$(property): $(property-src:%.c=$(B)/%.o) $(B)/libvtd.a
	@echo '  LINK    $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^

# SEED and OPERATIONS come from the environment.
.PHONY: property
property: $(property)
	$(Q)$(property)

# --- coverage: without optimisation, so that each branch is one of the source

cov := build/cov
cov-cflags := -std=gnu11 -I. -D_GNU_SOURCE -O0 -g
cov-tests := $(vtd-test-src:%.c=$(cov)/%)
cov-property := $(cov)/tests/property/vtd-property
cov-model := $(vtd-src:%.c=$(cov)/%.o)

$(cov)/daemon/vtd/%.o: daemon/vtd/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(cov-cflags) --coverage -MMD -MP -c -o $@ $<
$(cov)/tests/%.o: tests/%.c Makefile
	@mkdir -p $(@D)
	$(Q)$(CC) $(cov-cflags) -MMD -MP -c -o $@ $<
$(cov-tests): %: %.o $(support-src:%.c=$(cov)/%.o) $(cov-model)
	$(Q)$(CC) --coverage -o $@ $^ -lcmocka
$(cov-property): $(property-src:%.c=$(cov)/%.o) $(cov-model)
	$(Q)$(CC) --coverage -o $@ $^

-include $(shell find $(cov) -name '*.d' -type f 2>/dev/null)

.PHONY: coverage
coverage: $(cov-tests) $(cov-property)
	$(Q)tests/coverage.sh $(cov) $(cov-property) $(cov-tests)

# --- mutate: minutes, not part of make check but for a few ------------------

MUTANTS ?= 300
MUTATE_SEED ?= 1
MUTATE_NEED ?= 90

.PHONY: mutate
mutate:
	$(Q)tests/mutate/mutate.py --mutants $(MUTANTS) --seed $(MUTATE_SEED) \
		--need $(MUTATE_NEED)
