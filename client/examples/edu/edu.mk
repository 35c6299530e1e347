# viommu-edu: the example of an emulator that uses libviommu-client.

libexecdir ?= $(prefix)/libexec

edu-src := $(sort $(wildcard client/examples/edu/*.c))
edu-libs := $(shell $(PKG_CONFIG) --libs xendevicemodel xenforeignmemory \
	xenevtchn xentoolcore 2>/dev/null) -pthread
# What knows neither Xen nor viommud.
edu-pure-src := $(addprefix client/examples/edu/,edu.c edu-extended.c pci.c \
	request.c)
edu-bus-test := $(B)/tests/unit/edu-bus-test
edu-test-src := $(sort $(wildcard tests/unit/edu-*-test.c))
edu-tests := $(filter-out $(edu-bus-test),$(edu-test-src:%.c=$(B)/%))
unit-tests += $(edu-tests) $(edu-bus-test)

all: $(B)/viommu-edu

$(B)/viommu-edu: $(edu-src:%.c=$(B)/%.o) $(B)/libviommu-client.so
	@echo '  LINK    $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) \
		-L$(B) -lviommu-client $(edu-libs)

$(edu-tests): %: %.o $(edu-pure-src:%.c=$(B)/%.o)
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -pthread

# With the library, and with a daemon to talk to.
$(edu-bus-test): %: %.o $(edu-pure-src:%.c=$(B)/%.o) \
		$(B)/client/examples/edu/bus.o $(fake-src:%.c=$(B)/%.o) \
		$(B)/libviommu-client.a $(B)/libviommud.a $(B)/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(daemon-libs) \
		-pthread

.PHONY: install-edu
install: install-edu
install-edu: $(B)/viommu-edu
	install -D -m 755 $(B)/viommu-edu $(DESTDIR)$(libexecdir)/viommud/viommu-edu
	install -D -m 644 man/viommu-edu.1 $(DESTDIR)$(mandir)/man1/viommu-edu.1
