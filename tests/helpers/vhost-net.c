/* SPDX-License-Identifier: MIT */
/*
 * vhost-net DOMID GUEST-MIB
 *
 * Give the transmit queue of a guest's network device to dom0's kernel
 * (/dev/vhost-net), behind the guest's vIOMMU: the ring and its buffers are at
 * IOVAs that the adapter of libviommu-client translates.  What the kernel sends
 * goes to the loopback interface, where it is listened for.
 *
 * Prints "ready" once the queue is served.  Ends with the guest, or by SIGTERM,
 * and tells what arrived: how many frames, whether their numbers were those
 * that follow each other, how many were forbidden, and what the adapter did.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/vhost.h>
#include <linux/virtio_config.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xenforeignmemory.h>

#include "client/viommu-vhost.h"
#include "tests/helpers/dmop-call.h"
#include "tests/helpers/vhost-net.h"

#define PAGE    4096u
#define MIB_MAX 1024u

/* Of the two queues of the device, the one that it sends from. */
#define TX 1u

/* The guest does not ring a bell: the device looks this often. */
#define KICK_MS 5

#define FEATURES                                 \
    (UINT64_C(1) << VHOST_NET_F_VIRTIO_NET_HDR | \
     UINT64_C(1) << VIRTIO_F_VERSION_1 |         \
     UINT64_C(1) << VIRTIO_F_ACCESS_PLATFORM)

struct card {
    struct viommu *viommu;
    struct viommu_device *device;
    struct viommu_vhost *vhost;
    int vhost_fd, kick, out, in, signals;
    unsigned frames, forbidden, out_of_order;
    uint32_t last; /* number of the last frame */
};

static void __attribute__((noreturn)) die(const char *what, int error)
{
    fprintf(stderr, "vhost-net: cannot %s: %s\n", what, viommu_strerror(error));
    exit(1);
}

static int
must(int result, const char *what)
{
    if (result < 0)
        die(what, -errno);
    return result;
}

static void
must_not(int error, const char *what)
{
    if (error)
        die(what, error);
}

/* --- the guest -------------------------------------------------------------- */

static int
invalidate(void *ctx, const struct viommu_invalidation *inv, uint32_t token)
{
    struct card *card = ctx;

    (void)token;
    return viommu_vhost_invalidate(card->vhost, inv);
}

static void
cut_off(void *ctx)
{
    const struct viommu_invalidation all = { .last = UINT64_MAX };
    struct card *card = ctx;

    (void)viommu_vhost_invalidate(card->vhost, &all);
}

static const struct viommu_device_ops ops = {
    .invalidate = invalidate,
    .cut_off = cut_off,
};

/* In one piece; where the guest has no memory there is none here. */
static void *
map_guest(uint32_t domid, size_t pages)
{
    xenforeignmemory_handle *fmem = xenforeignmemory_open(NULL, 0);
    xen_pfn_t *gfn = calloc(pages, sizeof(*gfn));
    int *error = calloc(pages, sizeof(*error));
    void *addr;

    if (!fmem || !gfn || !error)
        die("open the guest's memory", -errno);
    for (size_t i = 0; i < pages; i++)
        gfn[i] = i;
    addr = xenforeignmemory_map(fmem, domid, PROT_READ | PROT_WRITE, pages, gfn,
                                error);
    if (!addr)
        die("map the guest's memory", -errno);
    free(gfn);
    free(error);
    return addr; /* until the end */
}

/* --- the network ------------------------------------------------------------ */

static int
loopback_open(uint16_t protocol)
{
    struct sockaddr_ll addr = { .sll_family = AF_PACKET,
                                .sll_protocol = htons(protocol) };
    int fd = must(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(protocol)),
                  "open a packet socket");
    struct ifreq ifr = { .ifr_name = "lo" };

    must(ioctl(fd, SIOCGIFFLAGS, &ifr), "find the loopback interface");
    ifr.ifr_flags |= IFF_UP;
    must(ioctl(fd, SIOCSIFFLAGS, &ifr), "start the loopback interface");
    must(ioctl(fd, SIOCGIFINDEX, &ifr), "find the loopback interface");
    addr.sll_ifindex = ifr.ifr_ifindex;
    must(bind(fd, (struct sockaddr *)&addr, sizeof(addr)),
         "bind a packet socket");
    return fd;
}

static void
listen_once(struct card *card)
{
    struct vhost_frame frame;
    ssize_t n = recv(card->in, &frame, sizeof(frame), MSG_DONTWAIT);

    if (n != sizeof(frame))
        return;
    card->frames++;
    if (frame.number == VHOST_FORBIDDEN) {
        card->forbidden++;
        return;
    }
    card->out_of_order += frame.number != card->last + 1;
    card->last = frame.number;
}

/* --- the device ------------------------------------------------------------- */

