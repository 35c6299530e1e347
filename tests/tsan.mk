# Tests that have threads, with ThreadSanitizer: make tsan.  clang's, because
# gcc's does not know fences.

TSAN_CC ?= clang-14
tsan-src := tests/unit/service-race-test.c \
	$(patsubst %,tests/unit/edu-%-test.c,bus device extended) \
	$(client-test-src)

tsan-tests := $(tsan-src:%.c=build/tsan/%)
# What tests link besides: the daemon, the model, the library, a fake guest.
tsan-lib := $(sort $(daemon-src) $(vtd-src) $(client-src) $(fake-src) \
	$(edu-pure-src) client/examples/edu/bus.c)
tsan-cflags := -std=gnu11 -I. -O1 -g -D_GNU_SOURCE \
	-DVIOMMUD_VERSION='"$(VERSION)"' $(warn) \
	$(if $(filter 1,$(WERROR)),-Werror) -fsanitize=thread \
	-fno-omit-frame-pointer -MMD -MP

build/tsan/%.o: %.c tests/tsan.mk
	@mkdir -p $(@D)
	$(Q)$(TSAN_CC) $(tsan-cflags) -c -o $@ $<

build/tsan/lib.a: $(tsan-lib:%.c=build/tsan/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(tsan-tests): %: %.o build/tsan/lib.a
	@echo '  TSAN    $@'
	$(Q)$(TSAN_CC) -fsanitize=thread -o $@ $^ -lcmocka $(daemon-libs) -pthread

-include $(shell find build/tsan -name '*.d' -type f 2>/dev/null)

.PHONY: tsan
tsan: $(tsan-tests)
	$(Q)set -e; for t in $^; do TSAN_OPTIONS=halt_on_error=1 timeout 120 $$t; done
