/* SPDX-License-Identifier: GPL-2.0-only */
#include "daemon/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/log.h"

static uint64_t
env_number(const char *name)
{
    const char *text = getenv(name);
    uint64_t val;
    char *end;

    if (!text)
        return 0;

    errno = 0;
    val = strtoull(text, &end, 10);
    return errno || *end ? 0 : val;
}

/* The variable may be meant for another process of the service. */
static uint64_t
watchdog_period_ms(void)
{
    uint64_t usec = env_number("WATCHDOG_USEC");
    uint64_t pid = env_number("WATCHDOG_PID");

    if (pid && pid != (uint64_t)getpid())
        return 0;

    /* Twice as often as asked for, as sd_watchdog_enabled(3) advises. */
    return usec / 2000;
}

void
notify_open(struct notify *notify)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t len;

    *notify = (struct notify){ .fd = -1 };
    if (!path)
        return;

    len = strlen(path);
    if (len < 2 || len >= sizeof(addr.sun_path) ||
        (path[0] != '/' && path[0] != '@')) {
        log_warn("notify: cannot use NOTIFY_SOCKET=%s", path);
        return;
    }

    memcpy(addr.sun_path, path, len);
    if (path[0] == '@')
        addr.sun_path[0] = '\0'; /* Linux's abstract name space */

    notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->fd < 0 ||
        connect(notify->fd, (const struct sockaddr *)&addr,
                (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
            0) {
        log_warn("notify: cannot connect to %s: %s", path, strerror(errno));
        notify_close(notify);
        return;
    }

    notify->watchdog_ms = watchdog_period_ms();
}

void
notify_close(struct notify *notify)
{
    if (notify->fd >= 0)
        (void)close(notify->fd);
    *notify = (struct notify){ .fd = -1 };
}

void
notify_send(const struct notify *notify, const char *state)
{
    if (notify->fd < 0)
        return;

    /* Must not block the guest: a full socket loses a status line. */
    if (send(notify->fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
        log_limited(LOG_LEVEL_WARN, "notify: cannot send: %s", strerror(errno));
}
