#include "image/qcow2/header.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"

/* docs/interop/qcow2.rst of QEMU is the specification. */
#define MAGIC            UINT32_C(0x514649fb)
#define V2_HEADER_BYTES  72U
#define V3_HEADER_BYTES  104U
#define HEAD_BYTES       112U /* all known fields */
#define MIN_CLUSTER_BITS 9U
#define MAX_CLUSTER_BITS 21U
#define MAX_L1_BYTES     (UINT64_C(32) << 20) /* as QEMU */
#define MAX_EXTENSIONS   64
#define SUBCLUSTERS      32U
#define SECTOR_BYTES     UINT64_C(512)

#define EXTENSION_END            UINT32_C(0)
#define EXTENSION_BACKING_FORMAT UINT32_C(0xe2792aca)
#define EXTENSION_FEATURE_NAMES  UINT32_C(0x6803f857)
#define FEATURE_NAME_BYTES       48U

#define INCOMPATIBLE_DIRTY       (UINT64_C(1) << 0)
#define INCOMPATIBLE_CORRUPT     (UINT64_C(1) << 1)
#define INCOMPATIBLE_DATA_FILE   (UINT64_C(1) << 2)
#define INCOMPATIBLE_COMPRESSION (UINT64_C(1) << 3)
#define INCOMPATIBLE_EXTENDED_L2 (UINT64_C(1) << 4)
#define INCOMPATIBLE_READABLE \
    (INCOMPATIBLE_DIRTY | INCOMPATIBLE_COMPRESSION | INCOMPATIBLE_EXTENDED_L2)

/* The fixed part, as stored in the file. */
struct fields {
    uint64_t backing_offset;
    uint32_t backing_bytes;
    uint32_t crypt_method;
    uint32_t refcount_order;
    uint64_t size_bytes;
    uint64_t incompatible;
    uint8_t compression_type;
};

/* Calls see(); stops when see() asks for it, at the end mark, or on invalid
 * data. */
static int walk_extensions(const struct image_host *host,
                           const struct qcow2_header *header, uint64_t end,
                           bool (*see)(const struct image_host *host,
                                       uint32_t type, uint64_t offset,
                                       uint32_t length, void *opaque),
                           void *opaque, struct error *err)
{
    uint64_t at = header->header_bytes;
    uint8_t head[8];

    for (int i = 0; at <= end && end - at >= sizeof(head); i++) {
        uint32_t type, length;

        if (i == MAX_EXTENSIONS)
            return error_set(err, ERROR_FORMAT, 0,
                             "qcow2: more than %d header extensions",
                             MAX_EXTENSIONS);
        if (host->read(host->opaque, head, sizeof(head), at, err) < 0)
            return -1;
        type = get_be32(head);
        length = get_be32(head + 4);
        at += sizeof(head);
        if (type == EXTENSION_END)
            return 0;
        if (length > end - at)
            return error_set(err, ERROR_FORMAT, 0,
                             "qcow2: header extension 0x%08" PRIx32
                             " of %" PRIu32 " bytes is cut off",
                             type, length);
        if (see(host, type, at, length, opaque))
            return 0;
        at += (length + UINT64_C(7)) & ~UINT64_C(7);
    }
    return 0;
}

struct feature_name {
    uint8_t bit;
    char name[FEATURE_NAME_BYTES - 1]; /* 46 characters and a NUL */
};

/* Finds the name that an image gives to an incompatible bit; unprintable
 * characters become '?'. */
static bool find_feature_name(const struct image_host *host, uint32_t type,
                              uint64_t offset, uint32_t length, void *opaque)
{
    struct feature_name *wanted = opaque;
    uint8_t row[FEATURE_NAME_BYTES];
    struct error ignored;

    if (type != EXTENSION_FEATURE_NAMES)
        return false;
    for (uint32_t at = 0; length - at >= FEATURE_NAME_BYTES;
         at += FEATURE_NAME_BYTES) {
        if (host->read(host->opaque, row, sizeof(row), offset + at, &ignored) <
            0)
            return true;
        if (row[0] != 0 || row[1] != wanted->bit)
            continue;
        memcpy(wanted->name, row + 2, sizeof(row) - 2);
        wanted->name[sizeof(row) - 2] = '\0';
        for (char *c = wanted->name; *c; c++)
            if (*c < ' ' || *c > '~')
                *c = '?';
        return true;
    }
    return true;
}

static int refuse_unknown_feature(const struct image_host *host,
                                  const struct qcow2_header *header,
                                  uint64_t unknown, struct error *err)
{
    struct feature_name feature = {
        .bit = (uint8_t)__builtin_ctzll(unknown),
        .name = "a feature without a name",
    };
    uint64_t end = header->cluster_bytes < host->size_bytes
                       ? header->cluster_bytes
                       : host->size_bytes;
    struct error ignored;

    walk_extensions(host, header, end, find_feature_name, &feature, &ignored);
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: needs \"%s\" (incompatible bit %u), which is not "
                     "supported",
                     feature.name, feature.bit);
}

