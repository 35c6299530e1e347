/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/internal.h"

/* How long the daemon may take to accept, and to answer. */
#define OPEN_MS 1000

/* --- the socket ------------------------------------------------------------- */

static int
connect_socket(uint16_t domid, const char *path)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct timeval most = { .tv_sec = OPEN_MS / 1000 };
    int len = path ? snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path)
                   : snprintf(addr.sun_path, sizeof(addr.sun_path),
                              "/run/viommud/%u/dma", (unsigned)domid);
    int fd, rc;

    if (len < 0 || (size_t)len >= sizeof(addr.sun_path)) {
        return -ENAMETOOLONG;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -errno;
    }
    /* It is what bounds connect(). */
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &most, sizeof(most));
    if (connect(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0) {
        rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
        (void)close(fd);
        return rc;
    }
    return fd;
}

static int
receive_welcome(int fd, struct viommu_msg *msg, int fds[2])
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control;
    struct iovec iov = { .iov_base = msg, .iov_len = sizeof(*msg) };
    struct msghdr hdr = { .msg_iov = &iov,
                          .msg_iovlen = 1,
                          .msg_control = &control,
                          .msg_controllen = sizeof(control) };
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
    const struct cmsghdr *cmsg;
    ssize_t size;
    int rc = poll(&poll_fd, 1, OPEN_MS);

    if (rc <= 0) {
        return rc == 0 ? -ETIMEDOUT : -errno;
    }
    size = recvmsg(fd, &hdr, MSG_DONTWAIT | MSG_TRUNC | MSG_CMSG_CLOEXEC);
    rc = viommu_msg_check(msg, size);
    cmsg = size < 0 ? NULL : CMSG_FIRSTHDR(&hdr);
    if (cmsg && cmsg->cmsg_level == SOL_SOCKET &&
        cmsg->cmsg_type == SCM_RIGHTS) {
        size_t len = cmsg->cmsg_len - CMSG_LEN(0);

        memcpy(fds, CMSG_DATA(cmsg),
               len < 2 * sizeof(int) ? len : 2 * sizeof(int));
    }
    return rc == -ESHUTDOWN ? -EPROTO : rc;
}

/* 0, and *@msg is the WELCOME; or why there is none, or no good one. */
static int
greet(int fd, struct viommu_msg *msg, int fds[2])
{
    int rc;

    *msg = (struct viommu_msg){
        .header = { .type = VIOMMU_MSG_HELLO },
        .hello = { .version = VIOMMU_PROTO_VERSION,
                   .flags = VIOMMU_HELLO_WALK,
                   .view_size = sizeof(struct vtd_view) },
    };
    rc = viommu_msg_send(fd, msg);
    if (rc == 0) {
        rc = receive_welcome(fd, msg, fds);
    }
    if (rc) {
        return rc == -ESHUTDOWN ? -EPROTO : rc;
    }
    if (msg->header.type == VIOMMU_MSG_CUT_OFF) {
        return msg->cut_off.status < 0 ? msg->cut_off.status : -EPROTO;
    }
    if (msg->header.type != VIOMMU_MSG_WELCOME) {
        return -EPROTO;
    }
    if (msg->welcome.status) {
        return msg->welcome.status < 0 ? msg->welcome.status : -EPROTO;
    }
    return msg->welcome.version == VIOMMU_PROTO_VERSION ? 0 : -EPROTO;
}

/* --- what we share ---------------------------------------------------------- */

/*
 * Map @size bytes of @fd, which must be there, and stay: an access to what is
 * not would kill us.
 */
static int
map_shared(int fd, uint64_t size, int prot, void **addr)
{
    struct stat st;
    int seals = fcntl(fd, F_GET_SEALS);

    if (fd < 0 || seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &st) ||
        size == 0 || (uint64_t)st.st_size < size) {
        return -EPROTO;
    }
    *addr = mmap(NULL, size, prot, MAP_SHARED, fd, 0);
    if (*addr == MAP_FAILED) {
        *addr = NULL;
        return -errno;
    }
    return 0;
}

/* The daemon's own numbers are looked at once, here. */
static int
accept_shm(struct viommu *viommu, const struct viommu_msg_welcome *welcome)
{
    const struct viommu_shm *shm = viommu->shm;

    if (viommu->shm_size < sizeof(*shm) ||
        viommu->cells_size < sizeof(struct viommu_cells) ||
        shm->magic != VIOMMU_SHM_MAGIC ||
        shm->version != VIOMMU_PROTO_VERSION ||
        shm->view_size != sizeof(struct vtd_view) || welcome->units == 0 ||
        welcome->units > VIOMMU_SHM_UNITS_MAX) {
        return -EPROTO;
    }
    viommu->units = welcome->units;
    for (unsigned i = 0; i < viommu->units; i++) {
        uint64_t off = shm->view_offset[i];

        if (off % 64 || off > viommu->shm_size ||
            viommu->shm_size - off < sizeof(struct vtd_view)) {
            return -EPROTO;
        }
        viommu->view[i] = (const void *)((const char *)shm + off);
    }
    return 0;
}

