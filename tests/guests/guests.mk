# The project's own guest kernels: freestanding, 64-bit, started as multiboot
# images.  Each directory below tests/guests/ is one kernel.

guest-names := $(sort $(notdir $(patsubst %/,%,$(wildcard tests/guests/*/))))
guests := $(guest-names:%=build/guests/%.elf)

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

# QEMU's multiboot loader takes 32-bit ELF images only; the code is 64-bit all
# the same, so only the container changes.
define guest-rule
build/guests/$(1).elf: $$(patsubst tests/guests/%,build/guests/%.o,$$(basename \
		$$(sort $$(wildcard tests/guests/$(1)/*.c tests/guests/$(1)/*.S)))) \
		tests/guests/$(1)/link.ld
	@echo '  LINK    $$@'
	$$(Q)$$(CC) $$(guest-cflags) -static -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -Wl,-z,noexecstack \
		-T tests/guests/$(1)/link.ld -o $$(@:.elf=.elf64) \
		$$(filter %.o,$$^)
	$$(Q)objcopy -O elf32-i386 $$(@:.elf=.elf64) $$@
endef
$(foreach g,$(guest-names),$(eval $(call guest-rule,$(g))))

.PHONY: guests
guests: $(guests)
