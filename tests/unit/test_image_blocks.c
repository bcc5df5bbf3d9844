/* VDI, VHD, VHDX and VMDK, made by qemu here and now, against qemu's raw. */
#include "base/bytes.h"
#include "helpers/corpus.h"
#include "wire/crc32c.h"

#define MAX_RANGES 8

/* Headers and tables of an image: where a flipped bit must not pass. */
struct bytes_range {
    uint64_t offset, length; /* offset of QEMU's layout */
};

static const struct {
    const char *name, *qemu, *options;
    enum cw_format format;
    bool is_written; /* by qemu-io as well, in any order */
    struct bytes_range tables[MAX_RANGES];
} kinds[] = {
    { "vdi", "vdi", NULL, CW_FORMAT_VDI, true, { { 0x40, 0x200 } } },
    { "vdi fixed",
      "vdi",
      "static=on",
      CW_FORMAT_VDI,
      true,
      { { 0x40, 0x200 } } },
    { "vhd of a geometry", "vpc", NULL, CW_FORMAT_VHD, true, { { 0, 1564 } } },
    { "vhd", "vpc", "force_size=on", CW_FORMAT_VHD, true, { { 0, 1564 } } },
    { "vhd fixed",
      "vpc",
      "subformat=fixed,force_size=on",
      CW_FORMAT_VHD,
      true,
      { { DISK_BYTES, 512 } } },
    { "vhdx",
      "vhdx",
      NULL,
      CW_FORMAT_VHDX,
      true,
      { { 64 << 10, 80 },
        { 128 << 10, 80 },
        { 192 << 10, 80 },
        { 256 << 10, 80 },
        { 2 << 20, 200 },
        { (2 << 20) + 65536, 64 },
        { 3 << 20, 100 } } },
    { "vhdx of 1 MiB",
      "vhdx",
      "block_size=1M",
      CW_FORMAT_VHDX,
      true,
      { { 2 << 20, 200 }, { 3 << 20, 100 } } },
    { "vhdx of 256 MiB",
      "vhdx",
      "block_size=256M",
      CW_FORMAT_VHDX,
      false,
      { { 2 << 20, 200 } } },
    { "vhdx fixed",
      "vhdx",
      "subformat=fixed",
      CW_FORMAT_VHDX,
      true,
      { { 2 << 20, 200 }, { 3 << 20, 100 } } },
    { "vmdk",
      "vmdk",
      NULL,
      CW_FORMAT_VMDK,
      true,
      { { 0, 80 }, { 512, 400 }, { 13312, 3000 }, { 78848, 3000 } } },
    { "vmdk with zeros",
      "vmdk",
      "zeroed_grain=on",
      CW_FORMAT_VMDK,
      true,
      { { 0, 80 }, { 13312, 3000 } } },
    { "vmdk stream",
      "vmdk",
      "subformat=streamOptimized",
      CW_FORMAT_VMDK,
      false,
      { { 0, 80 }, { 512, 400 }, { 13312, 3000 }, { 131072, 65536 } } },
};

static void make_raw(uint64_t size_bytes, unsigned filled, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    uint8_t bytes[4096];

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)size_bytes), 0);
    for (uint64_t at = 0; at < size_bytes; at += sizeof(bytes)) {
        size_t len = sizeof(bytes);

        if (len > size_bytes - at)
            len = (size_t)(size_bytes - at);
        if (pick(100) >= filled)
            continue;
        memset(bytes, 0xa5, len);
        for (size_t i = 0; i < len && pick(2) == 0; i++)
            bytes[i] = (uint8_t)pick(256);
        assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    }
    close(fd);
}

/* qemu does not know a fixed VHD by itself.  Returns its exit status. */
static int back_to_raw(size_t kind)
{
    struct command c = { 0 };

    unlink(raw_path);
    command_add(&c, "qemu-img");
    command_add(&c, "convert");
    command_add(&c, "-f%s", kinds[kind].qemu);
    command_add(&c, "-Oraw");
    command_add(&c, "%s", image_path);
    command_add(&c, "%s", raw_path);
    return command_run(&c, NULL);
}

