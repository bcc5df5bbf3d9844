/* Disks inside gzip and xz, made by those programs here and now. */
#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "helpers/command.h"
#include "helpers/read_image.h"
#include "image/image.h"
#include "unit.h"

#define DISK_BYTES ((UINT64_C(9) << 20) + 1536)

static unsigned seed;
static char directory[] = "/tmp/clonewire-stream-XXXXXX";
static char image_path[64], raw_path[64], part_path[64], qcow2_path[64];
static uint8_t *want;

static uint64_t pick(uint64_t below)
{
    return ((uint64_t)rand_r(&seed) << 16 ^ (uint64_t)rand_r(&seed)) % below;
}

static void write_file(const char *path, const void *bytes, size_t len,
                       int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, len), len);
    assert_int_equal(close(fd), 0);
}

/* Appends what `words` makes of [offset, offset+length) of the raw disk. */
static void pack(const char *words, uint64_t offset, uint64_t length)
{
    struct command c = { 0 };
    char copy[128], *rest = copy, *word;
    struct stat st;
    void *bytes;
    int fd;

    write_file(part_path, want + offset, length, O_TRUNC);
    snprintf(copy, sizeof(copy), "%s", words);
    while ((word = strsep(&rest, " ")))
        command_add(&c, "%s", word);
    command_add(&c, "%s", part_path);
    assert_int_equal(command_run(&c, raw_path), 0);

    fd = open(raw_path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &st), 0);
    bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    write_file(image_path, bytes, (size_t)st.st_size, O_APPEND);
    munmap(bytes, (size_t)st.st_size);
    close(fd);
}

static void start_image(void)
{
    unlink(image_path);
}

static int read_randomly(struct reader *reader, struct error *err)
{
    for (int i = 0; i < 4; i++) {
        uint64_t at = pick(DISK_BYTES);
        uint64_t left = DISK_BYTES - at;

        if (reader_start(reader, at,
                         (size_t)(1 + pick(left < 1 << 20 ? left : 1 << 20)),
                         err) < 0)
            return -1;
    }
    return reader_finish(reader, err);
}

/* Reads it all, in order and then not.  0, or -1 with *err. */
static int read_all(const struct image_options *options, const char *format,
                    const uint8_t *bytes, struct error *err)
{
    struct reader reader;
    int r = reader_open(&reader, options, err);

    if (r == 0) {
        assert_int_equal(reader.image->virtual_bytes, DISK_BYTES);
        assert_string_equal(reader.image->format_text, format);
        r = reader_run(&reader, bytes, err);
    }
    if (r == 0)
        r = image_finish(reader.image, err);
    if (r == 0)
        r = read_randomly(&reader, err);
    reader_close(&reader);
    return r;
}

static void reads_right(const char *format)
{
    struct image_options options = { .path = image_path };
    struct error err;

    if (read_all(&options, format, want, &err) < 0)
        fail_msg("%s", err.text);
}

