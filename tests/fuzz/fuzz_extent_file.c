/* Lists of extents in all formats: whatever is taken lies in order inside the
 * disk. */
#include <assert.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "io/extent_file.h"

#define DISK_BYTES ((UINT64_C(10) << 20) + 5120)

static int take(void *opaque, uint64_t offset, uint64_t length,
                struct error *err)
{
    uint64_t *end = opaque;

    (void)err;
    assert(length > 0 && offset >= *end && offset < DISK_BYTES &&
           length <= DISK_BYTES - offset);
    *end = offset + length;
    return 0;
}

static void read_list(const char *path, enum extent_file_purpose purpose)
{
    uint64_t end = 0;
    struct extent_file_options list = {
        .path = path,
        .purpose = purpose,
        .disk_bytes = DISK_BYTES,
        .add = take,
        .opaque = &end,
    };
    struct error err;

    if (extent_file_read(&list, &err) == 0)
        assert(list.bytes <= end);
    else
        assert(err.kind == ERROR_USAGE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    int fd = memfd_create("extents", MFD_CLOEXEC);
    char path[64];

    if (fd < 0 || len > 65536)
        goto end;
    if (write(fd, data, len) != (ssize_t)len)
        goto end;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    read_list(path, EXTENT_FILE_CHANGED);
    read_list(path, EXTENT_FILE_DATA);
end:
    if (fd >= 0)
        close(fd);
    return 0;
}
