/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "client/internal.h"
#include "client/viommu-vhost.h"

#define PAGE UINT64_C(4096)

/* Messages that one viommu_vhost_dispatch() answers. */
#define BUDGET 64u

#define FEATURE(n) (UINT64_C(1) << (n))
#define FEATURES                             \
    (FEATURE(VHOST_BACKEND_F_IOTLB_MSG_V2) | \
     FEATURE(VHOST_BACKEND_F_IOTLB_BATCH))

/* The two formats differ in the message's type alone. */
_Static_assert(sizeof(struct vhost_msg) == sizeof(struct vhost_msg_v2) &&
                   offsetof(struct vhost_msg, iotlb) ==
                       offsetof(struct vhost_msg_v2, iotlb),
               "formats of IOTLB messages");

/* What may happen is encoded alike. */
_Static_assert(VHOST_ACCESS_RO == VIOMMU_READ &&
                   VHOST_ACCESS_WO == VIOMMU_WRITE &&
                   VHOST_ACCESS_RW == (VIOMMU_READ | VIOMMU_WRITE),
               "accesses");

struct viommu_vhost {
    /*
     * Held while something is translated and told, and while something is
     * taken back: what is told after that is of the guest's new tables.
     */
    pthread_mutex_t lock;
    struct viommu_device *device;
    struct viommu_thread *thread;
    int fd;
    uint32_t format; /* VHOST_IOTLB_MSG or VHOST_IOTLB_MSG_V2 */
    bool batch;      /* messages between BATCH_BEGIN and BATCH_END */
    struct viommu_vhost_stats stats;
    size_t regions;
    struct viommu_vhost_region region[];
};

/* --- messages --------------------------------------------------------------- */

static int
send_msg(struct viommu_vhost *vhost, const struct vhost_iotlb_msg *iotlb)
{
    struct vhost_msg_v2 msg = { .type = vhost->format, .iotlb = *iotlb };
    ssize_t n;

    do {
        n = write(vhost->fd, &msg, sizeof(msg));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return -errno;
    }
    return n == sizeof(msg) ? 0 : -EIO;
}

static int
send_type(struct viommu_vhost *vhost, uint8_t type)
{
    const struct vhost_iotlb_msg iotlb = { .type = type };

    return send_msg(vhost, &iotlb);
}

static int
send_invalidate(struct viommu_vhost *vhost, uint64_t iova, uint64_t size)
{
    const struct vhost_iotlb_msg iotlb = {
        .iova = iova,
        .size = size,
        .type = VHOST_IOTLB_INVALIDATE,
    };

    vhost->stats.invalidations++;
    return send_msg(vhost, &iotlb);
}

/* Everything has no size in 64 bits, and so takes two messages. */
static int
send_invalidate_all(struct viommu_vhost *vhost)
{
    const uint64_t half = UINT64_C(1) << 63;
    int rc = vhost->batch ? send_type(vhost, VHOST_IOTLB_BATCH_BEGIN) : 0;

    if (rc == 0) {
        rc = send_invalidate(vhost, 0, half);
    }
    if (rc == 0) {
        rc = send_invalidate(vhost, half, half);
    }
    if (rc == 0 && vhost->batch) {
        rc = send_type(vhost, VHOST_IOTLB_BATCH_END);
    }
    return rc;
}

/* --- answers ---------------------------------------------------------------- */

static const struct viommu_vhost_region *
find_region(const struct viommu_vhost *vhost, uint64_t gpa)
{
    for (size_t i = 0; i < vhost->regions; i++) {
        const struct viommu_vhost_region *region = &vhost->region[i];

        if (gpa >= region->gpa && gpa - region->gpa < region->size) {
            return region;
        }
    }
    return NULL;
}

/*
 * The page of @iova as far as it lies in @region.  The kernel may write only
 * where the translation lets it: it takes what is told for all that there is,
 * and does not ask again for more.
 */
