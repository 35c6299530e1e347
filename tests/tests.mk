# What proves that the project works, and the rig that shows it.

include tests/guests/guests.mk
include tests/vfio/vfio.mk
-include tests/model.mk
include tests/proof.mk
include tests/tsan.mk

.PHONY: deps
deps:
	@tests/deps.sh

# Everything, from a clean clone on a bare machine; ends with the counts.
.PHONY: check
check:
	@tests/check.sh

# A Linux guest on real Xen takes its interrupts through viommud: watch it.
.PHONY: demo
demo:
	@tests/rig/demo.sh
