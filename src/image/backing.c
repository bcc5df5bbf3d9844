#include "image/backing.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

#define MAX_DEPTH 16U

static int refuse(const struct qcow2_header *header, const char *why,
                  struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0, "qcow2: backing file (%.200s) %s",
                     header->backing_name, why);
}

/* Its name as an absolute path; links in it are refused later. */
static char *absolute(const char *overlay_path, const char *name)
{
    AUTO_FREE char *overlay = NULL;
    char *slash, *path;

    if (name[0] == '/')
        return strdup(name);
    overlay = realpath(overlay_path, NULL);
    slash = overlay ? strrchr(overlay, '/') : NULL;
    if (!slash)
        return NULL;
    *slash = '\0';
    return asprintf(&path, "%s/%s", overlay, name) < 0 ? NULL : path;
}

/* The part of path behind dir and a slash, or NULL. */
static const char *beneath(const char *dir, const char *path)
{
    size_t len = strlen(dir);

    if (strncmp(path, dir, len) != 0 || path[len] != '/')
        return NULL;
    path += len;
    while (*path == '/')
        path++;
    return *path ? path : NULL;
}

static int open_beneath(const char *dir, const char *relative)
{
    struct open_how how = {
        .flags = O_RDONLY | O_CLOEXEC,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
                   RESOLVE_NO_MAGICLINKS,
    };
    AUTO_FD int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (dir_fd < 0)
        return -1;
    return (int)syscall(SYS_openat2, dir_fd, relative, &how, sizeof(how));
}

static int open_file(const struct image_options *options,
                     const struct qcow2_header *header, char **path,
                     struct error *err)
{
    AUTO_FREE char *dir = realpath(options->backing_dir, NULL);
    const char *relative;
    int fd;

    if (!dir)
        return error_set(err, ERROR_SOURCE_IO, errno,
                         "open the directory of backing files %s",
                         options->backing_dir);
    *path = absolute(options->path, header->backing_name);
    relative = *path ? beneath(dir, *path) : NULL;
    if (*path && !relative) /* as the user wrote it, links and all */
        relative = beneath(options->backing_dir, *path);
    if (!relative)
        return refuse(header, "is not beneath the directory allowed", err);
    fd = open_beneath(dir, relative);
    if (fd >= 0)
        return fd;
    if (errno == ELOOP || errno == EXDEV)
        return refuse(header, "leads out of the directory allowed", err);
    return error_set(err, ERROR_SOURCE_IO, errno, "open backing file %s",
                     *path);
}

static int choose_format(const struct qcow2_header *header,
                         enum image_format *format, struct error *err)
{
    if (strcmp(header->backing_format, "raw") == 0)
        *format = IMAGE_FORMAT_RAW;
    else if (strcmp(header->backing_format, "qcow2") == 0)
        *format = IMAGE_FORMAT_QCOW2;
    else
        return refuse(header, "is not said to be raw or qcow2", err);
    return 0;
}

int backing_open(const struct image_options *options,
                 const struct qcow2_header *header, unsigned depth, char **path,
                 struct image **backing, struct error *err)
{
    struct image_options layer = *options;
    char real_path[64];
    AUTO_FD int fd = -1;

    *path = NULL;
    *backing = NULL;
    if (header->backing_name[0] == '\0')
        return 0;
    if (!options->backing_dir)
        return refuse(header,
                      "is needed, and none is allowed; flatten it with "
                      "qemu-img convert, or allow its directory",
                      err);
    if (depth == MAX_DEPTH)
        return refuse(header, "is one layer too many", err);
    if (choose_format(header, &layer.format, err) < 0)
        return -1;
    fd = open_file(options, header, path, err);
    if (fd < 0)
        return -1;

    layer.path = *path;
    layer.input = NULL;
    layer.compression = IMAGE_COMPRESSION_NONE;
    layer.cross_check = 0;
    layer.like = options->like ? options->like->backing : NULL;
    /* Opened anew by descriptor: the name is not looked up twice. */
    snprintf(real_path, sizeof(real_path), "/proc/self/fd/%d", fd);
    return image_open_layer(&layer, real_path, depth + 1, backing, err);
}
