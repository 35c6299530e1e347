/* SPDX-License-Identifier: GPL-2.0-only */
/* A network device that dom0's kernel serves, instead of the edu device. */
#ifndef TESTS_GUESTS_DMA_VHOST_H
#define TESTS_GUESTS_DMA_VHOST_H

/* All tests of it, in a guest that has nothing but a unit. */
void vhost_run(void);

#endif
