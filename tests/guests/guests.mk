# The project's own guest kernels: freestanding, 64-bit, started as Linux
# kernels are.  Each directory below tests/guests/ is one kernel: X.img is what
# QEMU and xl boot, X.elf the same with symbols.

guest-names := $(sort $(notdir $(patsubst %/,%,$(wildcard tests/guests/*/))))
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

define guest-rule
build/guests/$(1).elf: $$(patsubst tests/guests/%,build/guests/%.o,$$(basename \
		$$(sort $$(wildcard tests/guests/$(1)/*.c tests/guests/$(1)/*.S)))) \
		tests/guests/$(1)/link.ld
	@echo '  LINK    $$@'
	$$(Q)$$(CC) $$(guest-cflags) -static -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
		-T tests/guests/$(1)/link.ld -o $$@ $$(filter %.o,$$^)
endef
$(foreach g,$(guest-names),$(eval $(call guest-rule,$(g))))

build/guests/%.img: build/guests/%.elf
	$(Q)objcopy -O binary $< $@

.PHONY: guests
guests: $(guests)
