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

static int refuse_backing(const struct format_header *header, const char *why,
                          struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0, "backing file (%.200s) %s",
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

/* The part of path after dir and a slash, or NULL. */
static const char *path_below(const char *dir, const char *path)
{
    size_t len = strlen(dir);

    if (strncmp(path, dir, len) != 0 || path[len] != '/')
        return NULL;
    path += len;
    while (*path == '/')
        path++;
    return *path ? path : NULL;
}

static int open_below(const char *dir, const char *relative)
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

static int open_path(const struct image_options *options,
                     const struct format_header *header, const char *path,
                     struct error *err)
{
    AUTO_FREE char *dir = realpath(options->backing_dir, NULL);
    const char *relative;
    int fd;

    if (!dir)
        return error_set(err, ERROR_SOURCE_IO, errno,
                         "open the directory of backing files %s",
                         options->backing_dir);
    relative = path_below(dir, path);
    if (!relative) /* as the user wrote it, links and all */
        relative = path_below(options->backing_dir, path);
    if (!relative)
        return refuse_backing(header, "is not in the allowed directory", err);
    fd = open_below(dir, relative);
    if (fd >= 0)
        return fd;
    if (errno == ELOOP || errno == EXDEV)
        return refuse_backing(header, "leads out of the allowed directory",
                              err);
    return error_set(err, ERROR_SOURCE_IO, errno, "open backing file %s", path);
}

int backing_open(const struct image_options *options,
                 const struct format_header *header, unsigned depth,
                 struct image_options *below, char **path, struct error *err)
{
    const struct format *format = format_named(header->backing_format);

    if (!options->backing_dir)
        return refuse_backing(header,
                              "is needed, and none is allowed; flatten it with "
                              "qemu-img convert, or allow its directory",
                              err);
    if (depth == MAX_DEPTH)
        return refuse_backing(header, "is one layer too many", err);
    if (!format)
        return refuse_backing(
            header, "has no format, or one that is not supported", err);
    *path = absolute(options->path, header->backing_name);
    if (!*path)
        return refuse_backing(header, "cannot be found", err);
    *below = *options;
    below->path = *path;
    below->input = NULL;
    below->format = format->id;
    below->compression = IMAGE_COMPRESSION_NONE;
    below->cross_check = 0;
    below->like = options->like ? options->like->backing : NULL;
    return open_path(options, header, *path, err);
}
