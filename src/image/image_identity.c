#include "image/image_identity.h"

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "io/device_stack.h"

int image_check_same(const struct image *img, struct error *err)
{
    if (img->ops->check)
        return img->ops->check(img, err);
    for (; img; img = img->backing)
        if (img->guard && source_guard_check(img->guard, err) < 0)
            return -1;
    return 0;
}

int image_check_like(const struct image_options *options,
                     const struct image *img, struct error *err)
{
    const struct image *like = options->like;

    if (!like)
        return 0;
    if (like->guard && S_ISREG(like->guard->stat.st_mode) &&
        source_guard_check(like->guard, err) < 0)
        return -1;
    if (like->virtual_bytes == img->virtual_bytes &&
        like->padding_bytes == img->padding_bytes)
        return 0;
    return error_set(err, ERROR_CHANGED, 0,
                     "%s: its size changed between two opens", options->path);
}

bool image_identify(const struct image *img, char text[IMAGE_IDENTITY_BYTES])
{
    size_t len = 0;

    for (; img; img = img->backing) {
        if (!img->guard ||
            IMAGE_IDENTITY_BYTES - len <= SOURCE_GUARD_IDENTITY_BYTES ||
            !source_guard_identify(img->guard, text + len))
            return false;
        len += strlen(text + len);
        if (img->backing)
            text[len++] = '\n';
    }
    return true;
}

/* The storage under dest: its own, or that of the directory of a new file. */
static bool find_storage(const char *dest, struct storage *storage)
{
    AUTO_FREE char *directory = strdup(dest);
    char *slash = directory ? strrchr(directory, '/') : NULL;

    if (device_stack_of_path(dest, storage))
        return true;
    if (slash)
        slash[slash == directory ? 1 : 0] = '\0';
    return device_stack_of_path(slash ? directory : ".", storage);
}

int image_check_apart(const struct image *img, const char *dest,
                      struct error *err)
{
    struct storage own, other;

    if (!find_storage(dest, &other))
        return 0; /* the target's own checks report the error */
    for (; img; img = img->backing) {
        if (!img->guard || !device_stack_of_fd(img->guard->fd, &own))
            continue;
        if (device_stack_is_same(&own, &other))
            return error_set(err, ERROR_REFUSED, 0,
                             "%s and %s are the same disk", img->path, dest);
        if (device_stack_overlaps(&own, &other))
            return error_set(err, ERROR_REFUSED, 0,
                             "%s would be written over %s: one lies on the "
                             "other; choose another destination",
                             dest, img->path);
    }
    return 0;
}
