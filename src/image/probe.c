#include "image/probe.h"

#include <string.h>

static const struct {
    struct probe is;
    size_t at;
    size_t len;
    const char *magic;
} magics[] = {
    /* clang-format off */
    { { PROBE_FOREIGN, "QCOW version 1" },    0,   8, "QFI\xfb\0\0\0\1" },
    { { PROBE_QCOW2,   "QCOW2" },             0,   4, "QFI\xfb" },
    { { PROBE_GZIP,    "gzip" },              0,   3, "\x1f\x8b\x08" },
    { { PROBE_XZ,      "xz" },                0,   6, "\xfd" "7zXZ\0" },
    { { PROBE_FOREIGN, "VMDK" },              0,   4, "KDMV" },
    { { PROBE_FOREIGN, "VMDK" },              0,   4, "COWD" },
    { { PROBE_FOREIGN, "VMDK descriptor" },   0,  21, "# Disk DescriptorFile" },
    { { PROBE_FOREIGN, "VHDX" },              0,   8, "vhdxfile" },
    { { PROBE_FOREIGN, "VHD" },               0,   8, "conectix" },
    { { PROBE_FOREIGN, "VDI" },              64,   4, "\x7f\x10\xda\xbe" },
    { { PROBE_FOREIGN, "QED" },               0,   4, "QED\0" },
    { { PROBE_FOREIGN, "Parallels" },         0,  16, "WithoutFreeSpace" },
    { { PROBE_FOREIGN, "Parallels" },         0,  16, "WithouFreSpacExt" },
    { { PROBE_ZSTD,    "zstd" },              0,   4, "\x28\xb5\x2f\xfd" },
    { { PROBE_FOREIGN, "bzip2" },             0,   3, "BZh" },
    { { PROBE_FOREIGN, "lz4" },               0,   4, "\x04\x22\x4d\x18" },
    { { PROBE_FOREIGN, "7-Zip" },             0,   6, "7z\xbc\xaf\x27\x1c" },
    { { PROBE_FOREIGN, "zip" },               0,   4, "PK\3\4" },
    { { PROBE_FOREIGN, "tar (OVA)" },       257,   5, "ustar" },
    /* clang-format on */
};

struct probe probe_content(const uint8_t *head, size_t head_len,
                           const uint8_t *tail, size_t tail_len)
{
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        size_t end = magics[i].at + magics[i].len;

        if (end <= head_len &&
            memcmp(head + magics[i].at, magics[i].magic, magics[i].len) == 0)
            return magics[i].is;
    }
    /* A fixed VHD is a raw disk with a footer behind it. */
    if (tail_len == PROBE_TAIL_BYTES && memcmp(tail, "conectix", 8) == 0)
        return (struct probe){ PROBE_FOREIGN, "VHD (fixed)" };
    return (struct probe){ PROBE_RAW, "raw" };
}
