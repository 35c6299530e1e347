/* SPDX-License-Identifier: GPL-2.0-only */
/* Daemons that are not what the library expects. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/viommu-client.h"
#include "client/viommu-proto.h"
#include "daemon/vtd/view.h"

#define SHM_SIZE (8192 + sizeof(struct vtd_view))

/* What one daemon does with one client. */
struct script {
    struct viommu_msg answer;
    size_t size; /* of the answer; 0: it closes at once */
    bool silent; /* or says nothing */
    bool fds, sealed;
    struct viommu_shm shm;
    uint32_t haw;
    const char *then; /* sent at last, as it is */
    int listener;
};

static int
memory_of(const struct script *script, size_t size)
{
    int fd = memfd_create("script", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    if (script->sealed) {
        assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), 0);
    }
    return fd;
}

static void
send_answer(const struct script *script, int fd)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(2 * sizeof(int))];
    } control = { 0 };
    struct iovec iov = { .iov_base = (void *)(uintptr_t)&script->answer,
                         .iov_len = script->size };
    struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
    struct vtd_config config = { .haw = (uint8_t)script->haw };
    int fds[2] = { memory_of(script, SHM_SIZE),
                   memory_of(script, sizeof(struct viommu_cells)) };

    assert_int_equal(pwrite(fds[0], &script->shm, sizeof(script->shm), 0),
                     sizeof(script->shm));
    assert_int_equal(pwrite(fds[0], &config, sizeof(config),
                            8192 + (off_t)offsetof(struct vtd_view, config)),
                     sizeof(config));
    if (script->fds) {
        hdr.msg_control = &control;
        hdr.msg_controllen = sizeof(control);
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(sizeof(fds));
        memcpy(CMSG_DATA(&control.header), fds, sizeof(fds));
    }
    assert_int_equal(sendmsg(fd, &hdr, MSG_NOSIGNAL), script->size);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void *
play(void *ctx)
{
    const struct script *script = ctx;
    struct viommu_msg hello;
    int fd = accept(script->listener, NULL, NULL);

    assert_true(recv(fd, &hello, sizeof(hello), 0) > 0);
    assert_int_equal(hello.header.type, VIOMMU_MSG_HELLO);
    assert_int_equal(hello.hello.version, VIOMMU_PROTO_VERSION);
    assert_int_equal(hello.hello.view_size, sizeof(struct vtd_view));
    if (script->size > 0) {
        send_answer(script, fd);
    }
    if (script->then) {
        (void)send(fd, script->then, strlen(script->then), MSG_NOSIGNAL);
    }
    if (script->silent || script->then) {
        /* Until the client goes. */
        (void)recv(fd, &hello, sizeof(hello), 0);
    }
    (void)close(fd);
    return NULL;
}

/* One that nothing is wrong with. */
static struct script
good(void)
{
    struct script script = {
        .answer = { .header = { .type = VIOMMU_MSG_WELCOME },
                    .welcome = { .version = VIOMMU_PROTO_VERSION,
                                 .domid = 1,
                                 .units = 1,
                                 .client = 1,
                                 .shm_size = SHM_SIZE,
                                 .cells_size = sizeof(struct viommu_cells) } },
        .size = offsetof(struct viommu_msg, welcome) +
                sizeof(struct viommu_msg_welcome),
        .fds = true,
        .sealed = true,
        .shm = { .magic = VIOMMU_SHM_MAGIC,
                 .version = VIOMMU_PROTO_VERSION,
                 .units = 1,
                 .size = SHM_SIZE,
                 .view_size = sizeof(struct vtd_view),
                 .view_offset = { 8192 },
                 .epoch = 1 },
        .haw = 39,
    };

    return script;
}

static const struct viommu_memory_ops no_memory;

