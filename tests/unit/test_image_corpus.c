/* QCOW2 of every kind, made by qemu here and now, against qemu's own raw. */
#include "helpers/corpus.h"

static const struct {
    const char *options;
    bool with_compressed;
} kinds[] = {
    { "compat=0.10", false },
    { "compat=0.10", true },
    { "compat=0.10,cluster_size=512", false },
    { "cluster_size=512", false },
    { "cluster_size=512", true },
    { "cluster_size=1k", true },
    { "cluster_size=4k", true },
    { "cluster_size=64k", false },
    { "cluster_size=64k", true },
    { "cluster_size=256k", true },
    { "cluster_size=2M", true },
    { "refcount_bits=1", false },
    { "refcount_bits=64", true },
    { "lazy_refcounts=on", true },
    { "compression_type=zstd", true },
    { "compression_type=zstd,cluster_size=2M", true },
    { "extended_l2=on", false },
    { "extended_l2=on,cluster_size=16k", true },
    { "extended_l2=on,cluster_size=2M", true },
    { "extended_l2=on,compression_type=zstd", true },
    { "preallocation=metadata", false },
    { "preallocation=falloc", false },
    { "preallocation=full", false },
};

static void test_every_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        CASE(kinds[i].options);
        create(kinds[i].options, DISK_BYTES);
        compare_with_qemu(); /* empty */
        write_randomly(kinds[i].with_compressed);
        compare_with_qemu();
    }
}

static void test_written_by_convert(void **state)
{
    static const char *options[] = {
        "compat=0.10",
        "cluster_size=512",
        "cluster_size=64k",
        "cluster_size=2M",
        "compression_type=zstd,cluster_size=64k",
    };

    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(false);
    convert("raw", NULL, image_path, raw_path, false);
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CASE(options[i]);
        convert("qcow2", options[i], raw_path, image_path, true);
        compare(CW_FORMAT_AUTO);
        convert("qcow2", options[i], raw_path, image_path, false);
        compare(CW_FORMAT_QCOW2);
    }
}

static void qemu_img(const char *verb, const char *option, const char *value)
{
    struct command c = { 0 };

    command_add(&c, "qemu-img");
    command_add(&c, "%s", verb);
    if (option)
        command_add(&c, "%s", option);
    command_add(&c, "%s", value);
    command_add(&c, "%s", image_path);
    run(&c, NULL);
}

static void test_snapshot_is_not_the_disk(void **state)
{
    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(true);
    qemu_img("snapshot", "-c", "before");
    write_randomly(false);
    compare_with_qemu();
    qemu_img("snapshot", "-a", "before");
    compare_with_qemu();
}

static void resize(const char *option, const char *size)
{
    struct command c = { 0 };

    command_add(&c, "qemu-img");
    command_add(&c, "resize");
    command_add(&c, "-q");
    if (option)
        command_add(&c, "%s", option);
    command_add(&c, "%s", image_path);
    command_add(&c, "%s", size);
    run(&c, NULL);
}

static void test_resized(void **state)
{
    (void)state;
    create("cluster_size=4k", DISK_BYTES);
    write_randomly(true);
    resize(NULL, "20M");
    compare_with_qemu();
    resize("--shrink", "5120000");
    compare_with_qemu();
}

static void append(const char *path, size_t len)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);

    for (size_t i = 0; i < len; i++) {
        uint8_t byte = (uint8_t)pick(256);

        assert_int_equal(write(fd, &byte, 1), 1);
    }
    close(fd);
}

static void test_garbage_behind_it(void **state)
{
    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(true);
    append(image_path, 12345);
    compare_with_qemu();
}

static void test_not_closed_cleanly(void **state)
{
    int fd;

    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(true);
    convert("raw", NULL, image_path, raw_path, false);
    fd = open(image_path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "\1", 1, 79), 1);
    close(fd);
    compare(CW_FORMAT_AUTO);
}

/* The very bytes of the file, though they are a sound QCOW2. */
static void test_said_to_be_raw(void **state)
{
    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(false);
    unlink(raw_path);
    assert_int_equal(link(image_path, raw_path), 0);
    compare(CW_FORMAT_RAW);
}

