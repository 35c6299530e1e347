# vfio-edu, a program for Linux guests: static, because their initramfs has no
# C library.

vfio-src := $(sort $(wildcard tests/vfio/*.c))

$(B)/tests/vfio/vfio-edu: $(vfio-src:%.c=$(B)/%.o)
	@echo '  LINK    $@'
	$(Q)$(CC) -static $(LDFLAGS) -o $@ $^

.PHONY: vfio
vfio: $(B)/tests/vfio/vfio-edu