static void
fill_update(struct vhost_iotlb_msg *update, uint64_t iova,
            const struct viommu_translation *translation,
            const struct viommu_vhost_region *region)
{
    uint64_t size = UINT64_C(1) << translation->shift;
    uint64_t off = translation->gpa & (size - 1);
    uint64_t before = translation->gpa - region->gpa;
    uint64_t behind = region->size - before;

    before = before < off ? before : off;
    behind = behind < size - off ? behind : size - off;
    *update = (struct vhost_iotlb_msg){
        .iova = iova - before,
        .size = before + behind,
        .uaddr =
            (uintptr_t)region->addr + (translation->gpa - region->gpa) - before,
        .perm = translation->access & VHOST_ACCESS_RW,
        .type = VHOST_IOTLB_UPDATE,
    };
}

/*
 * In a batch until the kernel has been told, so that an invalidation which
 * makes the answer void is announced to us after that.
 */
static int
tell(struct viommu_vhost *vhost, uint64_t iova, unsigned access)
{
    struct viommu_access req = {
        .iova = iova,
        .pasid = VIOMMU_NO_PASID,
        .access = (uint8_t)access,
    };
    const struct viommu_vhost_region *region;
    struct viommu_translation translation;
    struct vhost_iotlb_msg update;
    int rc = viommu_translate(vhost->thread, vhost->device, &req, &translation);

    if (rc) {
        return rc;
    }
    region = find_region(vhost, translation.gpa);
    if (!region) {
        return -EFAULT;
    }
    fill_update(&update, iova, &translation, region);
    vhost->stats.updates++;
    return send_msg(vhost, &update);
}

/* With the lock. */
static int
answer(struct viommu_vhost *vhost, uint64_t iova, unsigned access)
{
    int rc;

    viommu_begin(vhost->thread);
    rc = tell(vhost, iova, access);
    viommu_end(vhost->thread);
    vhost->stats.refused += rc > 0 || rc == -EFAULT;
    return rc;
}

int
viommu_vhost_tell(struct viommu_vhost *vhost, uint64_t iova, unsigned access)
{
    int rc;

    (void)pthread_mutex_lock(&vhost->lock);
    rc = answer(vhost, iova, access & VHOST_ACCESS_RW);
    (void)pthread_mutex_unlock(&vhost->lock);
    return rc;
}

/*
 * What is refused has been reported to the guest, and needs no answer.  A
 * failed access of the kernel's is reported by the same way: by trying it.
 */
static int
handle(struct viommu_vhost *vhost, const struct vhost_iotlb_msg *msg)
{
    int rc;

    if ((msg->type != VHOST_IOTLB_MISS &&
         msg->type != VHOST_IOTLB_ACCESS_FAIL) ||
        msg->perm == 0 || msg->perm > VHOST_ACCESS_RW) {
        return -EPROTO;
    }
    (void)pthread_mutex_lock(&vhost->lock);
    vhost->stats.misses += msg->type == VHOST_IOTLB_MISS;
    rc = answer(vhost, msg->iova, msg->perm);
    (void)pthread_mutex_unlock(&vhost->lock);
    return rc > 0 || rc == -EFAULT ? 0 : rc;
}

/* 1: a message, in *@msg; 0: none now; or -errno. */
static int
receive(const struct viommu_vhost *vhost, struct vhost_msg_v2 *msg)
{
    ssize_t n = read(vhost->fd, msg, sizeof(*msg));

    if (n < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (n == 0) {
        return -ENODEV;
    }
    return n == sizeof(*msg) && msg->type == vhost->format ? 1 : -EPROTO;
}

/* With the lock for one message at a time: the guest waits for who needs it. */
int
viommu_vhost_dispatch(struct viommu_vhost *vhost)
{
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < BUDGET; i++) {
        struct vhost_msg_v2 msg;

        rc = receive(vhost, &msg);
        if (rc <= 0) {
            break;
        }
        rc = handle(vhost, &msg.iotlb);
    }
    return rc;
}

/* --- invalidation ----------------------------------------------------------- */

/*
 * Whatever the PASID: the kernel's requests have none, and which one stands
 * for that is the guest's choice.
 */