static void same_as_qemus(size_t kind)
{
    struct image_options options = { .path = image_path };
    enum cw_format formats[] = { CW_FORMAT_AUTO, kinds[kind].format };
    const uint8_t *want;
    size_t len;

    assert_int_equal(back_to_raw(kind), 0);
    want = map_raw(&len);
    for (size_t i = 0; i < ARRAY_LEN(formats); i++) {
        struct reader reader;
        struct error err;

        options.format = formats[i];
        if (reader_open(&reader, &options, &err) < 0)
            fail_msg("%s", err.text);
        assert_int_equal(reader.image->format, kinds[kind].format);
        assert_int_equal(reader.image->virtual_bytes, len);
        if (reader_run(&reader, want, &err) < 0 ||
            read_randomly(&reader, len, &err) < 0)
            fail_msg("%s", err.text);
        reader_close(&reader);
    }
    munmap((void *)(uintptr_t)want, len);
}

static void test_converted(void **state)
{
    static const struct {
        uint64_t size_bytes;
        unsigned filled; /* percent */
    } disks[] = {
        { 512, 100 },        { 65536, 0 },    { DISK_BYTES, 20 },
        { DISK_BYTES, 100 }, { 34 * MIB, 5 },
    };

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        CASE(kinds[k].name);
        for (size_t i = 0; i < ARRAY_LEN(disks); i++) {
            make_raw(disks[i].size_bytes, disks[i].filled, other_path);
            convert(kinds[k].qemu, kinds[k].options, other_path, image_path,
                    false);
            same_as_qemus(k);
        }
    }
}

/* Blocks in any order, zeros written over data, and discards. */
static void write_to_image(size_t kind)
{
    struct command c = { 0 };

    command_add(&c, "qemu-io");
    command_add(&c, "-d");
    command_add(&c, "unmap");
    command_add(&c, "-f");
    command_add(&c, "%s", kinds[kind].qemu);
    for (int i = 0; i < WRITES; i++)
        add_random_write(&c);
    command_add(&c, "%s", image_path);
    /* 1: this format has no zeros or discards; the data were written. */
    assert_in_range(command_run(&c, NULL), 0, 1);
}

static void test_written(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        if (!kinds[k].is_written)
            continue;
        CASE(kinds[k].name);
        make_raw(DISK_BYTES, 0, other_path);
        convert(kinds[k].qemu, kinds[k].options, other_path, image_path, false);
        write_to_image(k);
        same_as_qemus(k);
    }
}

/* Opens and reads all of the image.  True: it was not refused. */
static bool is_read(const uint8_t *want, size_t len, enum cw_format format)
{
    struct image_options options = { .path = image_path, .format = format };
    struct error err = { 0 };
    struct reader reader;
    bool ok = reader_open(&reader, &options, &err) == 0;

    if (ok && reader.image->virtual_bytes != len)
        fail_msg("a disk of %ju bytes", (uintmax_t)reader.image->virtual_bytes);
    ok = ok && reader_run(&reader, want, &err) == 0;
    reader_close(&reader);
    if (!ok && (err.kind != ERROR_FORMAT || !strstr(err.text, image_path)))
        fail_msg("%s", err.text);
    return ok;
}

/* What is read of a file that was cut off, is right. */
static void test_cut_off(void **state)
{
    const uint8_t *want;
    size_t len;

    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        unsigned refusals = 0;
        struct stat st;

        CASE(kinds[k].name);
        make_raw(DISK_BYTES, 60, other_path);
        convert(kinds[k].qemu, kinds[k].options, other_path, image_path, false);
        assert_int_equal(back_to_raw(k), 0);
        want = map_raw(&len);
        assert_int_equal(stat(image_path, &st), 0);
        for (int i = 1; i <= 10; i++) {
            assert_int_equal(
                truncate(image_path, st.st_size - st.st_size * i / 10), 0);
            if (!is_read(want, len, kinds[k].format))
                refusals++;
        }
        /* An unused end of the last block may be missing. */
        assert_true(refusals > 0);
        munmap((void *)(uintptr_t)want, len);
    }
}

