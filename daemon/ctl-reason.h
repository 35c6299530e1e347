/* SPDX-License-Identifier: GPL-2.0-only */
/* What a fault reason of DMA says about the guest, for an administrator. */
#ifndef DAEMON_CTL_REASON_H
#define DAEMON_CTL_REASON_H

#include <stdint.h>

/* A sentence or two; one for reasons that DMA does not have, too. */
const char *ctl_reason_meaning(uint8_t reason);

#endif
