/*
 * corpus.h - QCOW2 images made by qemu here and now, with random content
 * under a printed seed, and compared with qemu's own raw.
 */
#ifndef CW_TESTS_CORPUS_H
#define CW_TESTS_CORPUS_H

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "../unit.h"
#include "command.h"
#include "image/image.h"
#include "read_image.h"

#define MIB        (UINT64_C(1) << 20)
#define DISK_BYTES (12 * MIB + 1536)
#define WRITES     60

static unsigned seed;
static char directory[] = "/tmp/clonewire-corpus-XXXXXX";
static char image_path[64], raw_path[64], map_path[64], other_path[64];
static char base_path[64];

static inline uint64_t pick(uint64_t below)
{
    return ((uint64_t)rand_r(&seed) << 16 ^ (uint64_t)rand_r(&seed)) % below;
}

static inline void run(struct command *command, const char *output)
{
    char name[64];

    snprintf(name, sizeof(name), "%s %s", command->words[0], command->words[1]);
    if (command_run(command, output) != 0)
        fail_msg("%s ... failed", name);
}

static inline void create(const char *options, uint64_t disk_bytes)
{
    struct command c = { 0 };

    unlink(image_path);
    command_add(&c, "qemu-img");
    command_add(&c, "create");
    command_add(&c, "-q");
    command_add(&c, "-u"); /* a backing file need not be there */
    command_add(&c, "-f");
    command_add(&c, "qcow2");
    command_add(&c, "-o");
    command_add(&c, "%s", options);
    command_add(&c, "%s", image_path);
    command_add(&c, "%" PRIu64, disk_bytes);
    run(&c, NULL);
}

/* One random qemu-io command; sizes and places of all kinds. */
static inline void add_random_write(struct command *c)
{
    uint64_t align = pick(3) == 0 ? 65536 : 512;
    uint64_t offset = pick(DISK_BYTES / align) * align;
    uint64_t length = (1 + pick(pick(4) == 0 ? 512 : 40)) * align;

    if (length > DISK_BYTES - offset)
        length = DISK_BYTES - offset;
    command_add(c, "-c");
    switch (pick(5)) {
    case 0: command_add(c, "write -z %ju %ju", offset, length); break;
    case 1: command_add(c, "write -z -u %ju %ju", offset, length); break;
    case 2: command_add(c, "discard %ju %ju", offset, length); break;
    default:
        command_add(c, "write -P %u %ju %ju", 1 + (unsigned)pick(255), offset,
                    length);
    }
}

/* Whole clusters of any size; only what is not allocated yet takes it. */
static inline void add_compressed_write(struct command *c)
{
    command_add(c, "-c");
    command_add(c, "write -c -P %u %juM 2M", 1 + (unsigned)pick(255),
                2 * pick(DISK_BYTES / MIB / 2));
}

static inline void write_randomly(bool with_compressed)
{
    struct command c = { 0 };
    int status;

    command_add(&c, "qemu-io");
    command_add(&c, "-d");
    command_add(&c, "unmap");
    command_add(&c, "-f");
    command_add(&c, "qcow2");
    if (with_compressed)
        for (int i = 0; i < WRITES / 12; i++)
            add_compressed_write(&c);
    for (int i = 0; i < WRITES; i++)
        add_random_write(&c);
    command_add(&c, "%s", image_path);
    status = command_run(&c, NULL);
    /* 1: a compressed write met its like, and the others were done. */
    if (status != 0 && !(with_compressed && status == 1))
        fail_msg("qemu-io failed");
}

static inline void convert(const char *format, const char *options,
                           const char *from, const char *to, bool compress)
{
    struct command c = { 0 };

    unlink(to);
    command_add(&c, "qemu-img");
    command_add(&c, "convert");
    command_add(&c, "-O");
    command_add(&c, "%s", format);
    if (options) {
        command_add(&c, "-o");
        command_add(&c, "%s", options);
    }
    if (compress)
        command_add(&c, "-c");
    command_add(&c, "%s", from);
    command_add(&c, "%s", to);
    run(&c, NULL);
}

