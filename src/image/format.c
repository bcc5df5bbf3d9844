#include "image/format.h"

#include <string.h>

#include "base/bytes.h"
#include "image/qcow2/qcow2.h"
#include "image/qcow2/sequential.h"
#include "image/raw.h"
#include "image/vdi/vdi.h"
#include "image/vhd/vhd.h"
#include "image/vhdx/vhdx.h"
#include "image/vmdk/vmdk.h"

/* Version 1 is another format. */
static bool is_qcow2(const uint8_t *head, size_t len)
{
    return len < 8 || get_be32(head + 4) != 1;
}

const struct format formats[] = {
    {
        .id = CW_FORMAT_RAW,
        .name = "raw",
        .title = "raw",
        .open = raw_open,
    },
    {
        .id = CW_FORMAT_QCOW2,
        .name = "qcow2",
        .title = "QCOW2",
        .heads = { { 0, 4, "QFI\xfb", is_qcow2 } },
        .describe = qcow2_describe,
        .open = qcow2_open,
        .open_in_order = qcow2_sequential_open,
    },
    {
        .id = CW_FORMAT_VDI,
        .name = "vdi",
        .title = "VDI",
        /* Boot code has these bytes here by chance one time in 2^32. */
        .heads = { { 64, 4, "\x7f\x10\xda\xbe", NULL } },
        .describe = vdi_describe,
        .open = vdi_open,
    },
    {
        .id = CW_FORMAT_VHD,
        .name = "vhd",
        .title = "VHD",
        .heads = { { 0, 8, "conectix", NULL } },
        .tail = { 0, 8, "conectix", NULL },
        .describe = vhd_describe,
        .open = vhd_open,
    },
    {
        .id = CW_FORMAT_VHDX,
        .name = "vhdx",
        .title = "VHDX",
        .heads = { { 0, 8, "vhdxfile", NULL } },
        .describe = vhdx_describe,
        .open = vhdx_open,
    },
    {
        .id = CW_FORMAT_VMDK,
        .name = "vmdk",
        .title = "VMDK",
        .heads = { { 0, 4, "KDMV", NULL } },
        .describe = vmdk_describe,
        .open = vmdk_open,
    },
    { 0 },
};

/* Data mistaken for a compressed disk fails as a damaged one. */
const struct compression compressions[] = {
    /* clang-format off */
    { IMAGE_COMPRESSION_GZIP, "gzip", { 0, 3, "\x1f\x8b\x08", NULL } },
    { IMAGE_COMPRESSION_XZ,   "xz",   { 0, 6, "\xfd" "7zXZ\0", NULL } },
    { IMAGE_COMPRESSION_ZSTD, "zstd", { 0, 4, "\x28\xb5\x2f\xfd", NULL } },
    { 0 },
    /* clang-format on */
};

const struct format *format_of(enum cw_format id)
{
    const struct format *format = formats;

    while (format->id != id)
        format++;
    return format;
}

const struct format *format_named(const char *name)
{
    for (const struct format *format = formats; format->name; format++)
        if (strcmp(format->name, name) == 0)
            return format;
    return NULL;
}