/* Read as before, or as QEMU reads it now, or refused. */
static void flip_one(size_t kind, int fd, const uint8_t *good, size_t good_len,
                     unsigned counts[2])
{
    const struct bytes_range *range;
    uint8_t byte, flipped;
    struct stat st;
    uint64_t at;

    do
        range = &kinds[kind].tables[pick(MAX_RANGES)];
    while (range->length == 0);
    at = range->offset + pick(range->length);
    assert_int_equal(fstat(fd, &st), 0);
    if (at >= (uint64_t)st.st_size)
        return;
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    flipped = (uint8_t)(byte ^ 1 << pick(8));
    assert_int_equal(pwrite(fd, &flipped, 1, (off_t)at), 1);
    if (back_to_raw(kind) == 0) {
        size_t len;
        const uint8_t *want = map_raw(&len);
        bool is_same = len == good_len && memcmp(want, good, len) == 0;

        print_message("      bit at %ju\n", (uintmax_t)at);
        if (is_same || len <= 8 * DISK_BYTES)
            counts[is_read(want, len, kinds[kind].format)]++;
        munmap((void *)(uintptr_t)want, len);
    } else {
        counts[is_read(good, good_len, kinds[kind].format)]++;
    }
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
}

static void test_bits_flipped(void **state)
{
    (void)state;
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        unsigned counts[2] = { 0 };
        const uint8_t *good;
        size_t len;
        int fd;

        CASE(kinds[k].name);
        make_raw(DISK_BYTES, 20, other_path);
        convert(kinds[k].qemu, kinds[k].options, other_path, image_path, false);
        assert_int_equal(back_to_raw(k), 0);
        good = map_raw(&len);
        fd = open(image_path, O_RDWR | O_CLOEXEC);
        for (int i = 0; i < 25; i++)
            flip_one(k, fd, good, len, counts);
        assert_true(counts[0] > 0);
        close(fd);
        munmap((void *)(uintptr_t)good, len);
    }
}

/* ---- refusals ---- */

static void patch(uint64_t at, const void *bytes, size_t len)
{
    int fd = open(image_path, O_RDWR | O_CLOEXEC);

    assert_int_equal(pwrite(fd, bytes, len, (off_t)at), len);
    close(fd);
}

static void mend_vhd(uint64_t at, size_t len, size_t sum_at)
{
    int fd = open(image_path, O_RDWR | O_CLOEXEC);
    uint8_t raw[1024];
    uint32_t sum = 0;

    assert_int_equal(pread(fd, raw, len, (off_t)at), len);
    close(fd);
    memset(raw + sum_at, 0, 4);
    for (size_t i = 0; i < len; i++)
        sum += raw[i];
    put_be32(raw + sum_at, ~sum);
    patch(at, raw, len);
}

static void mend_vhdx(uint64_t at, size_t len)
{
    int fd = open(image_path, O_RDWR | O_CLOEXEC);
    static uint8_t raw[65536];
    uint32_t crc;

    assert_int_equal(pread(fd, raw, len, (off_t)at), len);
    close(fd);
    memset(raw + 4, 0, 4);
    crc = htole32(crc32c(0, raw, len));
    memcpy(raw + 4, &crc, sizeof(crc));
    patch(at, raw, len);
}

static void mend_sums(void)
{
    uint8_t magic[8];
    int fd = open(image_path, O_RDONLY | O_CLOEXEC);

    assert_int_equal(pread(fd, magic, sizeof(magic), 0), sizeof(magic));
    close(fd);
    if (memcmp(magic, "conectix", 8) == 0) {
        mend_vhd(0, 512, 64);
        mend_vhd(512, 1024, 36);
    } else if (memcmp(magic, "vhdxfile", 8) == 0) {
        mend_vhdx(64 << 10, 4096);
        mend_vhdx(128 << 10, 4096);
        mend_vhdx(192 << 10, 65536);
        mend_vhdx(256 << 10, 65536);
    }
}

