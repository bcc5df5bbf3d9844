#include "io/device_in_use.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "io/file.h"
#include "io/kernel_file.h"
#include "io/mount_table.h"

/* Our own readers hold a claim for two system calls; every other program keeps
 * its claim.  A device that still refuses after this many tries is in use. */
#define PROBE_TRIES    40U
#define PROBE_PAUSE_NS 50000000L

static bool is_device(const char *path, dev_t device)
{
    struct stat st;

    return *path == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) &&
           st.st_rdev == device;
}

bool device_in_use_as_swap_file(const char *path)
{
    AUTO_FREE char *text = kernel_file_text("/proc/swaps");
    const char *at = text;
    char swap[PATH_MAX];
    struct stat st, own;

    if (stat(path, &own) < 0)
        return false;
    while (at && mount_table_next_swap(&at, swap))
        if (stat(swap, &st) == 0 && st.st_dev == own.st_dev &&
            st.st_ino == own.st_ino)
            return true;
    return false;
}

static bool find_mount(dev_t device, const char *what, char *why, size_t len)
{
    AUTO_FREE char *text = kernel_file_text("/proc/self/mountinfo");
    const char *at = text;
    struct mount_table_entry mount;

    while (at && mount_table_next(&at, &mount))
        if (makedev(mount.major, mount.minor) == device ||
            is_device(mount.source, device)) {
            snprintf(why, len, "%smounted on %s", what, mount.point);
            return true;
        }
    return false;
}

static bool find_swap(dev_t device, const char *what, char *why, size_t len)
{
    AUTO_FREE char *text = kernel_file_text("/proc/swaps");
    const char *at = text;
    char path[PATH_MAX];

    while (at && mount_table_next_swap(&at, path))
        if (is_device(path, device)) {
            snprintf(why, len, "%sused for swap", what);
            return true;
        }
    return false;
}

/* The first holder that the kernel reports; *mapped: its device-mapper
 * name. */
static bool find_holder(dev_t device, const char *what, char *why, size_t len)
{
    char path[PATH_MAX], mapped[128] = "", holder[NAME_MAX + 1];

    if (!device_stack_holder(device, holder))
        return false;
    snprintf(path, sizeof(path), "holders/%s/dm/name", holder);
    device_stack_attribute(device, path, mapped, sizeof(mapped));
    snprintf(why, len, "%sin use by %s%s%s%s", what, holder,
             mapped[0] ? " (" : "", mapped, mapped[0] ? ")" : "");
    return true;
}

/* ---- claims ---- */

bool device_in_use_is_claimed(const char *path)
{
    static const struct timespec pause = { .tv_nsec = PROBE_PAUSE_NS };

    for (unsigned i = 0; i < PROBE_TRIES; i++) {
        int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_EXCL);

        if (fd >= 0)
            close(fd);
        if (fd >= 0 || errno != EBUSY)
            return false;
        nanosleep(&pause, NULL);
    }
    return true;
}

bool device_in_use_lock(int fd, bool exclusive)
{
    static const struct timespec pause = { .tv_nsec = PROBE_PAUSE_NS };

    for (unsigned i = 0; i < PROBE_TRIES; i++) {
        if (flock(fd, (exclusive ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0 ||
            errno != EWOULDBLOCK)
            return true;
        nanosleep(&pause, NULL);
    }
    return false;
}

/* Mounted, perhaps in another namespace, or held by another program. */
static bool find_claim(dev_t device, const char *what, char *why, size_t len)
{
    char path[NAME_MAX + 8], name[NAME_MAX + 1];

    if (!device_stack_name(device, name))
        return false;
    snprintf(path, sizeof(path), "/dev/%s", name);
    if (!is_device(path, device) || !device_in_use_is_claimed(path))
        return false;
    snprintf(why, len,
             "%sin use (mounted elsewhere, or held by another program)", what);
    return true;
}

/* ---- a device, and what lies on it ---- */

static bool find_user(dev_t device, const char *what, char *why, size_t len)
{
    return find_mount(device, what, why, len) ||
           find_swap(device, what, why, len) ||
           find_holder(device, what, why, len);
}

static void name_part(const struct storage *of, dev_t device, char *what,
                      size_t len)
{
    char name[NAME_MAX + 1], ignored[32];

    what[0] = '\0';
    if ((of->is_device && of->device == device) ||
        !device_stack_name(device, name))
        return;
    if (device_stack_attribute(device, "partition", ignored, sizeof(ignored)))
        snprintf(what, len, "in use: partition %s is ", name);
    else if (device_stack_attribute(device, "loop/offset", ignored,
                                    sizeof(ignored)))
        snprintf(what, len, "in use: loop device %s over it is ", name);
    else
        snprintf(what, len, "in use: %s on it is ", name);
}

/* A read-only loop device does not change its file. */
static bool is_harmless(dev_t device)
{
    struct device_stack_loop loop;

    return device_stack_loop(device, &loop) && loop.is_read_only;
}

static bool find_above(const struct storage *bottom, char *why, size_t len)
{
    char what[NAME_MAX + 64], ignored[8];
    struct device_stack above;

    device_stack_above(bottom, &above);
    for (size_t i = 0; i < above.count; i++) {
        dev_t device = above.items[i].device;
        bool is_top = device_stack_is_same(bottom, &above.items[i]);

        if (!above.items[i].is_device || (!is_top && is_harmless(device)))
            continue;
        name_part(bottom, device, what, sizeof(what));
        if (find_user(device, what, why, len) ||
            (!is_top &&
             device_stack_attribute(device, "loop/offset", ignored,
                                    sizeof(ignored)) &&
             find_claim(device, what, why, len)))
            return true;
    }
    return false;
}

/* ---- a loop device's file ---- */

/* Finds another loop device over the same part of the file. */
static bool find_sibling(const struct storage *top,
                         const struct device_stack_loop *loop, char *why,
                         size_t len)
{
    struct device_stack above;

    device_stack_above(&loop->file, &above);
    for (size_t i = 0; i < above.count; i++)
        if (above.items[i].is_device &&
            !device_stack_is_same(&above.items[i], top) &&
            !is_harmless(above.items[i].device) &&
            device_stack_overlaps(top, &above.items[i]) &&
            find_user(above.items[i].device,
                      "in use: another loop device over its file is ", why,
                      len))
            return true;
    return false;
}

static bool find_guest(const struct device_stack_loop *loop, char *why,
                       size_t len)
{
    AUTO_FD int fd = open(loop->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct storage opened;

    if (fd < 0 || !device_stack_of_fd(fd, &opened) ||
        !device_stack_is_same(&opened, &loop->file) ||
        !file_has_guest(fd, false))
        return false;
    snprintf(why, len, "in use: a running machine (QEMU) has its file %s open",
             loop->path);
    return true;
}

bool device_in_use_find(const struct storage *storage, char *why, size_t len)
{
    struct device_stack_loop loop;

    if (find_above(storage, why, len))
        return true;
    return storage->is_device && device_stack_loop(storage->device, &loop) &&
           (find_sibling(storage, &loop, why, len) ||
            find_guest(&loop, why, len));
}