static void refused(const struct image_options *options, const char *words)
{
    struct error err;

    assert_int_equal(read_all(options, "raw in gzip", want, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    if (!strstr(err.text, words) || !strstr(err.text, image_path))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_gzip(void **state)
{
    (void)state;
    start_image();
    pack("gzip -1 -c", 0, DISK_BYTES);
    reads_right("raw in gzip");

    CASE("many members");
    start_image();
    for (uint64_t at = 0; at < DISK_BYTES;) {
        uint64_t len = 1 + pick(3000000);

        if (len > DISK_BYTES - at)
            len = DISK_BYTES - at;
        pack("gzip -1 -c", at, len);
        at += len;
    }
    reads_right("raw in gzip");

    CASE("padded with zeros");
    write_file(image_path, (uint8_t[70000]){ 0 }, 70000, O_APPEND);
    reads_right("raw in gzip");
}

static void test_gzip_of_known_size(void **state)
{
    struct image_options options = {
        .path = image_path,
        .format = CW_FORMAT_RAW,
        .compression = IMAGE_COMPRESSION_GZIP,
        .stream_bytes = DISK_BYTES,
    };
    struct reader reader;
    struct error err;

    (void)state;
    start_image();
    pack("gzip -1 -c", 0, DISK_BYTES);
    assert_int_equal(reader_open(&reader, &options, &err), 0);
    assert_true(reader.image->is_sequential);
    reader_close(&reader);
    if (read_all(&options, "raw in gzip", want, &err) < 0)
        fail_msg("%s", err.text);

    options.stream_bytes = DISK_BYTES - 1;
    assert_int_equal(reader_open(&reader, &options, &err), 0);
    assert_int_equal(reader_run(&reader, want, &err), -1);
    assert_non_null(strstr(err.text, "holds more than the expected"));
    reader_close(&reader);

    options.stream_bytes = DISK_BYTES + 1;
    assert_int_equal(reader_open(&reader, &options, &err), 0);
    assert_int_equal(reader_run(&reader, NULL, &err), -1);
    assert_non_null(strstr(err.text, "fewer than the expected"));
    reader_close(&reader);
}

static void test_bad_gzip(void **state)
{
    struct image_options options = { .path = image_path };
    struct stat st;

    (void)state;
    start_image();
    pack("gzip -1 -c", 0, DISK_BYTES);
    assert_int_equal(stat(image_path, &st), 0);

    CASE("trailing garbage");
    write_file(image_path, "garbage", 7, O_APPEND);
    refused(&options, "trailing garbage");
    assert_int_equal(truncate(image_path, st.st_size), 0);
    CASE("garbage after zeros");
    write_file(image_path, "\0\0\0\0x", 5, O_APPEND);
    refused(&options, "trailing garbage");

    for (off_t cut = 1; cut < 20; cut++) {
        assert_int_equal(truncate(image_path, st.st_size - cut), 0);
        refused(&options, "cut off");
    }
    for (off_t size = st.st_size / 2; size > 18; size /= 3) {
        assert_int_equal(truncate(image_path, size), 0);
        refused(&options, "cut off");
    }
}

/* Every byte stands under a checksum: no flip may harm. */
static void flip_bits(int count, uint64_t from, const char *format)
{
    struct image_options options = {
        .path = image_path,
        .compression = strstr(format, "gzip") ? IMAGE_COMPRESSION_GZIP
                                              : IMAGE_COMPRESSION_XZ,
    };
    int fd = open(image_path, O_RDWR | O_CLOEXEC);
    int refusals = 0;
    struct stat st;

    assert_int_equal(fstat(fd, &st), 0);
    for (int i = 0; i < count; i++) {
        off_t at = (off_t)(from + pick((uint64_t)st.st_size - from));
        uint8_t good, bad;
        struct error err;
        int r;

        assert_int_equal(pread(fd, &good, 1, at), 1);
        bad = (uint8_t)(good ^ 1 << pick(8));
        assert_int_equal(pwrite(fd, &bad, 1, at), 1);
        /* A checksum stands behind what it proves: wrong bytes may come,
         * but not without an error after them. */
        r = read_all(&options, format, NULL, &err);
        if (r == 0 && read_all(&options, format, want, &err) < 0)
            fail_msg("the flip at %jd: %s", (intmax_t)at, err.text);
        if (r < 0 && err.kind != ERROR_FORMAT)
            fail_msg("flip at %jd: %s", (intmax_t)at, err.text);
        refusals += r < 0;
        assert_int_equal(pwrite(fd, &good, 1, at), 1);
    }
    close(fd);
    /* What no cluster of a qcow2 uses may go by, and a copy of zeros from
     * another place among zeros. */
    assert_in_range(refusals, strstr(format, "raw") ? count / 2 : 1, count);
}

static void test_flips(void **state)
{
    (void)state;
    CASE("gzip");
    start_image();
    pack("gzip -1 -n -c", 0, DISK_BYTES);
    flip_bits(10, 10, "raw in gzip"); /* time and system are no content */
    CASE("xz");
    start_image();
    pack("xz -0 -T2 --block-size=1MiB -c", 0, DISK_BYTES);
    flip_bits(10, 0, "raw in xz");
}

static void test_xz(void **state)
{
    static const char *commands[] = {
        "xz -0 -T1 -c",           "xz -0 -T2 --block-size=1MiB -c",
        "xz -0 --check=crc32 -c", "xz -0 --check=sha256 --block-size=300KiB -c",
        "xz -0 --check=none -c",  "xz -0 --delta=dist=4 --lzma2=preset=0 -c",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
        CASE(commands[i]);
        start_image();
        pack(commands[i], 0, DISK_BYTES);
        reads_right("raw in xz");
    }
    CASE("several streams, padded");
    start_image();
    pack("xz -0 -c", 0, 5000000);
    write_file(image_path, "\0\0\0\0", 4, O_APPEND);
    pack("xz -0 --block-size=1MiB -c", 5000000, DISK_BYTES - 5000000);
    reads_right("raw in xz");
}

static void test_bad_xz(void **state)
{
    struct image_options options = {
        .path = image_path,
        .compression = IMAGE_COMPRESSION_XZ,
    };
    char place[48];
    struct stat st;

    (void)state;
    start_image();
    pack("xz -0 --block-size=1MiB -c", 0, DISK_BYTES);
    assert_int_equal(stat(image_path, &st), 0);
    CASE("trailing garbage");
    write_file(image_path, "garbage!", 8, O_APPEND);
    refused(&options, "trailing garbage");
    write_file(image_path, "!", 1, O_APPEND);
    snprintf(place, sizeof(place),
             "near byte %lld:", (long long)st.st_size + 9);
    refused(&options, place);
    for (off_t size = st.st_size - 1; size > 0; size -= st.st_size / 12) {
        struct error err;

        assert_int_equal(truncate(image_path, size), 0);
        assert_int_equal(read_all(&options, "raw in xz", want, &err), -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
    }

    CASE("too large a dictionary");
    start_image();
    pack("xz --lzma2=preset=0,dict=256MiB -c", 0, 1000);
    refused(&options, "MiB to decode");
}

static void qemu_convert(const char *options)
{
    struct command c = { 0 };

    write_file(raw_path, want, DISK_BYTES, O_TRUNC);
    unlink(qcow2_path);
    command_add(&c, "qemu-img");
    command_add(&c, "convert");
    command_add(&c, "-O");
    command_add(&c, "qcow2");
    command_add(&c, "-W");
    command_add(&c, "-o");
    command_add(&c, "%s", options);
    command_add(&c, "%s", raw_path);
    command_add(&c, "%s", qcow2_path);
    assert_int_equal(command_run(&c, NULL), 0);
}

static void pack_qcow2(const char *program, const char *option)
{
    struct command c = { 0 };

    command_add(&c, "%s", program);
    command_add(&c, "-1");
    command_add(&c, "-c");
    if (option)
        command_add(&c, "%s", option);
    command_add(&c, "%s", qcow2_path);
    unlink(image_path);
    assert_int_equal(command_run(&c, image_path), 0);
}

static void test_qcow2_inside(void **state)
{
    static const char *options[] = {
        "cluster_size=64k",
        "cluster_size=4k",
        "cluster_size=2M",
    };

    (void)state;
    if (!command_exists("qemu-img"))
        skip();
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        CASE(options[i]);
        qemu_convert(options[i]);
        pack_qcow2("gzip", NULL);
        reads_right("qcow2 in gzip");
        pack_qcow2("xz", "--block-size=1MiB");
        reads_right("qcow2 in xz");
        pack_qcow2("xz", NULL);
        reads_right("qcow2 in xz");
    }
}

static void test_flips_around_qcow2(void **state)
{
    (void)state;
    if (!command_exists("qemu-img"))
        skip();
    qemu_convert("cluster_size=64k");
    pack_qcow2("xz", "--block-size=1MiB");
    flip_bits(10, 0, "qcow2 in xz");
}

static void test_nothing_inside(void **state)
{
    struct image_options options = { .path = image_path };
    struct image *img;
    struct error err;

    (void)state;
    start_image();
    pack("gzip -c", 0, 0);
    assert_int_equal(image_open(&options, &img, &err), 0);
    assert_int_equal(img->virtual_bytes, 0);
    image_close(img);
    start_image();
    pack("xz -c", 0, 0);
    assert_int_equal(image_open(&options, &img, &err), 0);
    assert_int_equal(img->virtual_bytes, 0);
    image_close(img);
}

/* Half of it compresses, a quarter is holes. */
static int setup(void **state)
{
    (void)state;
    seed = unit_seed();
    if (!mkdtemp(directory))
        return -1;
    snprintf(image_path, sizeof(image_path), "%s/disk", directory);
    snprintf(raw_path, sizeof(raw_path), "%s/made", directory);
    snprintf(part_path, sizeof(part_path), "%s/part", directory);
    snprintf(qcow2_path, sizeof(qcow2_path), "%s/qcow2", directory);
    want = calloc(1, DISK_BYTES);
    if (!want)
        return -1;
    for (uint64_t at = 0; at < DISK_BYTES; at++) {
        unsigned kind = (unsigned)(at >> 18) % 4;

        if (kind == 1)
            want[at] = (uint8_t)rand_r(&seed);
        else if (kind != 0)
            want[at] = (uint8_t)(at >> (at % 17));
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(want);
    unlink(image_path);
    unlink(raw_path);
    unlink(part_path);
    unlink(qcow2_path);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_gzip_of_known_size),
        cmocka_unit_test(test_bad_gzip),
        cmocka_unit_test(test_xz),
        cmocka_unit_test(test_bad_xz),
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_qcow2_inside),
        cmocka_unit_test(test_flips_around_qcow2),
        cmocka_unit_test(test_nothing_inside),
    };

    if (!command_exists("gzip") || !command_exists("xz")) {
        print_message("skipped: needs gzip and xz\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, setup, teardown);
}
