# viommud: the one makefile.  `make help` lists what it can do.
#
#   SAN=1 sanitizers, WERROR=1 warnings are errors (CI sets it), V=1 commands

B := build/$(if $(filter 1,$(SAN)),san,rel)
Q := $(if $(filter 1,$(V)),,@)
PKG_CONFIG ?= pkg-config

prefix ?= /usr
sbindir ?= $(prefix)/sbin
unitdir ?= $(prefix)/lib/systemd/system
mandir ?= $(prefix)/share/man

VERSION := 0.1.0

CFLAGS ?= -O2 -g
warn := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wpointer-arith -Wcast-align -Wcast-qual \
	-Wwrite-strings -Wundef -Wvla -Wformat=2 -Wconversion \
	-Wno-sign-conversion -Wimplicit-fallthrough
hard := -fstack-protector-strong -fstack-clash-protection -fcf-protection \
	-D_FORTIFY_SOURCE=2 -fPIE
san := -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
# -U first: distributions put their own _FORTIFY_SOURCE in CFLAGS.
ALL_CFLAGS = -std=gnu11 -I. -D_GNU_SOURCE -DVIOMMUD_VERSION='"$(VERSION)"' \
	$(warn) $(if $(filter 1,$(WERROR)),-Werror) $(CFLAGS) \
	-U_FORTIFY_SOURCE $(if $(filter 1,$(SAN)),$(san),$(hard)) -MMD -MP
ALL_LDFLAGS = $(LDFLAGS) $(if $(filter 1,$(SAN)),$(san),-pie -Wl,-z,relro,-z,now)

daemon-libs := $(shell $(PKG_CONFIG) --libs json-c xendevicemodel \
	xenforeignmemory xenevtchn xenstore xentoolcore 2>/dev/null) -lev
ctl-libs := $(shell $(PKG_CONFIG) --libs json-c xenstore 2>/dev/null) -lxlutil

vtd-src := $(sort $(wildcard daemon/vtd/*.c))
# Of these, what translates through a view, which clients link, too.
walk-src := $(sort $(wildcard daemon/vtd/walk*.c) \
	$(patsubst %,daemon/vtd/%.c,cache dma dmactx reasons view))
daemon-src := $(sort $(filter-out daemon/main.c,$(wildcard daemon/*.c)) \
	$(wildcard daemon/xen/*.c daemon/client/*.c))
ctl-src := $(sort $(wildcard tools/viommu-ctl/*.c))
# Tests of viommu-ctl link its objects too, so main() stands in a file of its own.
ctl-lib-src := $(filter-out tools/viommu-ctl/main.c,$(ctl-src))
# The parser of viommu=, which the daemon and viommu-ctl share.
config-src := $(sort $(wildcard daemon/config*.c))
vtd-test-src := $(sort $(wildcard tests/unit/vtd-*-test.c))
daemon-test-src := $(sort $(wildcard tests/unit/daemon-*-test.c))
service-test-src := $(sort $(wildcard tests/unit/service-*-test.c))
ctl-test-src := $(sort $(wildcard tests/unit/ctl-*-test.c))
support-src := $(sort $(filter-out tests/support/fake-%,$(wildcard tests/support/*.c)))
helper-src := $(sort $(wildcard tests/helpers/*.c))

vtd-tests := $(vtd-test-src:%.c=$(B)/%)
daemon-tests := $(daemon-test-src:%.c=$(B)/%)
service-tests := $(service-test-src:%.c=$(B)/%)
ctl-tests := $(ctl-test-src:%.c=$(B)/%)
unit-tests := $(vtd-tests) $(daemon-tests) $(service-tests) $(ctl-tests)
helpers := $(helper-src:%.c=$(B)/%)

.PHONY: all
all: $(B)/viommud $(B)/viommu-ctl $(B)/libvtd-walk.a

$(B)/libvtd.a: $(vtd-src:%.c=$(B)/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/libvtd-walk.a: $(walk-src:%.c=$(B)/pic/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/libviommud.a: $(daemon-src:%.c=$(B)/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/viommud: $(B)/daemon/main.o $(B)/libviommud.a $(B)/libvtd.a
	@echo '  LINK    $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(daemon-libs)

$(B)/viommu-ctl: $(ctl-src:%.c=$(B)/%.o) $(config-src:%.c=$(B)/%.o)
	@echo '  LINK    $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(ctl-libs)

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

# For a shared library, which shows none of it.
$(B)/pic/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo '  CC      $< (shared)'
	$(Q)$(CC) $(ALL_CFLAGS) -fPIC -fvisibility=hidden -c -o $@ $<

include client/client.mk
include client/examples/edu/edu.mk

support := $(support-src:%.c=$(B)/%.o)

$(vtd-tests): %: %.o $(support) $(B)/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka
$(daemon-tests) $(service-tests): %: %.o $(support) $(B)/libviommud.a $(B)/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(daemon-libs)
$(ctl-tests): %: %.o $(ctl-lib-src:%.c=$(B)/%.o) \
		$(config-src:%.c=$(B)/%.o)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(ctl-libs)
# Programs that tests run inside dom0.
$(B)/tests/helpers/trace-dma: $(B)/libviommud.a $(B)/libvtd.a
$(B)/tests/helpers/vhost-net: $(B)/libviommu-client.a
$(helpers): %: %.o
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(daemon-libs)

-include $(shell find build/rel build/san build/guests -name '*.d' -type f 2>/dev/null)

.PHONY: unit helpers
unit: $(unit-tests)
helpers: $(helpers)

include tests/tests.mk

.PHONY: install
install: all
	install -D -m 755 $(B)/viommud $(DESTDIR)$(sbindir)/viommud
	install -D -m 755 $(B)/viommu-ctl $(DESTDIR)$(sbindir)/viommu-ctl
	install -D -m 644 systemd/viommud@.service $(DESTDIR)$(unitdir)/viommud@.service
	install -D -m 644 man/viommud.8 $(DESTDIR)$(mandir)/man8/viommud.8
	install -D -m 644 man/viommu-ctl.8 $(DESTDIR)$(mandir)/man8/viommu-ctl.8
	install -D -m 644 man/viommu.cfg.5 $(DESTDIR)$(mandir)/man5/viommu.cfg.5

.PHONY: clean
clean:
	rm -rf build/rel build/san build/fuzz