static int check_features(const struct image_host *host,
                          const struct fields *fields,
                          struct qcow2_header *header, struct error *err)
{
    uint64_t bits = fields->incompatible;

    if (bits & INCOMPATIBLE_CORRUPT)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: marked corrupt; repair a copy of it with "
                         "qemu-img check -r all");
    if (bits & INCOMPATIBLE_DATA_FILE)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: keeps its data in an external data file, "
                         "which is not supported");
    if (bits & ~INCOMPATIBLE_READABLE)
        return refuse_unknown_feature(host, header,
                                      bits & ~INCOMPATIBLE_READABLE, err);

    header->is_dirty = (bits & INCOMPATIBLE_DIRTY) != 0;
    if (((bits & INCOMPATIBLE_COMPRESSION) != 0) !=
        (fields->compression_type != 0))
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: compression type %u and its feature bit "
                         "disagree",
                         fields->compression_type);
    if (fields->compression_type > 1)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: compression type %u is not supported",
                         fields->compression_type);
    header->compression = fields->compression_type == 1 ? QCOW2_ZSTD
                                                        : QCOW2_ZLIB;

    if ((bits & INCOMPATIBLE_EXTENDED_L2) && header->cluster_bits < 14)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: extended L2 entries need clusters of 16 KiB "
                         "or more, this image has %" PRIu64 " bytes",
                         header->cluster_bytes);
    header->subclusters = bits & INCOMPATIBLE_EXTENDED_L2 ? SUBCLUSTERS : 1;
    return 0;
}

static void parse_fields(const uint8_t *raw, struct fields *fields,
                         struct qcow2_header *header)
{
    header->version = get_be32(raw + 4);
    fields->backing_offset = get_be64(raw + 8);
    fields->backing_bytes = get_be32(raw + 16);
    header->cluster_bits = get_be32(raw + 20);
    fields->size_bytes = get_be64(raw + 24);
    fields->crypt_method = get_be32(raw + 32);
    header->l1_entries = get_be32(raw + 36);
    header->l1_offset = get_be64(raw + 40);

    fields->incompatible = 0;
    fields->refcount_order = 4;
    fields->compression_type = 0;
    header->header_bytes = V2_HEADER_BYTES;
    header->compatible = 0;
    if (header->version < 3)
        return;
    fields->incompatible = get_be64(raw + 72);
    header->compatible = get_be64(raw + 80);
    fields->refcount_order = get_be32(raw + 96);
    header->header_bytes = get_be32(raw + 100);
    if (header->header_bytes > V3_HEADER_BYTES)
        fields->compression_type = raw[104];
}

static int check_shape(const struct qcow2_header *header,
                       const struct fields *fields, struct error *err)
{
    if (header->cluster_bits < MIN_CLUSTER_BITS ||
        header->cluster_bits > MAX_CLUSTER_BITS)
        return error_set(
            err, ERROR_FORMAT, 0,
            "qcow2: cluster size 2^%" PRIu32 " is not between 2^%u and 2^%u",
            header->cluster_bits, MIN_CLUSTER_BITS, MAX_CLUSTER_BITS);
    if (header->version == 3 &&
        (header->header_bytes < V3_HEADER_BYTES ||
         header->header_bytes % 8 != 0 ||
         header->header_bytes > UINT64_C(1) << header->cluster_bits))
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: header length %" PRIu32 " is not valid",
                         header->header_bytes);
    if (fields->refcount_order > 6)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: refcount order %" PRIu32 " is larger than 6",
                         fields->refcount_order);
    return 0;
}

static int check_encryption(const struct fields *fields, struct error *err)
{
    if (fields->crypt_method == 0)
        return 0;
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: encrypted (%s), which is not supported; qemu-nbd "
                     "--object secret,... --image-opts can serve it over NBD",
                     fields->crypt_method == 1   ? "AES"
                     : fields->crypt_method == 2 ? "LUKS"
                                                 : "unknown method");
}

static int read_backing_name(const struct image_host *host,
                             const struct fields *fields,
                             struct qcow2_header *header, struct error *err)
{
    uint64_t end = header->cluster_bytes;

    if (end > host->size_bytes)
        end = host->size_bytes;
    header->backing_name[0] = '\0';
    if (fields->backing_offset == 0 && fields->backing_bytes == 0)
        return 0;
    if (fields->backing_bytes == 0 ||
        fields->backing_bytes >= sizeof(header->backing_name) ||
        fields->backing_offset < header->header_bytes ||
        fields->backing_offset > end ||
        fields->backing_bytes > end - fields->backing_offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: backing file name of %" PRIu32
                         " bytes at %" PRIu64 " is not in the header",
                         fields->backing_bytes, fields->backing_offset);
    if (host->read(host->opaque, header->backing_name, fields->backing_bytes,
                   fields->backing_offset, err) < 0)
        return -1;
    header->backing_name[fields->backing_bytes] = '\0';
    if (strlen(header->backing_name) != fields->backing_bytes)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: backing file name holds a zero byte");
    for (char *c = header->backing_name; *c; c++)
        if (*c < ' ' || *c == 127)
            *c = '?';
    return 0;
}