/* Open a connection to it, and what became of that; *@viommu if it did. */
static int
open_script(struct script *script, struct viommu **viommu, pthread_t *thread)
{
    char dir[] = "/tmp/client-open-XXXXXX";
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    struct viommu_options options = { .size = sizeof(options),
                                      .path = addr.sun_path,
                                      .memory = &no_memory };
    int rc;

    assert_non_null(mkdtemp(dir));
    (void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dma", dir);
    script->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    assert_int_equal(
        bind(script->listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(script->listener, 1), 0);
    assert_int_equal(pthread_create(thread, NULL, play, script), 0);
    rc = viommu_open(viommu, 1, &options);
    (void)close(script->listener);
    (void)unlink(addr.sun_path);
    (void)rmdir(dir);
    return rc;
}

static int
try_script(struct script *script)
{
    struct viommu *viommu = NULL;
    pthread_t thread;
    int rc = open_script(script, &viommu, &thread);

    viommu_close(viommu);
    assert_int_equal(pthread_join(thread, NULL), 0);
    return rc;
}

static void
what_is_as_it_should_be_is_accepted(void **state)
{
    struct script script = good();

    (void)state;
    assert_int_equal(try_script(&script), 0);
}

static void
a_refusal_is_passed_on(void **state)
{
    struct script script = good();

    (void)state;
    script.answer.welcome.status = -EACCES;
    assert_int_equal(try_script(&script), -EACCES);
    script = good();
    script.answer = (struct viommu_msg){
        .header = { .type = VIOMMU_MSG_CUT_OFF },
        .cut_off = { .status = -ENOBUFS, .reason = "too many" },
    };
    script.size = sizeof(struct viommu_msg);
    script.fds = false;
    assert_int_equal(try_script(&script), -ENOBUFS);
}

static void
who_closes_or_says_nothing_is_no_daemon(void **state)
{
    struct script script = { .size = 0 };

    (void)state;
    assert_int_equal(try_script(&script), -EPROTO);
    script.silent = true;
    assert_int_equal(try_script(&script), -ETIMEDOUT);
}

/* Each is a good one but for one thing. */
static void
another_version_or_layout_is_refused(void **state)
{
    struct script script[12];

    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        script[i] = good();
    }
    script[0].answer.welcome.version++;
    script[1].answer.header.type = VIOMMU_MSG_ATTACHED;
    script[2].size--;
    script[3].shm.magic++;
    script[4].shm.version++;
    script[5].shm.view_size -= 64;
    script[6].shm.view_offset[0] = 8192 + 64;
    script[7].shm.view_offset[0] = UINT64_MAX - 63;
    script[8].shm.view_offset[0] = 8192 - 8;
    script[9].answer.welcome.units = VIOMMU_SHM_UNITS_MAX + 1;
    script[10].haw = 53;
    script[11].haw = 31;
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(try_script(&script[i]), -EPROTO);
    }
}

static void
memory_that_may_vanish_is_refused(void **state)
{
    struct script script = good();

    (void)state;
    script.sealed = false;
    assert_int_equal(try_script(&script), -EPROTO);
    script = good();
    script.fds = false;
    assert_int_equal(try_script(&script), -EPROTO);
    script = good();
    script.answer.welcome.shm_size = SHM_SIZE + 4096;
    assert_int_equal(try_script(&script), -EPROTO);
    script = good();
    script.answer.welcome.cells_size--;
    assert_int_equal(try_script(&script), -EPROTO);
}

static void
garbage_ends_the_connection(void **state)
{
    static const char *const garbage[] = { "x", "a message of no type" };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct script script = good();
        struct viommu *viommu = NULL;
        struct viommu_thread *thread;
        pthread_t player;

        script.then = garbage[i];
        assert_int_equal(open_script(&script, &viommu, &player), 0);
        while (viommu_dispatch(viommu) == 0) {
        }
        assert_int_equal(viommu_dispatch(viommu), -ESHUTDOWN);
        assert_string_equal(viommu_cut_off_reason(viommu),
                            "a message that makes no sense");
        assert_int_equal(viommu_thread_create(viommu, &thread), -ESHUTDOWN);
        viommu_close(viommu);
        assert_int_equal(pthread_join(player, NULL), 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_as_it_should_be_is_accepted),
        cmocka_unit_test(a_refusal_is_passed_on),
        cmocka_unit_test(who_closes_or_says_nothing_is_no_daemon),
        cmocka_unit_test(another_version_or_layout_is_refused),
        cmocka_unit_test(memory_that_may_vanish_is_refused),
        cmocka_unit_test(garbage_ends_the_connection),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
