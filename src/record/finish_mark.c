#include "record/finish_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/cleanup.h"
#include "base/log.h"

/* Linux takes no longer one; a record with a longer name gets no mark. */
#define NAME_BYTES 256U

/* Opens the directory of record, and writes the attribute's name.  -1: there
 * can be none. */
static int open_directory(const char *record, char name[NAME_BYTES])
{
    const char *slash = strrchr(record, '/');
    size_t len = slash ? (size_t)(slash - record) + 1 : 0;
    AUTO_FREE char *directory = len > 0 ? strndup(record, len) : strdup(".");
    int n = snprintf(name, NAME_BYTES, "user.clonewire.%s", record + len);

    if (!directory || n < 0 || (size_t)n >= NAME_BYTES)
        return -1;
    return open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void finish_mark_set(const char *record, const struct checkpoint_head *head)
{
    uint8_t encoded[CHECKPOINT_HEAD_BYTES];
    char name[NAME_BYTES];
    AUTO_FD int fd = open_directory(record, name);

    checkpoint_encode_head(encoded, head);
    if (fd < 0 || fsetxattr(fd, name, encoded, sizeof(encoded), 0) < 0)
        log_debug("no mark beside %s: %s", record, strerrordesc_np(errno));
}

bool finish_mark_get(const char *record, struct checkpoint_head *head)
{
    uint8_t encoded[CHECKPOINT_HEAD_BYTES];
    char name[NAME_BYTES];
    AUTO_FD int fd = open_directory(record, name);

    return fd >= 0 &&
           fgetxattr(fd, name, encoded, sizeof(encoded)) ==
               (ssize_t)sizeof(encoded) &&
           checkpoint_decode_head(encoded, head);
}

void finish_mark_clear(const char *record)
{
    char name[NAME_BYTES];
    AUTO_FD int fd = open_directory(record, name);

    if (fd >= 0 && fremovexattr(fd, name) < 0 && errno != ENODATA &&
        errno != ENOTSUP)
        log_debug("the mark beside %s stays: %s", record,
                  strerrordesc_np(errno));
}
