/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/* What the specification says of each fault reason. */
#include "daemon/vtd/walk.h"

static const struct {
    const char *text; /* NULL: no reason */
    bool qualified;
    uint8_t ats; /* enum vtd_ats_answer */
} reasons[UINT8_MAX + 1] = {
#define REASON(name, qualified, ats, text) \
    [VTD_FR_##name] = { (text), (qualified), VTD_ATS_##ats },
#include "daemon/vtd/reasons.def"
#undef REASON
};

bool
vtd_fault_is_qualified(enum vtd_fr reason)
{
    return reasons[(uint8_t)reason].qualified;
}

enum vtd_ats_answer
vtd_fault_ats(enum vtd_fr reason)
{
    return (enum vtd_ats_answer)reasons[(uint8_t)reason].ats;
}

const char *
vtd_fault_name(uint8_t reason)
{
    const char *text = reasons[reason].text;

    return text ? text : "unknown fault reason";
}
