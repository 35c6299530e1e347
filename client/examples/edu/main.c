/* SPDX-License-Identifier: MIT */
/*
 * viommu-edu: QEMU's edu device as a process of its own, with DMA and MSIs
 * through the guest's vIOMMU.  An example of how an emulator does that:
 *
 *   bus.c     DMA and interrupts by way of libviommu-client
 *   edu*.c    the device, which knows nothing of that
 *   pci.c     its configuration space
 *   xen.c     an ioreq server; request.c, memory.c what its requests need
 *   main.c    options, the order of starting and ending, the loop
 *
 * It gives up what it need not have of Xen, and stops there.  An emulator for
 * guests that are not trusted goes on, before it enables its server: a user of
 * its own, no new privileges, an empty root and network name space, limits, a
 * seccomp filter of the calls below; and it checks that each of these took.
 */
#include <argp.h>
#include <ctype.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/examples/edu/bus.h"
#include "client/examples/edu/edu-regs.h"
#include "client/examples/edu/edu.h"
#include "client/examples/edu/pci.h"
#include "client/examples/edu/xen.h"

#define ALIVE_MS     1000 /* how often to look for the domain */
#define MSI_RETRY_MS 5

struct options {
    uint16_t domid;
    uint16_t sid;
    unsigned dma_bits;
    const char *path;
    bool extended;
    bool intx;
    bool direct;
    uint64_t ecam;
};

/* --- options -------------------------------------------------------------- */

enum key {
    KEY_DEVICE = 'd',
    KEY_SOCKET = 's',
    KEY_MASK = 'm',
    KEY_EXTENDED = 'e',
    KEY_ECAM = 'c',
    KEY_NO_INTX = 256,
    KEY_DIRECT,
};

static const struct argp_option option_list[] = {
    { .name = "device",
      .key = KEY_DEVICE,
      .arg = "BB:DD.F",
      .doc = "Its address in the guest (default 00:05.0)" },
    { .name = "dma-mask",
      .key = KEY_MASK,
      .arg = "BITS",
      .doc = "Addresses that its DMA can have (default 28)" },
    { .name = "socket",
      .key = KEY_SOCKET,
      .arg = "PATH",
      .doc = "Of viommud (default /run/viommud/DOMID/dma)" },
    { .name = "extended",
      .key = KEY_EXTENDED,
      .doc = "With PASIDs, a device TLB and page requests" },
    { .name = "ecam",
      .key = KEY_ECAM,
      .arg = "ADDRESS",
      .doc = "Also answer in a memory-mapped configuration space there" },
    { .name = "no-intx",
      .key = KEY_NO_INTX,
      .doc = "Without an interrupt pin, for a guest without an IOAPIC" },
    { .name = "without-viommu",
      .key = KEY_DIRECT,
      .doc = "DMA and MSIs straight to the guest" },
    { 0 },
};

static uint64_t
number(const char *text, uint64_t max, struct argp_state *state)
{
    char *end;
    uint64_t val;

    errno = 0;
    val = strtoull(text, &end, 0);
    if (errno || end == text || *end || *text == '-' || val > max) {
        argp_error(state, "not a number up to %#llx: %s",
                   (unsigned long long)max, text);
    }
    return val;
}

/* A hexadecimal number up to @max with @end behind it, both taken from @text. */
static bool
part(const char **text, unsigned long max, char end, unsigned long *val)
{
    char *rest;

    if (!isxdigit((unsigned char)**text)) {
        return false;
    }
    errno = 0;
    *val = strtoul(*text, &rest, 16);
    *text = rest + 1;
    return !errno && *val <= max && *rest == end;
}

static uint16_t
address(const char *text, struct argp_state *state)
{
    const char *at = text;
    unsigned long bus = 0;
    unsigned long device = 0;
    unsigned long function = 0;

    if (!part(&at, 0xff, ':', &bus) || !part(&at, 0x1f, '.', &device) ||
        !part(&at, 7, '\0', &function)) {
        argp_error(state, "not an address like 00:05.0: %s", text);
    }
    return (uint16_t)(bus << 8 | device << 3 | function);
}

