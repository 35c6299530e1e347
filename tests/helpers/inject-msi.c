/* SPDX-License-Identifier: MIT */
/*
 * inject-msi DOMID ADDR DATA [SID]
 *
 * Send an MSI into a guest as its device model does.  With SID it names its
 * source, which stock QEMU cannot.
 */
#include "daemon/xen/dmop-abi.h"
#include "tests/helpers/dmop-call.h"

#define XEN_DMOP_inject_msi 14

/* struct xen_dm_op_inject_msi, with the source id in its former padding. */
struct inject_msi {
    struct dmop_head head;
    uint32_t data;
    uint32_t source;
    uint64_t addr;
};

int
main(int argc, char **argv)
{
    struct inject_msi msi = { .head = { .op = XEN_DMOP_inject_msi } };
    unsigned domid;
    int rc;

    if (argc < 4 || argc > 5) {
        fprintf(stderr, "usage: inject-msi DOMID ADDR DATA [SID]\n");
        return 2;
    }
    domid = (unsigned)arg_number("DOMID", argv[1], DOMID_LIMIT - 1);
    msi.addr = arg_number("ADDR", argv[2], UINT64_MAX);
    msi.data = (uint32_t)arg_number("DATA", argv[3], UINT32_MAX);
    if (argc == 5)
        msi.source = XEN_DMOP_MSI_SID_VALID |
                     (uint32_t)arg_number("SID", argv[4], UINT16_MAX);

    rc = dmop_call(domid, &msi, sizeof(msi));
    if (rc) {
        fprintf(stderr, "cannot inject the MSI into domain %u: %s\n", domid,
                strerror(-rc));
        return 1;
    }
    return 0;
}