/* Bytes that qemu-img map says are data, rounded out to the grain. */
static inline uint64_t qemu_data_bytes(uint64_t disk_bytes)
{
    const uint64_t block = BLOCK_BYTES;
    struct command c = { 0 };
    uint64_t sum = 0;
    char line[512];
    FILE *file;

    command_add(&c, "qemu-img");
    command_add(&c, "map");
    command_add(&c, "--output=json");
    command_add(&c, "%s", image_path);
    run(&c, map_path);
    file = fopen(map_path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        char *start = strstr(line, "\"start\": ");
        char *length = strstr(line, "\"length\": ");
        uint64_t begin, end;

        if (!start || !length || !strstr(line, "\"data\": true"))
            continue;
        begin = strtoull(start + strlen("\"start\": "), NULL, 10);
        end = begin + strtoull(length + strlen("\"length\": "), NULL, 10);
        end = (end + block - 1) / block * block;
        sum += (end < disk_bytes ? end : disk_bytes) - begin / block * block;
    }
    fclose(file);
    return sum;
}

static inline const uint8_t *map_raw(size_t *len)
{
    int fd = open(raw_path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *bytes;

    assert_int_equal(fstat(fd, &st), 0);
    *len = (size_t)st.st_size;
    bytes = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    close(fd);
    return bytes;
}

/* Everywhere, in pieces of any size and place. */
static inline int read_randomly(struct reader *reader, size_t len,
                                struct error *err)
{
    for (int i = 0; i < 200; i++) {
        uint64_t at = pick(len);
        uint64_t max = len - at < MIB ? len - at : MIB;

        if (reader_start(reader, at, (size_t)(1 + pick(max)), err) < 0)
            return -1;
    }
    return reader_finish(reader, err);
}

/* image_path must read as raw_path says, and its map be as good as qemu's. */
static inline void compare(enum cw_format format)
{
    struct image_options options = {
        .path = image_path,
        .format = format,
        .cross_check = 32,
        .backing_dir = directory,
    };
    struct reader reader;
    struct error err;
    size_t len;
    const uint8_t *want = map_raw(&len);

    if (reader_open(&reader, &options, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(reader.image->virtual_bytes, len);
    if (reader_run(&reader, want, &err) < 0 ||
        read_randomly(&reader, len, &err) < 0)
        fail_msg("%s", err.text);
    if (format == CW_FORMAT_AUTO)
        assert_in_range(reader.data_bytes, 0, qemu_data_bytes(len));
    reader_close(&reader);
    munmap((void *)(uintptr_t)want, len);
}

static inline void compare_with_qemu(void)
{
    convert("raw", NULL, image_path, raw_path, false);
    compare(CW_FORMAT_AUTO);
}

static inline void refused_beneath(const char *backing_dir, const char *want)
{
    struct image_options options = {
        .path = image_path,
        .backing_dir = backing_dir,
    };
    struct image *img;
    struct error err;

    assert_int_equal(image_open(&options, &img, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    if (!strstr(err.text, want) || !strstr(err.text, image_path))
        fail_msg("\"%s\" does not say \"%s\"", err.text, want);
}

static inline void refused(const char *want)
{
    refused_beneath(NULL, want);
}

static inline int setup(void **state)
{
    (void)state;
    seed = unit_seed();
    if (!mkdtemp(directory))
        return -1;
    snprintf(image_path, sizeof(image_path), "%s/disk", directory);
    snprintf(raw_path, sizeof(raw_path), "%s/want", directory);
    snprintf(map_path, sizeof(map_path), "%s/map", directory);
    snprintf(other_path, sizeof(other_path), "%s/other", directory);
    snprintf(base_path, sizeof(base_path), "%s/base", directory);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    unlink(image_path);
    unlink(raw_path);
    unlink(map_path);
    unlink(other_path);
    unlink(base_path);
    return rmdir(directory);
}

#endif
