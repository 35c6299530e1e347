/* SPDX-License-Identifier: GPL-2.0-only */
#include "tests/fuzz/oracle.h"

#include <string.h>

/* Bytes 8 to 10 of an entry of either format. */
static void
decode_source(const uint8_t *byte, struct vtd_route *route)
{
    route->sid = (uint16_t)(byte[8] | byte[9] << 8);
    if (byte[10] >> 2 == 1) {
        route->sid_check = (uint8_t)(VTD_SID_EXACT + (byte[10] & 3));
    } else if (byte[10] >> 2 == 2) {
        route->sid_check = VTD_SID_BUS_RANGE;
    }
}

enum vtd_fr
oracle_decode(const struct oracle *oracle, uint32_t index,
              struct vtd_route *route, bool *fpd)
{
    uint64_t gpa = oracle->base + (uint64_t)index * 16;
    const uint8_t *byte;

    *fpd = false;
    memset(route, 0, sizeof(*route));
    if (index >= oracle->entries) {
        return VTD_FR_IR_INDEX_RANGE;
    }
    if (gpa > oracle->ram_size - 16) {
        return VTD_FR_IR_ROOT_ACCESS;
    }
    byte = &oracle->ram[gpa];
    *fpd = byte[0] & 2;
    if (!(byte[0] & 1)) {
        return VTD_FR_IR_NOT_PRESENT;
    }
    if ((byte[1] & 0xf0) || byte[3] || (byte[10] & 0xf0) || byte[11] ||
        byte[12] || byte[13] || byte[14] || byte[15] || byte[10] >= 12 ||
        byte[0] >> 5 == 3 || byte[0] >> 5 == 6) {
        return VTD_FR_IR_ENTRY_RSVD;
    }
    if (oracle->eime) {
        route->dest = (uint32_t)byte[4] | (uint32_t)byte[5] << 8 |
                      (uint32_t)byte[6] << 16 | (uint32_t)byte[7] << 24;
    } else if (byte[4] || byte[6] || byte[7]) {
        return VTD_FR_IR_ENTRY_RSVD;
    } else {
        route->dest = byte[5];
    }
    route->index = index;
    route->vector = byte[2];
    decode_source(byte, route);
    route->delivery_mode = byte[0] >> 5;
    if (route->delivery_mode == 0 && (byte[0] & 8)) {
        route->delivery_mode = 1;
    }
    route->present = true;
    route->logical = byte[0] & 4;
    route->level = byte[0] & 0x10;
    route->fpd = *fpd;
    return VTD_FR_OK;
}

bool
oracle_is_posted(const struct oracle *oracle, uint32_t index,
                 struct oracle_post *post, enum vtd_fr *fr)
{
    uint64_t gpa = oracle->base + (uint64_t)index * 16;
    const uint8_t *byte = &oracle->ram[gpa];

    memset(post, 0, sizeof(*post));
    if (!oracle->posts || index >= oracle->entries ||
        gpa > oracle->ram_size - 16 || !(byte[0] & 1) || !(byte[1] & 0x80)) {
        return false;
    }
    for (unsigned i = 8; i-- > 4;) {
        post->pid = post->pid << 8 | byte[8 + i];
    }
    for (unsigned i = 8; i-- > 4;) {
        post->pid = post->pid << 8 | byte[i];
    }
    /* Bits 37:32 of the entry, below the address, are reserved. */
    *fr = (byte[0] & 0xfc) || (byte[1] & 0x30) || byte[3] ||
                  (post->pid & 0x3f) || (byte[10] & 0xf0) || byte[11] ||
                  byte[10] >= 12 || post->pid >= oracle->top
              ? VTD_FR_IR_ENTRY_RSVD
              : VTD_FR_OK;
    post->vector = byte[2];
    post->urgent = byte[1] & 0x40;
    decode_source(byte, &post->source);
    return true;
}

enum vtd_fr
oracle_post(const struct oracle *oracle, const struct oracle_post *post,
            bool *notify)
{
    const uint8_t *pid = &oracle->ram[post->pid];

    *notify = false;
    if (post->pid > oracle->ram_size - 64) {
        return VTD_FR_IR_PD_ACCESS;
    }
    for (unsigned i = 40; i < 64; i++) {
        if (pid[i]) {
            return VTD_FR_IR_PD_RSVD;
        }
    }
    if ((pid[32] & 0xfc) || pid[33] || pid[35] ||
        (!oracle->eime && (pid[36] || pid[38] || pid[39]))) {
        return VTD_FR_IR_PD_RSVD;
    }
    *notify = !(pid[32] & 1) && (post->urgent || !(pid[32] & 2));
    return VTD_FR_OK;
}

bool
oracle_same_route(const struct vtd_route *a, const struct vtd_route *b)
{
    return a->index == b->index && a->dest == b->dest && a->sid == b->sid &&
           a->vector == b->vector && a->sid_check == b->sid_check &&
           a->delivery_mode == b->delivery_mode && a->present == b->present &&
           a->logical == b->logical && a->level == b->level && a->fpd == b->fpd;
}

bool
oracle_sid_passes(const struct vtd_route *route, uint16_t sid)
{
    switch (route->sid_check) {
    case VTD_SID_EXACT:
        return sid == route->sid;
    case VTD_SID_IGNORE_2:
        return (sid | 4) == (route->sid | 4);
    case VTD_SID_IGNORE_2_1:
        return (sid | 6) == (route->sid | 6);
    case VTD_SID_IGNORE_2_0:
        return (sid | 7) == (route->sid | 7);
    case VTD_SID_BUS_RANGE:
        return sid / 256 >= route->sid / 256 && sid / 256 <= route->sid % 256;
    default:
        return true;
    }
}