/* Full images of QEMU, of which a few bytes are others. */
static const struct {
    const char *format, *options;
    uint64_t at;
    const char *bytes;
    size_t len;
    const char *want;
} refusals[] = {
    /* clang-format off */
    { "vdi", NULL, 0x44, "\0", 1, "version 1.0 is not supported" },
    { "vdi", NULL, 0x4c, "\4", 1, "differencing image" },
    { "vdi", NULL, 0x4c, "\7", 1, "image type 7" },
    { "vdi", NULL, 0x1a8, "\1", 1, "needs its parent" },
    { "vdi", NULL, 0x1b8, "\1", 1, "needs its parent" },
    { "vdi", NULL, 0x178, "\0\0\1", 3, "blocks of 65536" },
    { "vdi", NULL, 0x170, "\0\0\0\0\0\0\0\1", 8, "disk size 72057594037927936" },
    { "vdi", NULL, 0x180, "\xff\xff\xff\xf", 4, "does not match a disk" },
    { "vdi", NULL, 0x154, "\0\0\0\x70", 4, "ends beyond the file" },
    { "vdi", NULL, 0x154, "\0\0\0\0", 4, "overlaps" },
    { "vdi", NULL, 0x158, "\0\2", 2, "overlaps" },
    { "vdi", NULL, 0x158, "\0\0\0\x70", 4, "ends beyond the file" },
    { "vdi", NULL, 512 + 4, "\0\0\0\0", 4, "overlaps" },
    { "vdi", NULL, 512 + 4, "\xfd\xff\xff\xff", 4, "but the image has 13 blocks" },
    { "vpc", "force_size=on", 0, "C", 1, "is of a dynamic disk" },
    { "vpc", "force_size=on", 12, "\0\2", 2, "version 0x00020000" },
    { "vpc", "force_size=on", 60, "\0\0\0\4", 4, "differencing disk" },
    { "vpc", "force_size=on", 60, "\0\0\0\5", 4, "disk type 5" },
    { "vpc", "force_size=on", 48, "\1", 1, "disk size" },
    { "vpc", "force_size=on", 48, "\0\0\0\x40", 4, "too small for a disk" },
    { "vpc", "force_size=on", 16, "\0\0\1", 3, "ends beyond the file" },
    { "vpc", "force_size=on", 512 + 16, "\0\0\1", 3, "ends beyond the file" },
    { "vpc", "force_size=on", 512 + 16, "\0\0\0\0\0\0\2", 7, "overlaps" },
    { "vpc", "force_size=on", 512 + 24, "\0\2", 2, "header version" },
    { "vpc", "force_size=on", 512 + 28, "\xff\xff\xff\xff", 4, "ends beyond the file" },
    { "vpc", "force_size=on", 512 + 32, "\0\x20\0\1", 4, "blocks of 2097153" },
    { "vpc", "force_size=on", 1536, "\0\0\0\0", 4, "overlaps" },
    { "vpc", "force_size=on", 1536, "\0\xff\0\0", 4, "ends beyond the file" },
    { "vhdx", "block_size=1M", (192 << 10) + 8, "\0\x10", 2, "4096 entries" },
    { "vhdx", "block_size=1M", (192 << 10) + 16, "\1", 1, "no block allocation table" },
    { "vhdx", "block_size=1M", (192 << 10) + 16, "\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 29, "unknown region" },
    { "vhdx", "block_size=1M", (192 << 10) + 37, "\1", 1, "ends beyond the file" },
    { "vhdx", "block_size=1M", (192 << 10) + 32, "\1", 1, "not aligned" },
    { "vhdx", "block_size=1M", (3 << 20) + 10, "\0\x10", 2, "no metadata table" },
    { "vhdx", "block_size=1M", (3 << 20) + 32 + 19, "\1", 1, "is not valid" },
    { "vhdx", "block_size=1M", (3 << 20) + 65536 + 4, "\2", 1, "differencing disk" },
    { "vhdx", "block_size=1M", (3 << 20) + 65536, "\1", 1, "blocks of 1048577" },
    { "vhdx", "block_size=1M", (3 << 20) + 65536 + 8, "\1", 1, "disk size" },
    { "vhdx", "block_size=1M", (3 << 20) + 65536 + 14, "\1", 1, "disk size" },
    { "vhdx", "block_size=1M", (3 << 20) + 65536 + 13, "\1", 1, "too small for a disk" },
    { "vhdx", "block_size=1M", 2 << 20, "\7", 1, "is not valid" },
    { "vhdx", "block_size=1M", 2 << 20, "\4", 1, "is not valid" },
    { "vhdx", "block_size=1M", 2 << 20, "\6\1", 2, "is not valid" },
    { "vhdx", "block_size=1M", (2 << 20) + 2, "\x20", 1, "overlaps" },
    { "vhdx", "block_size=1M", (2 << 20) + 5, "\1", 1, "ends beyond the file" },
    { "vmdk", NULL, 4, "\4", 1, "version 4" },
    { "vmdk", NULL, 9, "\1", 1, "flags 0x103" },
    { "vmdk", NULL, 10, "\1", 1, "compression 0" },
    { "vmdk", NULL, 73, "\r", 1, "text mode" },
    { "vmdk", NULL, 12, "\0\0\0\0\0\1", 6, "the descriptor" },
    { "vmdk", NULL, 20, "\x81", 1, "grains of 129" },
    { "vmdk", NULL, 44, "\0\4", 2, "in tables of 1024" },
    { "vmdk", NULL, 56, "\0\0\0\1", 4, "ends beyond the file" },
    { "vmdk", NULL, 56, "\1", 1, "overlaps" },
    { "vmdk", NULL, 56, "\xff\xff\xff\xff\xff\xff\xff\xff", 8, "no footer" },
    { "vmdk", NULL, 28, "\0", 1, "no descriptor" },
    { "vmdk", NULL, 512, "#parentCID=12345678\n\nparentCID=01234567\n#", 41, "needs its" },
    { "vmdk", NULL, 512, "\nRW 1 FLAT \"a\" 0\nRW 2 SPARSE \"b\"\n#", 34, "several files" },
    { "vmdk", NULL, 512, "\nRW 1 SPARSE \"a\"\nRW 2 SPARSE \"b\"\n#", 34, "several files" },
    { "vmdk", NULL, 512, "\ncreateType=\"monolithicFlat\"\n#", 31, "monolithicFlat" },
    /* clang-format on */
};

static void test_refused(void **state)
{
    (void)state;
    make_raw(DISK_BYTES, 100, other_path);
    for (size_t i = 0; i < ARRAY_LEN(refusals); i++) {
        char name[64];

        snprintf(name, sizeof(name), "%s %ju: %s", refusals[i].format,
                 (uintmax_t)refusals[i].at, refusals[i].want);
        CASE(name);
        convert(refusals[i].format, refusals[i].options, other_path, image_path,
                false);
        patch(refusals[i].at, refusals[i].bytes, refusals[i].len);
        mend_sums();
        refused(refusals[i].want);
    }
}

static void test_log_with_entries(void **state)
{
    (void)state;
    make_raw(DISK_BYTES, 100, other_path);
    convert("vhdx", NULL, other_path, image_path, false);
    patch((64 << 10) + 48, "\1", 1);
    patch((128 << 10) + 48, "\1", 1);
    mend_sums();
    refused("log has to be replayed");
}

static void test_disk_in_several_files(void **state)
{
    static const struct {
        const char *options, *data;
    } kinds_of_vmdk[] = {
        { "subformat=monolithicFlat", "-flat" },
        { "subformat=twoGbMaxExtentSparse", "-s001" },
        { "subformat=twoGbMaxExtentFlat", "-f001" },
    };

    (void)state;
    make_raw(DISK_BYTES, 100, other_path);
    for (size_t i = 0; i < ARRAY_LEN(kinds_of_vmdk); i++) {
        char data_path[80];

        CASE(kinds_of_vmdk[i].options);
        convert("vmdk", kinds_of_vmdk[i].options, other_path, image_path,
                false);
        refused("VMDK descriptor");
        snprintf(data_path, sizeof(data_path), "%s%s", image_path,
                 kinds_of_vmdk[i].data);
        assert_int_equal(unlink(data_path), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_converted),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_bits_flipped),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_log_with_entries),
        cmocka_unit_test(test_disk_in_several_files),
    };

    if (!command_exists("qemu-img") || !command_exists("qemu-io")) {
        print_message("skipped: needs qemu-img and qemu-io\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
