/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>

#include "client/internal.h"

/* What errors of this library mean that the C library's words do not say. */
static const struct {
    int error;
    const char *text;
} meaning[] = {
    { EACCES, "not allowed to speak for the device" },
    { EBUSY, "another client speaks for the device" },
    { EFAULT, "the guest has no memory there" },
    { ENODEV, "no unit translates the device" },
    { EOPNOTSUPP, "the unit lacks what the device asks for" },
    { EPROTO, "the daemon is of another version" },
    { ESHUTDOWN, "cut off from the daemon" },
};

static const char *
reason(int result)
{
    if (result == VTD_FR_BLOCKED) {
        return "refused without a fault";
    }
    return result > UINT8_MAX ? "unknown fault reason"
                              : vtd_fault_name((uint8_t)result);
}

const char *
viommu_strerror(int result)
{
    const char *text;

    if (result > 0) {
        return reason(result);
    }
    for (unsigned i = 0; i < sizeof(meaning) / sizeof(meaning[0]); i++) {
        if (meaning[i].error == -result) {
            return meaning[i].text;
        }
    }
    /* Not strerror(), whose answer may be another thread's. */
    text = strerrordesc_np(-result);
    return text ? text : "unknown error";
}