static void test_64_tib(void **state)
{
    struct image_options options = { .path = image_path };
    struct extent_list list = { 0 };
    struct image *img;
    struct command c = { 0 };
    struct error err;
    uint64_t last = (UINT64_C(64) << 40) - 65536;

    (void)state;
    create("cluster_size=64k", UINT64_C(64) << 40);
    command_add(&c, "qemu-io");
    command_add(&c, "-c");
    command_add(&c, "write -P 7 %ju 65536", last);
    command_add(&c, "-c");
    command_add(&c, "write -P 7 1T 131072");
    command_add(&c, "%s", image_path);
    run(&c, NULL);
    if (image_open(&options, &img, &err) < 0 ||
        image_map(img, 0, img->virtual_bytes, &list, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(list.count, 4);
    assert_int_equal(list.items[1].offset, UINT64_C(1) << 40);
    assert_int_equal(list.items[1].length, 131072);
    assert_int_equal(list.items[3].offset, last);
    extent_list_fini(&list);
    image_close(img);
}

static void test_refused_kinds(void **state)
{
    char options[128];

    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    rename(image_path, other_path);
    snprintf(options, sizeof(options), "data_file=%s", other_path);
    create(options, DISK_BYTES);
    refused("external data file");

    convert("qcow", NULL, other_path, image_path, false);
    refused("QCOW version 1");
}

/* Whatever was cut off: an error, or it was not needed. */
static void test_every_truncation(void **state)
{
    struct image_options options = { .path = image_path };
    struct stat st;
    const uint8_t *want;
    unsigned refusals = 0;
    size_t len;

    (void)state;
    create("cluster_size=64k", DISK_BYTES);
    write_randomly(true);
    convert("raw", NULL, image_path, raw_path, false);
    want = map_raw(&len);
    assert_int_equal(stat(image_path, &st), 0);
    for (off_t size = st.st_size - 100; size > 0; size -= st.st_size / 40) {
        struct reader reader;
        struct error err = { 0 };

        assert_int_equal(truncate(image_path, size), 0);
        if (reader_open(&reader, &options, &err) < 0 ||
            reader_run(&reader, want, &err) < 0) {
            refusals++;
            if (err.kind != ERROR_FORMAT)
                fail_msg("cut to %jd: %s", (intmax_t)size, err.text);
        }
        reader_close(&reader);
    }
    /* How many are not needed is up to the random writes and discards. */
    assert_in_range(refusals, 1, 50);
    munmap((void *)(uintptr_t)want, len);
}

/* What we read of an image that qemu reads as well: the same. */
static void same_as_qemu(const char *flip)
{
    struct image_options options = {
        .path = image_path,
        .format = CW_FORMAT_QCOW2,
    };
    struct command c = { 0 };
    struct reader reader;
    struct error err;
    const uint8_t *want;
    size_t len;

    unlink(raw_path);
    command_add(&c, "qemu-img");
    command_add(&c, "convert");
    command_add(&c, "-fqcow2");
    command_add(&c, "-Oraw");
    command_add(&c, "%s", image_path);
    command_add(&c, "%s", raw_path);
    if (command_run(&c, NULL) != 0)
        return; /* it looks at refcounts, which we do without */
    want = map_raw(&len);
    if (reader_open(&reader, &options, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(reader.image->virtual_bytes, len);
    if (reader_run(&reader, want, &err) < 0)
        fail_msg("%s: %s", flip, err.text);
    reader_close(&reader);
    munmap((void *)(uintptr_t)want, len);
}

/* No checksum guards an image, so what a flip makes of it may be read; then
 * as qemu reads it.  It may not harm us: run this under the sanitizers. */
static void test_random_bits_flipped(void **state)
{
    struct image_options options = { .path = image_path };
    unsigned refusals = 0, compared = 0;
    int fd;

    (void)state;
    create("cluster_size=4k", DISK_BYTES);
    write_randomly(true);
    fd = open(image_path, O_RDWR | O_CLOEXEC);
    for (int i = 0; i < 150; i++) {
        struct error err = { 0 };
        struct reader reader;
        uint8_t good, bad;
        off_t at = (off_t)pick(pick(2) ? 128 : 8 * 4096);
        bool is_read;

        assert_int_equal(pread(fd, &good, 1, at), 1);
        bad = (uint8_t)(good ^ 1 << pick(8));
        assert_int_equal(pwrite(fd, &bad, 1, at), 1);
        options.format = CW_FORMAT_QCOW2;
        is_read = reader_open(&reader, &options, &err) == 0 &&
                  reader.first->virtual_bytes <= 8 * DISK_BYTES &&
                  reader_run(&reader, NULL, &err) == 0;
        reader_close(&reader);
        if (err.kind != ERROR_NONE) {
            refusals++;
            if (err.kind != ERROR_FORMAT)
                fail_msg("bit at %jd: %s", (intmax_t)at, err.text);
        } else if (is_read && compared++ < 40) {
            char flip[64];

            snprintf(flip, sizeof(flip), "0x%02x for 0x%02x at %jd", bad, good,
                     (intmax_t)at);
            same_as_qemu(flip);
        }
        assert_int_equal(pwrite(fd, &good, 1, at), 1);
    }
    close(fd);
    assert_in_range(refusals, 20, 150);
    assert_in_range(compared, 10, 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind),
        cmocka_unit_test(test_written_by_convert),
        cmocka_unit_test(test_snapshot_is_not_the_disk),
        cmocka_unit_test(test_resized),
        cmocka_unit_test(test_garbage_behind_it),
        cmocka_unit_test(test_not_closed_cleanly),
        cmocka_unit_test(test_said_to_be_raw),
        cmocka_unit_test(test_64_tib),
        cmocka_unit_test(test_refused_kinds),
        cmocka_unit_test(test_every_truncation),
        cmocka_unit_test(test_random_bits_flipped),
    };

    if (!command_exists("qemu-img") || !command_exists("qemu-io")) {
        print_message("skipped: needs qemu-img and qemu-io\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
