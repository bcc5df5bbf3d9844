/* Identifies the file or device, and detects that a machine runs from it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "io/device_in_use.h"
#include "sink/local_sink.h"

/* Leaves out the device number: it differs between machines. */
int identify_file(int fd, const char *path, char *identity, struct error *err)
{
    struct statx st;

    if (statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "look at %s", path);
    if (!(st.stx_mask & STATX_BTIME))
        st.stx_btime.tv_sec = st.stx_btime.tv_nsec = 0;
    snprintf(identity, SINK_IDENTITY_BYTES, "file %llu %lld.%09u",
             (unsigned long long)st.stx_ino, (long long)st.stx_btime.tv_sec,
             st.stx_btime.tv_nsec);
    return 0;
}

/* The device's own identifier if it has one, else its number. */
void identify_device(dev_t device, uint64_t size_bytes, char *identity)
{
    static const char *const attributes[] = {
        "wwid", "device/wwid", "dm/uuid", "serial", "loop/backing_file",
    };
    char name[96] = "";

    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++)
        if (device_stack_attribute(device, attributes[i], name, sizeof(name)))
            break;
    if (name[0] == '\0')
        snprintf(name, sizeof(name), "%u:%u", major(device), minor(device));
    snprintf(identity, SINK_IDENTITY_BYTES, "block %" PRIu64 " %s", size_bytes,
             name);
}

bool sink_identify_path(const char *path, char identity[SINK_IDENTITY_BYTES])
{
    struct error ignored;
    struct target_path place;
    struct file file;
    bool is_known = true;

    if (target_path_look(path, &place, &ignored) < 0 ||
        place.kind == TARGET_PATH_NOTHING ||
        file_open(&file, path, O_RDONLY, 0, CW_IO_MODE_BUFFERED) < 0)
        return false;
    if (place.kind == TARGET_PATH_DEVICE)
        identify_device(place.device, file.size_bytes, identity);
    else
        is_known = identify_file(file.fd, path, identity, &ignored) == 0;
    file_close(&file);
    return is_known;
}

int sink_check_guest(const char *path, struct error *err)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    char why[PATH_MAX + 128];
    struct storage disk;

    if (fd < 0)
        return 0; /* opening it for writing reports why */
    if (file_has_guest(fd, true))
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is in use: a running machine (QEMU) has it open",
                         path);
    if (device_stack_of_fd(fd, &disk) &&
        device_in_use_find(&disk, why, sizeof(why)))
        return error_set(err, ERROR_REFUSED, 0, "%s is %s", path, why);
    return 0;
}
