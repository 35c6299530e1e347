/* SPDX-License-Identifier: MIT */
/*
 * trace-dma DOMID TRACE RTADDR SID ACCESS IOVA [POINTERS]
 *
 * Ask a unit like the one of TRACE, whose driver has latched RTADDR, for a
 * translation of SID's ("r" or "w") while the guest stands still, and print
 * that and the memory that it took as steps of a trace: tests/replay/README.md.
 * With POINTERS, ask as well for so many addresses to be written to, which the
 * memory at IOVA holds in every second quadword: buffers of a descriptor ring.
 *
 * The guest's memory is only read.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xenforeignmemory.h>

#include "daemon/record.h"
#include "daemon/vtd/spec-regs.h"
#include "daemon/xen/gmem.h"
#include "tests/helpers/dmop-call.h"
#include "tests/support/silent.h"

/* The reads of one walk, and of a nested one. */
#define READS_MAX 65536u

struct guest {
    struct gmem gmem;
    struct vtd *vtd;
    uint16_t sid;
    size_t len;
    char reads[READS_MAX];
};

static void __attribute__((format(printf, 2, 3)))
add(struct guest *guest, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(guest->reads + guest->len, READS_MAX - guest->len, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= READS_MAX - guest->len) {
        fprintf(stderr, "cannot keep so many reads of one translation\n");
        exit(1);
    }
    guest->len += (size_t)n;
}

static int
mem_read(void *ctx, uint64_t gpa, void *buf, size_t len)
{
    struct guest *guest = ctx;
    int rc = gmem_read(&guest->gmem, gpa, buf, len);

    if (rc) {
        add(guest, " <! %" PRIx64 " %zx\n", gpa, len);
        return rc;
    }

    add(guest, " < %" PRIx64 " ", gpa);
    for (size_t i = 0; i < len; i++)
        add(guest, "%02x", ((const uint8_t *)buf)[i]);
    add(guest, "\n");
    return 0;
}

/* The walk goes on as if it had set the bit. */
static int
mem_cmpxchg(void *ctx, uint64_t gpa, uint64_t expected, uint64_t desired)
{
    (void)ctx;
    (void)gpa;
    (void)expected;
    (void)desired;
    return 0;
}

/* A unit that only translates writes nothing. */
static int
mem_write(void *ctx, uint64_t gpa, const void *buf, size_t len)
{
    (void)ctx;
    (void)gpa;
    (void)buf;
    (void)len;
    return -EFAULT;
}

static const struct vtd_ops ops = {
    .mem_read = mem_read,
    .mem_write = mem_write,
    .mem_cmpxchg = mem_cmpxchg,
    /* Its faults are no news to anybody. */
    SILENT_OPS,
};

/* As the trace has it, but for what is not translation. */
static void
config_read(const char *path, struct vtd_config *config)
{
    FILE *file = fopen(path, "re");
    char line[1024];

    if (!file || !fgets(line, sizeof(line), file) ||
        !record_config_parse(line, config)) {
        fprintf(stderr, "cannot read a configuration from %s\n", path);
        exit(1);
    }
    (void)fclose(file);
    config->ir = false;
    config->eim = false;
    config->esirtps = false;
    config->pi = false;
    config->prs = false;
    config->pds = false;
}

static void
unit_start(struct guest *guest, const char *path, uint64_t rtaddr)
{
    struct vtd_config config;

    config_read(path, &config);
    guest->vtd = vtd_create(&config, &ops, guest);
    if (!guest->vtd) {
        fprintf(stderr, "cannot create the unit: %s\n", strerror(errno));
        exit(1);
    }
    vtd_mmio_write(guest->vtd, VTD_OFF_RTADDR, 8, rtaddr);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, VTD_GCMD_SRTP);
    vtd_mmio_write(guest->vtd, VTD_OFF_GCMD, 4, VTD_GCMD_TE);
    if (!(vtd_mmio_read(guest->vtd, VTD_OFF_GSTS, 4) & VTD_GSTS_TES)) {
        fprintf(stderr, "cannot have the unit translate\n");
        exit(1);
    }
}

/* Each answer is of a walk: what was translated before is forgotten. */
static enum vtd_fr
translate(struct guest *guest, uint64_t iova, uint8_t access,
          struct vtd_dma_resp *resp)
{
    const struct vtd_dma_req req = {
        .iova = iova,
        .pasid = VTD_NO_PASID,
        .sid = guest->sid,
        .access = access,
    };
    enum vtd_fr fr;

    *resp = (struct vtd_dma_resp){ .gpa = 0 };
    guest->len = 0;
    fr = vtd_dma_translate(guest->vtd, &req, resp);
    if (fr != VTD_FR_OK)
        *resp = (struct vtd_dma_resp){ .gpa = 0 };
    printf("dma %x - %" PRIx64 " %x %x %" PRIx64 " %x %x\n%.*s", guest->sid,
           iova, access, (unsigned)fr, resp->gpa, resp->shift, resp->access,
           (int)guest->len, guest->reads);
    return fr;
}

/* Translate what a ring points to; the ring is as the device would read it. */
static void
follow(struct guest *guest, uint64_t gpa, unsigned pointers)
{
    struct vtd_dma_resp resp;
    uint64_t iova;

    for (unsigned i = 0; i < pointers; i++) {
        if (gmem_read(&guest->gmem, gpa + i * UINT64_C(16), &iova,
                      sizeof(iova))) {
            fprintf(stderr, "cannot read the ring at %" PRIx64 "\n", gpa);
            exit(1);
        }
        (void)translate(guest, iova, VTD_DMA_WRITE, &resp);
    }
}

int
main(int argc, char **argv)
{
    static struct guest guest;
    xenforeignmemory_handle *fmem;
    struct vtd_dma_resp resp;
    uint64_t iova;
    uint8_t access;

    if (argc < 7 || argc > 8 || !strchr("rw", argv[5][0])) {
        fprintf(stderr, "usage: trace-dma DOMID TRACE RTADDR SID r|w IOVA "
                        "[POINTERS]\n");
        return 2;
    }
    fmem = xenforeignmemory_open(NULL, 0);
    if (!fmem) {
        fprintf(stderr, "cannot open the guest's memory: %s\n",
                strerror(errno));
        return 1;
    }
    gmem_open(&guest.gmem, fmem,
              (uint16_t)arg_number("DOMID", argv[1], DOMID_LIMIT - 1));
    unit_start(&guest, argv[2], arg_number("RTADDR", argv[3], UINT64_MAX));
    guest.sid = (uint16_t)arg_number("SID", argv[4], UINT16_MAX);
    access = argv[5][0] == 'r' ? VTD_DMA_READ : VTD_DMA_WRITE;
    iova = arg_number("IOVA", argv[6], UINT64_MAX);

    if (translate(&guest, iova, access, &resp) == VTD_FR_OK && argc == 8)
        follow(&guest, resp.gpa,
               (unsigned)arg_number("POINTERS", argv[7], 256));
    return 0;
}