static void
queue_set(const struct card *card, uint64_t ring)
{
    struct vhost_vring_state state = { .index = TX, .num = VHOST_RING_SIZE };
    struct vhost_vring_addr addr = {
        .index = TX,
        .desc_user_addr = ring,
        .avail_user_addr = ring + VHOST_RING_AVAIL,
        .used_user_addr = ring + VHOST_RING_USED,
    };
    struct vhost_vring_file kick = { .index = TX, .fd = card->kick };

    must(ioctl(card->vhost_fd, VHOST_SET_VRING_NUM, &state),
         "set the queue's size");
    state.num = 0;
    must(ioctl(card->vhost_fd, VHOST_SET_VRING_BASE, &state),
         "set where the queue begins");
    must(ioctl(card->vhost_fd, VHOST_SET_VRING_ADDR, &addr),
         "set the queue's address");
    must(ioctl(card->vhost_fd, VHOST_SET_VRING_KICK, &kick),
         "set the queue's bell");
}

static void
vhost_start(struct card *card, const struct viommu_vhost_region *memory)
{
    struct vhost_vring_file backend = { .index = TX, .fd = card->out };
    /* The kernel wants a table of guest memory, and looks nothing up in it. */
    struct vhost_memory none = { .nregions = 0 };
    uint64_t features;

    card->vhost_fd =
        must(open("/dev/vhost-net", O_RDWR | O_CLOEXEC), "open /dev/vhost-net");
    must(ioctl(card->vhost_fd, VHOST_SET_OWNER), "own the vhost device");
    must(ioctl(card->vhost_fd, VHOST_GET_FEATURES, &features),
         "ask for features");
    if (~features & FEATURES)
        die("have all features", -EOPNOTSUPP);
    features = FEATURES;
    must(ioctl(card->vhost_fd, VHOST_SET_FEATURES, &features), "set features");
    must(ioctl(card->vhost_fd, VHOST_SET_MEM_TABLE, &none),
         "set no memory table");
    must_not(viommu_vhost_create(card->device, card->vhost_fd, memory, 1,
                                 &card->vhost),
             "serve the vhost device");
    queue_set(card, VHOST_IOVA_RING);
    must_not(viommu_vhost_tell(card->vhost, VHOST_IOVA_RING,
                               VIOMMU_READ | VIOMMU_WRITE),
             "translate the ring");
    must(ioctl(card->vhost_fd, VHOST_NET_SET_BACKEND, &backend),
         "start the queue");
}

/* False once the guest, or who started us, wants no more. */
static bool
turn(struct card *card)
{
    struct pollfd fd[] = {
        { .fd = viommu_fd(card->viommu), .events = POLLIN },
        { .fd = card->vhost_fd, .events = POLLIN },
        { .fd = card->in, .events = POLLIN },
        { .fd = card->signals, .events = POLLIN },
    };

    must(poll(fd, 4, KICK_MS), "wait");
    if (fd[0].revents && viommu_dispatch(card->viommu))
        return false;
    if (fd[1].revents)
        must_not(viommu_vhost_dispatch(card->vhost), "answer the kernel");
    if (fd[2].revents)
        listen_once(card);
    must(eventfd_write(card->kick, 1), "ring the queue's bell");
    return !fd[3].revents;
}

static void
report(struct card *card)
{
    struct viommu_vhost_stats stats;

    viommu_vhost_stats(card->vhost, &stats);
    printf("frames %u last %" PRIu32 " out-of-order %u forbidden %u\n",
           card->frames, card->last, card->out_of_order, card->forbidden);
    printf("misses %" PRIu64 " updates %" PRIu64 " refused %" PRIu64
           " invalidations %" PRIu64 "\n",
           stats.misses, stats.updates, stats.refused, stats.invalidations);
}

int
main(int argc, char **argv)
{
    struct viommu_vhost_region memory = { .gpa = 0 };
    struct card card = { .kick = -1 };
    sigset_t stop;
    uint32_t domid;

    if (argc != 3) {
        fprintf(stderr, "usage: vhost-net DOMID GUEST-MIB\n");
        return 2;
    }
    domid = (uint32_t)arg_number("DOMID", argv[1], DOMID_LIMIT - 1);
    memory.size = arg_number("GUEST-MIB", argv[2], MIB_MAX) << 20;
    memory.addr = map_guest(domid, memory.size / PAGE);
    (void)sigemptyset(&stop);
    (void)sigaddset(&stop, SIGTERM);
    must(sigprocmask(SIG_BLOCK, &stop, NULL), "block SIGTERM");
    card.signals = must(signalfd(-1, &stop, SFD_CLOEXEC), "hear of SIGTERM");
    card.kick = must(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "make a bell");
    card.in = loopback_open(VHOST_ETHERTYPE);
    card.out = loopback_open(0);
    must_not(viommu_open(&card.viommu, (uint16_t)domid, NULL), "find viommud");
    must_not(viommu_device_attach(card.viommu, VHOST_SID, VIOMMU_DEVICE_NOTIFY,
                                  &ops, &card, &card.device),
             "attach the device");
    vhost_start(&card, &memory);
    puts("ready");
    (void)fflush(stdout);
    while (turn(&card))
        ;
    report(&card);
    viommu_vhost_destroy(card.vhost);
    viommu_close(card.viommu);
    return 0;
}