int
viommu_vhost_invalidate(struct viommu_vhost *vhost,
                        const struct viommu_invalidation *inv)
{
    uint64_t size = inv->last - inv->iova + 1;
    int rc;

    if (!vhost) {
        return 0;
    }
    (void)pthread_mutex_lock(&vhost->lock);
    rc = size == 0 ? send_invalidate_all(vhost)
                   : send_invalidate(vhost, inv->iova, size);
    (void)pthread_mutex_unlock(&vhost->lock);
    return rc;
}

/* --- life ------------------------------------------------------------------- */

static bool
is_region(const struct viommu_vhost_region *region)
{
    return region->size > 0 &&
           !((region->gpa | region->size | (uintptr_t)region->addr) % PAGE) &&
           region->gpa + (region->size - 1) >= region->gpa;
}

static bool
are_regions(const struct viommu_vhost_region *region, size_t regions)
{
    for (size_t i = 0; i < regions; i++) {
        if (!is_region(&region[i])) {
            return false;
        }
        for (size_t k = 0; k < i; k++) {
            if (region[i].gpa <= region[k].gpa + (region[k].size - 1) &&
                region[k].gpa <= region[i].gpa + (region[i].size - 1)) {
                return false;
            }
        }
    }
    return true;
}

/* A kernel without these features has neither of the requests. */
static int
negotiate(struct viommu_vhost *vhost)
{
    uint64_t features;

    vhost->format = VHOST_IOTLB_MSG;
    if (ioctl(vhost->fd, VHOST_GET_BACKEND_FEATURES, &features)) {
        return errno == ENOTTY ? 0 : -errno;
    }
    features &= FEATURES;
    if (ioctl(vhost->fd, VHOST_SET_BACKEND_FEATURES, &features)) {
        return -errno;
    }
    if (features & FEATURE(VHOST_BACKEND_F_IOTLB_MSG_V2)) {
        vhost->format = VHOST_IOTLB_MSG_V2;
    }
    vhost->batch = features & FEATURE(VHOST_BACKEND_F_IOTLB_BATCH);
    return 0;
}

static int
open_device(struct viommu_vhost *vhost)
{
    int flags = fcntl(vhost->fd, F_GETFL);
    int rc;

    if (flags < 0 || fcntl(vhost->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        return -errno;
    }
    rc = negotiate(vhost);
    return rc ? rc
              : viommu_thread_create(vhost->device->viommu, &vhost->thread);
}

int
viommu_vhost_create(struct viommu_device *device, int vhost_fd,
                    const struct viommu_vhost_region *region, size_t regions,
                    struct viommu_vhost **vhost)
{
    struct viommu_vhost *new;
    int rc;

    if (regions > SIZE_MAX / sizeof(*region) / 2 ||
        !are_regions(region, regions)) {
        return -EINVAL;
    }
    new = calloc(1, sizeof(*new) + regions * sizeof(*region));
    if (!new) {
        return -ENOMEM;
    }
    new->device = device;
    new->fd = vhost_fd;
    new->regions = regions;
    if (regions > 0) {
        memcpy(new->region, region, regions * sizeof(*region));
    }
    rc = pthread_mutex_init(&new->lock, NULL);
    if (rc) {
        free(new);
        return -rc;
    }
    rc = open_device(new);
    if (rc) {
        (void)pthread_mutex_destroy(&new->lock);
        free(new);
        return rc;
    }
    *vhost = new;
    return 0;
}

void
viommu_vhost_destroy(struct viommu_vhost *vhost)
{
    const struct viommu_invalidation all = { .last = UINT64_MAX };

    if (!vhost) {
        return;
    }
    (void)viommu_vhost_invalidate(vhost, &all);
    viommu_thread_destroy(vhost->thread);
    (void)pthread_mutex_destroy(&vhost->lock);
    free(vhost);
}

void
viommu_vhost_stats(struct viommu_vhost *vhost, struct viommu_vhost_stats *stats)
{
    (void)pthread_mutex_lock(&vhost->lock);
    *stats = vhost->stats;
    (void)pthread_mutex_unlock(&vhost->lock);
}