/* L1 must cover the disk and lie in the file. */
static int check_l1(const struct image_host *host,
                    const struct qcow2_header *header, struct error *err)
{
    uint64_t l1_bytes = (uint64_t)header->l1_entries * 8;
    uint64_t reach_bytes = header->cluster_bytes * header->l2_entries;
    uint64_t needed = header->virtual_bytes / reach_bytes +
                      (header->virtual_bytes % reach_bytes != 0);

    if (header->virtual_bytes > INT64_MAX)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: disk size %" PRIu64 " is not possible",
                         header->virtual_bytes);
    if (l1_bytes > MAX_L1_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L1 table of %" PRIu64
                         " bytes is larger than 32 MiB",
                         l1_bytes);
    if (header->l1_entries < needed)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L1 table of %" PRIu32
                         " entries is too small for a disk of %" PRIu64
                         " bytes",
                         header->l1_entries, header->virtual_bytes);
    if (l1_bytes == 0)
        return 0;
    if (header->l1_offset % header->cluster_bytes != 0 ||
        header->l1_offset == 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L1 table at %" PRIu64 " is not aligned",
                         header->l1_offset);
    if (header->l1_offset > host->size_bytes ||
        l1_bytes > host->size_bytes - header->l1_offset)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L1 table at %" PRIu64
                         " ends beyond the file (%" PRIu64
                         " bytes): truncated image?",
                         header->l1_offset, host->size_bytes);
    return 0;
}

/* Checks magic and version, before any other field is trusted. */
static int check_kind(const uint8_t *raw, uint64_t size_bytes,
                      struct error *err)
{
    uint32_t version = get_be32(raw + 4);

    if (size_bytes < V2_HEADER_BYTES || get_be32(raw) != MAGIC)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: not a QCOW2 image (wrong magic)");
    if (version == 1)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow: version 1 of QCOW is not supported; convert "
                         "it with qemu-img convert -O qcow2");
    if (version != 2 && version != 3)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: version %" PRIu32 " is not supported",
                         version);
    if (version == 3 && size_bytes < V3_HEADER_BYTES)
        return error_set(err, ERROR_FORMAT, 0, "qcow2: the header is cut off");
    return 0;
}

/* A format too long to be a known one counts as none. */
static bool find_backing_format(const struct image_host *host, uint32_t type,
                                uint64_t offset, uint32_t length, void *opaque)
{
    char *format = opaque;
    struct error ignored;

    if (type != EXTENSION_BACKING_FORMAT)
        return false;
    if (length > 0 && length < QCOW2_BACKING_FORMAT_BYTES &&
        host->read(host->opaque, format, length, offset, &ignored) < 0)
        format[0] = '\0';
    return false;
}

static int check_extensions(const struct image_host *host,
                            const struct fields *fields,
                            struct qcow2_header *header, struct error *err)
{
    uint64_t end = header->cluster_bytes;

    if (fields->backing_offset != 0)
        end = fields->backing_offset;
    if (end > host->size_bytes)
        end = host->size_bytes;
    if (end < header->header_bytes)
        return error_set(err, ERROR_FORMAT, 0, "qcow2: the header is cut off");
    memset(header->backing_format, 0, sizeof(header->backing_format));
    return walk_extensions(host, header, end, find_backing_format,
                           header->backing_format, err);
}

int qcow2_header_read(const struct image_host *host,
                      struct qcow2_header *header, struct error *err)
{
    uint8_t raw[HEAD_BYTES] = { 0 };
    size_t len = sizeof(raw);
    struct fields fields;

    if (host->size_bytes < len)
        len = (size_t)host->size_bytes;
    if (len > 0 && host->read(host->opaque, raw, len, 0, err) < 0)
        return -1;
    if (check_kind(raw, host->size_bytes, err) < 0)
        return -1;

    parse_fields(raw, &fields, header);
    if (check_shape(header, &fields, err) < 0)
        return -1;
    header->cluster_bytes = UINT64_C(1) << header->cluster_bits;
    header->virtual_bytes = fields.size_bytes & ~(SECTOR_BYTES - 1);
    if (check_features(host, &fields, header, err) < 0 ||
        check_encryption(&fields, err) < 0 ||
        read_backing_name(host, &fields, header, err) < 0 ||
        check_extensions(host, &fields, header, err) < 0)
        return -1;
    header->l2_entries = (uint32_t)(header->cluster_bytes /
                                    qcow2_l2_entry_bytes(header));
    return check_l1(host, header, err);
}
