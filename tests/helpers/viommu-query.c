/* SPDX-License-Identifier: MIT */
/*
 * viommu-query DOMID
 *
 * Print what Xen says of a guest's vIOMMU, one "name value" a line.
 */
#include <inttypes.h>

#include "daemon/xen/dmop-abi.h"
#include "tests/helpers/dmop-call.h"

struct query {
    struct dmop_head head;
    struct xen_dm_op_viommu_query u;
};

static void
print(const struct xen_dm_op_viommu_query *q)
{
    printf("version %" PRIu32 "\n", q->version);
    printf("features 0x%" PRIx32 "\n", q->features);
    printf("ir-max-entries %" PRIu32 "\n", q->ir_max_entries);
    printf("max-apic-id %" PRIu32 "\n", q->max_apic_id);
    if (q->owner == XEN_DMOP_VIOMMU_OWNER_NONE)
        printf("owner none\n");
    else
        printf("owner %" PRIu16 "\n", q->owner);
    printf("ir-flags 0x%" PRIx16 "\n", q->ir_flags);
    printf("ir-entries %" PRIu32 "\n", q->ir_entries);
    printf("remapped %" PRIu64 "\n", q->remapped);
    printf("events %" PRIu64 "\n", q->events);
    printf("lost %" PRIu64 "\n", q->lost);
    printf("requests %" PRIu64 "\n", q->requests);
}

int
main(int argc, char **argv)
{
    struct query query = { .head = { .op = XEN_DMOP_viommu_query } };
    unsigned domid;
    int rc;

    if (argc != 2) {
        fprintf(stderr, "usage: viommu-query DOMID\n");
        return 2;
    }
    domid = (unsigned)arg_number("DOMID", argv[1], DOMID_LIMIT - 1);
    rc = dmop_call(domid, &query, sizeof(query));
    if (rc) {
        fprintf(stderr, "cannot query the vIOMMU of domain %u: %s\n", domid,
                strerror(-rc));
        return 1;
    }
    print(&query.u);
    return 0;
}
