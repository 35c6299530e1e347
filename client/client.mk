# libviommu-client: what an emulator links to do its device's DMA.

libdir ?= $(prefix)/lib
includedir ?= $(prefix)/include
pkgconfigdir ?= $(libdir)/pkgconfig

client-soname := libviommu-client.so.0
client-src := $(sort $(wildcard client/*.c))
client-obj := $(client-src:%.c=$(B)/pic/%.o)
client-libs := $(shell $(PKG_CONFIG) --libs xenforeignmemory 2>/dev/null) \
	-pthread

.PHONY: client
client: $(B)/$(client-soname) $(B)/libviommu-client.so $(B)/libviommu-client.a
all: client

# The walker comes with it: there is nothing else that a program has to link.
client-walk-src := $(filter-out %/dma.c,$(walk-src))
$(B)/libviommu-client.a: $(client-obj) $(client-walk-src:%.c=$(B)/pic/%.o)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(B)/$(client-soname): $(client-obj) $(B)/libvtd-walk.a client/viommu-client.map
	@echo '  LINK    $@'
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) -shared -Wl,-soname,$(client-soname) \
		-Wl,--version-script=client/viommu-client.map \
		-Wl,-Bsymbolic-functions \
		$(if $(filter 1,$(SAN)),$(san),-Wl,-z,relro,-z,now,-z,defs) \
		-o $@ $(filter-out %.map,$^) $(client-libs)

$(B)/libviommu-client.so: $(B)/$(client-soname)
	$(Q)ln -sf $(client-soname) $@

$(B)/viommu-client.pc: client/viommu-client.pc.in Makefile client/client.mk
	@mkdir -p $(@D)
	$(Q)sed -e 's|@prefix@|$(prefix)|' -e 's|@libdir@|$(libdir)|' \
		-e 's|@includedir@|$(includedir)|' -e 's|@version@|$(VERSION)|' \
		$< > $@

.PHONY: install-client
install: install-client
install-client: client $(B)/viommu-client.pc
	install -D -m 644 $(B)/$(client-soname) $(DESTDIR)$(libdir)/$(client-soname)
	ln -sf $(client-soname) $(DESTDIR)$(libdir)/libviommu-client.so
	install -D -m 644 $(B)/libviommu-client.a $(DESTDIR)$(libdir)/libviommu-client.a
	install -D -m 644 $(B)/viommu-client.pc $(DESTDIR)$(pkgconfigdir)/viommu-client.pc
	install -D -m 644 client/viommu-client.h $(DESTDIR)$(includedir)/viommu/viommu-client.h
	install -D -m 644 client/viommu-vhost.h $(DESTDIR)$(includedir)/viommu/viommu-vhost.h
	install -D -m 644 client/viommu-proto.h $(DESTDIR)$(includedir)/viommu/viommu-proto.h
	install -D -m 644 man/libviommu-client.3 $(DESTDIR)$(mandir)/man3/libviommu-client.3

# Tests without Xen: a guest, its unit, and the daemon's side of the service.
client-test-src := $(sort $(wildcard tests/unit/client-*-test.c))
client-tests := $(client-test-src:%.c=$(B)/%)
fake-src := $(sort $(wildcard tests/support/fake-*.c)) tests/support/tables.c
unit-tests += $(client-tests)

$(client-tests): %: %.o $(fake-src:%.c=$(B)/%.o) $(B)/libviommu-client.a \
		$(B)/libviommud.a $(B)/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(daemon-libs) \
		-pthread

# What it costs: see tests/model.mk for `make bench`.
client-bench-src := $(sort $(wildcard tests/bench/client-*.c))
build/rel/tests/bench/client-bench: $(client-bench-src:%.c=build/rel/%.o) \
		$(fake-src:%.c=build/rel/%.o) build/rel/libviommu-client.a \
		build/rel/libviommud.a build/rel/libvtd.a
	$(Q)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(daemon-libs) \
		-pthread