static error_t
option(int key, char *arg, struct argp_state *state)
{
    struct options *options = state->input;

    switch (key) {
    case KEY_DEVICE:
        options->sid = address(arg, state);
        break;
    case KEY_MASK:
        options->dma_bits = (unsigned)number(arg, 64, state);
        if (!options->dma_bits) {
            argp_error(state, "an address has bits");
        }
        break;
    case KEY_SOCKET:
        options->path = arg;
        break;
    case KEY_EXTENDED:
        options->extended = true;
        break;
    case KEY_ECAM:
        options->ecam = number(arg, (uint64_t)1 << 52, state);
        if (options->ecam % PCI_CONFIG_SIZE) {
            argp_error(state, "not at a page: %s", arg);
        }
        break;
    case KEY_NO_INTX:
        options->intx = false;
        break;
    case KEY_DIRECT:
        options->direct = true;
        break;
    case ARGP_KEY_ARG:
        if (state->arg_num > 0) {
            argp_usage(state);
        }
        options->domid = (uint16_t)number(arg, 0x7fef, state);
        break;
    case ARGP_KEY_NO_ARGS:
        argp_usage(state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static const struct argp argp = {
    .options = option_list,
    .parser = option,
    .args_doc = "DOMID",
    .doc = "Give a Xen guest QEMU's edu device, with DMA through its vIOMMU.",
};

/* --- the parts ------------------------------------------------------------ */

struct emulator {
    struct xen xen;
    struct bus bus;
    struct edu *edu;
    int signals;
};

static uint64_t
bar_read(void *ctx, uint64_t off, unsigned size)
{
    const struct emulator *emu = ctx;

    return edu_read(emu->edu, off, size);
}

static void
bar_write(void *ctx, uint64_t off, unsigned size, uint64_t val)
{
    const struct emulator *emu = ctx;

    edu_write(emu->edu, off, size, val);
}

static uint64_t
config_read(void *ctx, uint64_t off, unsigned size)
{
    const struct emulator *emu = ctx;

    return edu_config_read(emu->edu, off, size);
}

/* Where the guest puts the BAR so that it cannot be, it is not. */
static void
config_write(void *ctx, uint64_t off, unsigned size, uint64_t val)
{
    struct emulator *emu = ctx;
    uint64_t bar;

    edu_config_write(emu->edu, off, size, val);
    bar = edu_bar(emu->edu);
    if (bar != emu->xen.range[XEN_RANGE_BAR].base) {
        (void)xen_range_set(&emu->xen, XEN_RANGE_BAR, bar,
                            bar ? EDU_BAR_SIZE : 0);
    }
}

static void
memory_is_other(void *ctx)
{
    struct emulator *emu = ctx;

    bus_memory_forget(&emu->bus);
}

static const struct xen_device_ops device_ops = {
    .bar_read = bar_read,
    .bar_write = bar_write,
    .config_read = config_read,
    .config_write = config_write,
    .memory_forget = memory_is_other,
};

/* --- start ---------------------------------------------------------------- */

/* Before any thread is there, so that none takes them. */
static int
signals_open(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL)) {
        return -1;
    }
    return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

static int
ecam_start(struct emulator *emu, uint64_t ecam)
{
    int rc = xen_range_set(&emu->xen, XEN_RANGE_ECAM,
                           ecam + (uint64_t)emu->xen.sid * PCI_CONFIG_SIZE,
                           PCI_CONFIG_SIZE);

    if (rc) {
        warnx("cannot answer at %#llx: %s", (unsigned long long)ecam,
              strerror(-rc));
    }
    return rc;
}

static int
device_start(struct emulator *emu, const struct options *options)
{
    /* Xen has interrupt pins of bus 0 only. */
    bool intx = options->intx && !(options->sid >> 8);
    const struct edu_options edu = {
        .dma_bits = options->dma_bits,
        .extended = options->extended,
        .with = (intx ? PCI_WITH_INTX : 0) | bus_capabilities(&emu->bus),
    };

    emu->edu = edu_create(&edu, bus_ops(&emu->bus), &emu->bus);
    emu->bus.edu = emu->edu;
    if (!emu->edu) {
        warn("cannot start the device");
        return -errno;
    }
    return 0;
}

/* All that needs privileges first; nothing of the guest's is read before. */
static int
start(struct emulator *emu, const struct options *options)
{
    const struct viommu_options viommu = {
        .size = sizeof(viommu),
        .path = options->path,
    };
    int rc;

    emu->signals = signals_open();
    if (emu->signals < 0) {
        warn("cannot wait for signals");
        return -errno;
    }
    rc = xen_open(&emu->xen, options->domid, options->sid);
    if (!rc && options->direct) {
        bus_open_direct(&emu->bus, &emu->xen);
    } else if (!rc) {
        rc = bus_open(&emu->bus, &emu->xen, &viommu, options->extended);
    }
    if (!rc) {
        rc = xen_restrict(&emu->xen);
    }
    if (!rc) {
        rc = device_start(emu, options);
    }
    if (!rc) {
        rc = xen_server_create(&emu->xen, &device_ops, emu);
    }
    if (!rc && options->ecam) {
        rc = ecam_start(emu, options->ecam);
    }
    return rc ? rc : xen_server_enable(&emu->xen);
}

/* As sd_notify(3) describes; without it nobody waits for that. */
static void
notify_ready(void)
{
    static const char ready[] = "READY=1";
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    int fd;

    (void)puts("ready");
    (void)fflush(stdout);
    if (!path || strlen(path) >= sizeof(addr.sun_path)) {
        return;
    }
    memcpy(addr.sun_path, path, strlen(path));
    if (*path == '@') {
        addr.sun_path[0] = '\0'; /* Linux's abstract name space */
    }
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || sendto(fd, ready, sizeof(ready) - 1, MSG_NOSIGNAL,
                         (struct sockaddr *)&addr,
                         (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
                                     strlen(path))) < 0) {
        warn("cannot notify %s", path);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/* --- run ------------------------------------------------------------------ */

/* Until a signal comes, or the domain goes. */
static void
run(struct emulator *emu)
{
    struct pollfd fds[] = {
        { .fd = xen_fd(&emu->xen), .events = POLLIN },
        { .fd = bus_fd(&emu->bus), .events = POLLIN },
        { .fd = emu->signals, .events = POLLIN },
    };
    bool pending = false;

    while (!fds[2].revents) {
        int n = poll(fds, 3, pending ? MSI_RETRY_MS : ALIVE_MS);

        if (n < 0 && errno != EINTR) {
            warn("cannot poll");
            return;
        }
        if (n == 0 && !xen_is_alive(&emu->xen)) {
            warnx("the domain is gone");
            return;
        }
        if (fds[0].revents) {
            xen_serve(&emu->xen);
        }
        if (fds[1].revents && !bus_dispatch(&emu->bus)) {
            fds[1].fd = -1; /* poll() passes over it */
        }
        pending = edu_msi_retry(emu->edu);
    }
}

/*
 * The ioreq server goes first: a vCPU that waits for it goes on.  Threads are
 * joined before what they use is closed.
 */
static void
stop(struct emulator *emu)
{
    xen_server_destroy(&emu->xen);
    edu_destroy(emu->edu);
    bus_close(&emu->bus);
    xen_close(&emu->xen);
}

int
main(int argc, char **argv)
{
    struct options options = {
        .sid = 5 << 3,
        .dma_bits = 28,
        .intx = true,
    };
    struct emulator emu = { .signals = -1 };
    int rc;

    argp_parse(&argp, argc, argv, 0, NULL, &options);
    rc = start(&emu, &options);
    if (!rc) {
        notify_ready();
        run(&emu);
    }
    stop(&emu);
    return rc ? EXIT_FAILURE : EXIT_SUCCESS;
}