static int
share(struct viommu *viommu, const struct viommu_msg_welcome *welcome,
      const int fds[2])
{
    void *shm = NULL;
    void *cells = NULL;
    int rc = map_shared(fds[0], welcome->shm_size, PROT_READ, &shm);

    if (rc == 0) {
        viommu->shm_memory = shm;
        viommu->shm = shm;
        viommu->shm_size = welcome->shm_size;
        rc = map_shared(fds[1], welcome->cells_size, PROT_READ | PROT_WRITE,
                        &cells);
    }
    if (rc == 0) {
        viommu->cells = cells;
        viommu->cells_size = welcome->cells_size;
        rc = accept_shm(viommu, welcome);
    }
    viommu->id = welcome->client;
    return rc;
}

static int
greet_and_share(struct viommu *viommu)
{
    struct viommu_msg msg;
    int fds[2] = { -1, -1 };
    int rc = greet(viommu->fd, &msg, fds);

    if (rc == 0) {
        rc = share(viommu, &msg.welcome, fds);
    }
    for (unsigned i = 0; i < 2; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
    return rc;
}

/* --- life ------------------------------------------------------------------- */

static int
open_events(struct viommu *viommu)
{
    struct epoll_event event = { .events = EPOLLIN };

    viommu->epoll = epoll_create1(EPOLL_CLOEXEC);
    viommu->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    viommu->reply = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (viommu->epoll < 0 || viommu->wake < 0 || viommu->reply < 0 ||
        epoll_ctl(viommu->epoll, EPOLL_CTL_ADD, viommu->wake, &event) ||
        epoll_ctl(viommu->epoll, EPOLL_CTL_ADD, viommu->fd, &event)) {
        return -errno;
    }
    viommu->events = event.events;
    return 0;
}

/* The widest unit's; addresses beyond it are faults. */
static int
open_memory(struct viommu *viommu, const struct viommu_options *options)
{
    unsigned bits = 0;
    int rc = 0;

    for (unsigned i = 0; i < viommu->units; i++) {
        unsigned haw = viommu->view[i]->config.haw;

        if (haw > 52) {
            return -EPROTO;
        }
        bits = haw > bits ? haw : bits;
    }
    if (bits < 32) {
        return -EPROTO;
    }
    if (options->memory) {
        viommu->memory.ops = options->memory;
        viommu->memory.ctx = options->memory_ctx;
    } else {
        rc = viommu_memory_xen_open(options->fmem, viommu->domid,
                                    &viommu->memory.ops, &viommu->memory.ctx);
        if (rc) {
            return rc;
        }
        viommu->xen = viommu->memory.ctx;
    }
    return viommu_memory_open(&viommu->memory, bits);
}

/*
 * A program may be older than the library, and its options shorter; or newer,
 * and then it must not ask for what is not known here.
 */
static int
read_options(struct viommu_options *options, const struct viommu_options *from)
{
    *options = (struct viommu_options){ .size = sizeof(*options) };
    if (!from) {
        return 0;
    }
    for (size_t i = sizeof(*options); i < from->size; i++) {
        if (((const char *)from)[i]) {
            return -EINVAL;
        }
    }
    memcpy(options, from,
           from->size < sizeof(*options) ? from->size : sizeof(*options));
    return 0;
}

int
viommu_open(struct viommu **viommu, uint16_t domid,
            const struct viommu_options *options)
{
    struct viommu_options opts;
    struct viommu *new;
    int rc = read_options(&opts, options);

    if (rc) {
        return rc;
    }
    new = calloc(1, sizeof(*new));
    if (!new) {
        return -ENOMEM;
    }
    new->domid = domid;
    new->epoll = new->wake = new->reply = -1;
    viommu_acks_init(&new->acks);
    (void)pthread_mutex_init(&new->call, NULL);
    (void)pthread_mutex_init(&new->dispatch, NULL);
    (void)pthread_mutex_init(&new->lists, NULL);
    (void)pthread_mutex_init(&new->lock, NULL);
    new->fd = connect_socket(domid, opts.path);
    rc = new->fd < 0 ? new->fd : 0;
    rc = rc ? rc : greet_and_share(new);
    rc = rc ? rc : open_events(new);
    rc = rc ? rc : open_memory(new, &opts);
    if (rc) {
        viommu_close(new);
        return rc;
    }
    *viommu = new;
    return 0;
}

static void
close_fds(const struct viommu *viommu)
{
    const int fds[] = { viommu->fd, viommu->epoll, viommu->wake,
                        viommu->reply };

    for (unsigned i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

void
viommu_close(struct viommu *viommu)
{
    if (!viommu) {
        return;
    }
    for (unsigned i = 0; i < VIOMMU_CELLS_MAX; i++) {
        viommu_thread_destroy(viommu->thread[i]);
    }
    for (unsigned i = 0; i < VIOMMU_SHM_DEVICES_MAX; i++) {
        free(viommu->device[i]); /* the daemon sees that we go */
    }
    close_fds(viommu);
    viommu_memory_close(&viommu->memory);
    viommu_memory_xen_close(viommu->xen);
    if (viommu->shm) {
        (void)munmap(viommu->shm_memory, viommu->shm_size);
    }
    if (viommu->cells) {
        (void)munmap(viommu->cells, viommu->cells_size);
    }
    (void)pthread_mutex_destroy(&viommu->call);
    (void)pthread_mutex_destroy(&viommu->dispatch);
    (void)pthread_mutex_destroy(&viommu->lists);
    (void)pthread_mutex_destroy(&viommu->lock);
    free(viommu);
}

int
viommu_fd(const struct viommu *viommu)
{
    return viommu->epoll;
}
