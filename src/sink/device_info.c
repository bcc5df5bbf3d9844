#include "sink/device_info.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "sink/blkid_probe.h"
#include "sink/target_path.h"

/* Reads one line of a file in directory, without surrounding blanks and
 * unprintable characters.  False: the file is missing or empty. */
static bool read_line(const char *directory, const char *name, char *buf,
                      size_t len)
{
    char path[256], line[96];
    FILE *stream;
    size_t used = 0;

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    stream = fopen(path, "re");
    if (!stream)
        return false;
    if (!fgets(line, sizeof(line), stream))
        line[0] = '\0';
    fclose(stream);
    for (const char *p = line + strspn(line, " \t"); *p != '\0'; p++)
        if (*p >= ' ' && *p <= '~' && used + 1 < len)
            buf[used++] = *p;
    while (used > 0 && buf[used - 1] == ' ')
        used--;
    buf[used] = '\0';
    return used > 0;
}

/* A partition has the names of its disk, one directory up. */
static bool read_either(const char *directory, const char *name, char *buf,
                        size_t len)
{
    char above[64];

    snprintf(above, sizeof(above), "../%s", name);
    return read_line(directory, name, buf, len) ||
           read_line(directory, above, buf, len);
}

void device_info_identify(const char *directory, struct device_info *look)
{
    static const struct {
        const char *name, *prefix;
    } models[] = {
        { "dm/name", "device-mapper " },
        { "loop/backing_file", "loop over " },
        { "device/model", "" },
    };
    static const char *const serials[] = { "serial", "device/serial",
                                           "device/wwid", "wwid" };
    char text[80];

    for (size_t i = 0; i < sizeof(models) / sizeof(models[0]); i++) {
        if (!read_either(directory, models[i].name, text, sizeof(text)))
            continue;
        snprintf(look->model, sizeof(look->model), "%s%s", models[i].prefix,
                 text);
        break;
    }
    for (size_t i = 0; i < sizeof(serials) / sizeof(serials[0]); i++)
        if (read_either(directory, serials[i], look->serial,
                        sizeof(look->serial)))
            return;
}

static void device_info_inside(const char *path, struct device_info *look)
{
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || ioctl(fd, BLKGETSIZE64, &look->size_bytes) < 0)
        snprintf(look->contents, sizeof(look->contents),
                 "what cannot be read here");
    else
        look->is_blank = blkid_probe_describe(
            fd, look->size_bytes, look->contents, sizeof(look->contents));
}

int device_info_read(const char *path, struct device_info *look,
                     struct error *err)
{
    char directory[64];
    struct target_path place;

    *look = (struct device_info){ 0 };
    if (target_path_look(path, &place, err) < 0)
        return -1;
    if (place.kind != TARGET_PATH_DEVICE)
        return 0;
    look->is_block_device = true;
    snprintf(directory, sizeof(directory), "/sys/dev/block/%u:%u",
             major(place.device), minor(place.device));
    device_info_identify(directory, look);
    device_info_inside(path, look);
    return 0;
}
