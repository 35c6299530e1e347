# The project's own guest kernels: freestanding, 64-bit, started as Linux
# kernels are, or by Xen's PVH entry.  Each directory below tests/guests/ but
# lib/, which they share, is one kernel: X.img is what QEMU and xl boot as a
# Linux kernel, X.elf the same with symbols, and what xl boots as a PVH guest.

guest-names := $(filter-out lib,$(sort $(notdir \
	$(patsubst %/,%,$(wildcard tests/guests/*/)))))
guests := $(guest-names:%=build/guests/%.img)

# Interrupts may come at any instruction and save no vector registers.
guest-cflags := -std=gnu11 -I. -O2 -g $(warn) $(if $(filter 1,$(WERROR)),-Werror) \
	-ffreestanding -nostdlib -mno-red-zone -mno-sse -mgeneral-regs-only \
	-fno-pic -no-pie -fno-stack-protector -fcf-protection=none \
	-fno-asynchronous-unwind-tables -fno-strict-aliasing

build/guests/%.o: tests/guests/%.c tests/guests/guests.mk
	@mkdir -p $(@D)
	@echo '  CC      $<'
	$(Q)$(CC) $(guest-cflags) -MMD -MP -c -o $@ $<

build/guests/%.o: tests/guests/%.S tests/guests/guests.mk
	@mkdir -p $(@D)
	@echo '  AS      $<'
	$(Q)$(CC) $(guest-cflags) -MMD -MP -c -o $@ $<

# What a kernel does not use of lib/ is left out by the archive.
guest-objects = $(patsubst tests/guests/%,build/guests/%.o,$(basename \
	$(sort $(wildcard tests/guests/$(1)/*.c tests/guests/$(1)/*.S))))

build/guests/lib.a: $(call guest-objects,lib)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

define guest-rule
build/guests/$(1).elf: $$(call guest-objects,$(1)) build/guests/lib.a \
		tests/guests/lib/link.ld
	@echo '  LINK    $$@'
	$$(Q)$$(CC) $$(guest-cflags) -static -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
		-T tests/guests/lib/link.ld -o $$@ $$(filter %.o %.a,$$^)
endef
$(foreach g,$(guest-names),$(eval $(call guest-rule,$(g))))

build/guests/%.img: build/guests/%.elf
	$(Q)objcopy -O binary $< $@

.PHONY: guests
guests: $(guests)
