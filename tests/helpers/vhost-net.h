/* SPDX-License-Identifier: MIT */
/* What vhost-net and its guest, tests/guests/dma/vhost.c, agree about. */
#ifndef TESTS_HELPERS_VHOST_NET_H
#define TESTS_HELPERS_VHOST_NET_H

#include <stdint.h>

#define VHOST_SID 0x0028u /* 00:05.0 */

/* Two pages: a ring with its three parts, and a buffer. */
#define VHOST_IOVA_RING   UINT64_C(0x123450000)
#define VHOST_IOVA_BUFFER UINT64_C(0x7654321000)

#define VHOST_RING_SIZE  8u
#define VHOST_RING_AVAIL 0x400u
#define VHOST_RING_USED  0x800u

/* In front of each frame. [virtio 1.2, "Device Operation"] */
#define VHOST_HEADER 12u

#define VHOST_ETHERTYPE 0x88b5u /* for experiments */

/* The number of a frame that must never arrive. */
#define VHOST_FORBIDDEN 0xdeadbeefu

struct vhost_frame {
    uint8_t dest[6];
    uint8_t source[6];
    uint8_t type[2];
    uint8_t zero[2];
    uint32_t number;
    uint8_t rest[44];
};
_Static_assert(sizeof(struct vhost_frame) == 64, "a frame");

#endif
