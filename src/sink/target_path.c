#include "sink/target_path.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/parse.h"

#define PARTIAL_SUFFIX ".clonewire-partial"
#define STATE_SUFFIX   ".clonewire-state"

/* With a hash, a suffix, a number and what checkpoint files append, these fit
 * into a name of 255 bytes. */
#define SHORT_NAME_BYTES ((size_t)180)
#define HASH_CHARS       17U /* "-" and 16 digits */

/* The name after the last slash. */
static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

char *target_path_directory(const char *path)
{
    size_t len = (size_t)(name_of(path) - path);

    if (len == 0)
        return strdup(".");
    return strndup(path, len > 1 ? len - 1 : 1);
}

/* FNV-1a: two devices called "disk" must not share a record. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

/* A name of which others are made, which fit into NAME_MAX bytes: name itself,
 * or its beginning and its hash. */
static void short_name(const char *name, char out[NAME_MAX + 1])
{
    size_t len = SHORT_NAME_BYTES;

    if (strlen(name) <= SHORT_NAME_BYTES + HASH_CHARS) {
        snprintf(out, NAME_MAX + 1, "%s", name);
        return;
    }
    while (len > 0 && ((unsigned char)name[len] & 0xc0) == 0x80)
        len--; /* not within a character of UTF-8 */
    snprintf(out, NAME_MAX + 1, "%.*s-%016" PRIx64, (int)len, name,
             hash_of(name));
}

char *target_path_partial(const char *path, unsigned number)
{
    const char *name = name_of(path);
    char *partial, suffix[16] = "", text[NAME_MAX + 1];

    short_name(name, text);
    if (number > 1)
        snprintf(suffix, sizeof(suffix), "-%u", number);
    if (asprintf(&partial, "%.*s.%s" PARTIAL_SUFFIX "%s", (int)(name - path),
                 path, text, suffix) < 0)
        return NULL;
    return partial;
}

char *target_path_state(const char *path, const char *directory)
{
    const char *name = name_of(path);
    char *state, text[NAME_MAX + 1];
    int r;

    short_name(name, text);
    if (directory)
        r = asprintf(&state, "%s/%s-%016" PRIx64 STATE_SUFFIX, directory, text,
                     hash_of(path));
    else
        r = asprintf(&state, "%.*s.%s" STATE_SUFFIX, (int)(name - path), path,
                     text);
    return r < 0 ? NULL : state;
}

static bool is_below(const char *path, const char *directory)
{
    size_t len = strlen(directory);

    return strncmp(path, directory, len) == 0 &&
           (path[len] == '/' || path[len] == '\0');
}

/*
 * A missing name below /dev is a device that does not exist (yet): a regular
 * file in its place would take up memory. /dev/shm is an ordinary filesystem.
 */
static int look_for_directory(const char *path, struct error *err)
{
    AUTO_FREE char *directory = target_path_directory(path);
    AUTO_FREE char *real = NULL;

    if (!directory)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "look at %s", path);
    real = realpath(directory, NULL);
    if (!real && strncmp(path, "nbd", 3) == 0 && strstr(path, "://"))
        return error_set(err, ERROR_USAGE, 0,
                         "%s: an NBD export can be read, but not written: give "
                         "a file or block device (nbd-client and qemu-nbd -c "
                         "make one of an export)",
                         path);
    if (!real)
        return error_set_named(err, ERROR_TARGET_IO, errno,
                               "directory %s of %s", directory, name_of(path));
    if (is_below(real, "/dev") && !is_below(real, "/dev/shm"))
        return error_set(err, ERROR_REFUSED, 0,
                         "%s: no such device, and no file is created "
                         "in /dev",
                         path);
    return 0;
}

static int stat_path(const char *path, const struct stat *st, bool is_link,
                     struct target_path *place, struct error *err)
{
    if (S_ISBLK(st->st_mode)) {
        place->kind = TARGET_PATH_DEVICE;
        place->device = st->st_rdev;
        return 0;
    }
    if (S_ISDIR(st->st_mode))
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is a directory: name a file in it", path);
    if (!S_ISREG(st->st_mode))
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is neither a regular file nor a block device",
                         path);
    if (is_link)
        return error_set(err, ERROR_REFUSED, 0,
                         "%s is a symbolic link to a file: name the file",
                         path);
    place->kind = TARGET_PATH_FILE;
    /* Another hard link would keep the space allocated. */
    if (st->st_nlink == 1)
        place->allocated_bytes = (uint64_t)st->st_blocks * 512;
    return 0;
}

int target_path_look(const char *path, struct target_path *place,
                     struct error *err)
{
    struct stat st;
    bool is_link;

    *place = (struct target_path){ .kind = TARGET_PATH_NOTHING };
    if (*name_of(path) == '\0')
        return error_set(err, ERROR_REFUSED, 0,
                         "%s names a directory: name a file in it", path);
    if (lstat(path, &st) < 0) {
        if (errno != ENOENT)
            return error_set(err, ERROR_TARGET_IO, errno, "look at %s", path);
        return look_for_directory(path, err);
    }
    is_link = S_ISLNK(st.st_mode);
    if (is_link && stat(path, &st) < 0)
        return error_set(err, ERROR_REFUSED, errno,
                         "%s is a symbolic link that leads nowhere", path);
    return stat_path(path, &st, is_link, place, err);
}

/*
 * Size of the device under a filesystem: statvfs(3) of ext4 and xfs excludes
 * metadata and journal, a storage controller includes them. 0: unknown, or the
 * filesystem is on several devices or none.
 */
static uint64_t device_bytes(const char *directory)
{
    char path[64], text[32] = "";
    struct stat st;
    FILE *stream;
    uint64_t sectors = 0;

    if (stat(directory, &st) < 0)
        return 0;
    snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/size", major(st.st_dev),
             minor(st.st_dev));
    stream = fopen(path, "re");
    if (!stream)
        return 0;
    if (fgets(text, sizeof(text), stream))
        text[strcspn(text, "\n")] = '\0';
    fclose(stream);
    if (!parse_count(text, &sectors) || sectors > UINT64_MAX / 512)
        return 0;
    return sectors * 512;
}

static uint64_t blocks(uint64_t count, uint64_t block_bytes)
{
    uint64_t bytes;

    return __builtin_mul_overflow(count, block_bytes, &bytes) ? INT64_MAX
                                                              : bytes;
}

int volume_space(const char *directory, struct volume_space *volume,
                 struct error *err)
{
    struct statvfs fs;
    uint64_t device;

    if (statvfs(directory, &fs) < 0)
        return error_set(err, ERROR_TARGET_IO, errno, "free space of %s",
                         directory);
    device = device_bytes(directory);
    volume->available_bytes = blocks(fs.f_bavail, fs.f_frsize);
    volume->total_bytes = blocks(fs.f_blocks, fs.f_frsize);
    volume->kept_bytes = 0;
    if (fs.f_bfree > fs.f_bavail)
        volume->kept_bytes = blocks(fs.f_bfree - fs.f_bavail, fs.f_frsize);
    if (device > volume->total_bytes) {
        volume->kept_bytes += device - volume->total_bytes;
        volume->total_bytes = device;
    }
    return 0;
}
