/* The map of a random sparse file against a bitmap of what was written. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/sparse_map.h"
#include "plan/chunk_grid.h"
#include "unit.h"

#define DISK_BYTES (UINT64_C(64) * BLOCK_BYTES * 16 + 777)
#define GRAINS     (DISK_BYTES / BLOCK_BYTES + 1)

struct disk {
    struct file file;
    bool written[GRAINS];
};

static struct disk disk;

/* A memfd is tmpfs: holes of exactly one page, on every machine. */
static int setup(void **state)
{
    (void)state;
    disk.file = (struct file)FILE_CLOSED;
    disk.file.fd = memfd_create("sparse", MFD_CLOEXEC);
    disk.file.size_bytes = DISK_BYTES;
    memset(disk.written, 0, sizeof(disk.written));
    if (disk.file.fd < 0)
        return -1;
    return ftruncate(disk.file.fd, (off_t)DISK_BYTES);
}

static int teardown(void **state)
{
    (void)state;
    return close(disk.file.fd);
}

static void write_bytes(uint64_t offset, size_t len)
{
    static const uint8_t ones[3 * BLOCK_BYTES] = { 1, 1 };

    if (offset + len > DISK_BYTES)
        len = (size_t)(DISK_BYTES - offset);
    assert_int_equal(pwrite(disk.file.fd, ones, len, (off_t)offset), len);
    for (uint64_t at = offset; at < offset + len; at++)
        disk.written[at / BLOCK_BYTES] = true;
}

static void map(struct sparse_map *holes, uint64_t offset, uint64_t length,
                struct extent_list *out)
{
    struct error err = { 0 };
    uint64_t end = offset + length;

    while (offset < end) {
        struct extent run;

        assert_int_equal(sparse_map_at(holes, offset, &run), 0);
        assert_int_equal(run.offset, offset);
        assert_true(run.length > 0);
        if (run.length > end - offset)
            run.length = end - offset;
        assert_int_equal(sparse_map_add_rounded(out, &run, DISK_BYTES, &err),
                         0);
        offset += run.length;
    }
}

static void check(const struct extent_list *list, uint64_t offset,
                  uint64_t length)
{
    uint64_t at = offset;

    for (size_t i = 0; i < list->count; i++) {
        const struct extent *e = &list->items[i];

        assert_int_equal(e->offset, at);
        assert_true(i == 0 || e->kind != list->items[i - 1].kind);
        for (; at < e->offset + e->length; at += BLOCK_BYTES)
            assert_int_equal(e->kind == EXTENT_DATA,
                             disk.written[at / BLOCK_BYTES]);
        at = e->offset + e->length;
    }
    assert_int_equal(at, offset + length);
}

static void test_random_file(void **state)
{
    struct extent_list list = { 0 };
    struct sparse_map holes;
    unsigned seed = unit_seed();

    (void)state;
    for (int i = 0; i < 60; i++)
        write_bytes((uint64_t)rand_r(&seed) % DISK_BYTES,
                    1 + (size_t)rand_r(&seed) % (3 * BLOCK_BYTES));

    sparse_map_init(&holes, &disk.file);
    map(&holes, 0, DISK_BYTES, &list);
    check(&list, 0, DISK_BYTES);

    for (int i = 0; i < 200; i++) {
        uint64_t first = (uint64_t)rand_r(&seed) % GRAINS;
        uint64_t end = first + 1 + (uint64_t)rand_r(&seed) % (GRAINS - first);
        uint64_t offset = first * BLOCK_BYTES;
        uint64_t length = end * BLOCK_BYTES - offset;

        if (offset + length > DISK_BYTES)
            length = DISK_BYTES - offset;
        extent_list_clear(&list);
        map(&holes, offset, length, &list);
        check(&list, offset, length);
    }
    extent_list_fini(&list);
}

static void test_empty_file_is_one_hole(void **state)
{
    struct extent_list list = { 0 };
    struct sparse_map holes;

    (void)state;
    sparse_map_init(&holes, &disk.file);
    map(&holes, 0, DISK_BYTES, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].kind, EXTENT_ZERO);
    extent_list_fini(&list);
}

static void test_shrunk_file_is_no_hole(void **state)
{
    struct sparse_map holes;
    struct extent run;

    (void)state;
    sparse_map_init(&holes, &disk.file);
    assert_int_equal(ftruncate(disk.file.fd, BLOCK_BYTES), 0);
    assert_int_equal(sparse_map_at(&holes, 2 * BLOCK_BYTES, &run), -ENODATA);
}

static void test_device_is_all_data(void **state)
{
    struct sparse_map holes;
    struct extent run;

    (void)state;
    disk.file.is_block_device = true;
    sparse_map_init(&holes, &disk.file);
    disk.file.is_block_device = false;
    assert_int_equal(sparse_map_at(&holes, 512, &run), 0);
    assert_int_equal(run.kind, EXTENT_DATA);
    assert_int_equal(run.length, DISK_BYTES - 512);
}

static void test_learns_data_but_no_holes(void **state)
{
    struct sparse_map first, second;
    struct extent run;

    (void)state;
    write_bytes(0, BLOCK_BYTES);
    sparse_map_init(&first, &disk.file);
    assert_int_equal(sparse_map_at(&first, 0, &run), 0);
    assert_int_equal(run.length, BLOCK_BYTES);
    write_bytes(BLOCK_BYTES, BLOCK_BYTES);

    /* As it was: not asked again. */
    sparse_map_init(&second, &disk.file);
    sparse_map_learn(&second, &first);
    assert_int_equal(sparse_map_at(&second, 0, &run), 0);
    assert_int_equal(run.kind, EXTENT_DATA);
    assert_int_equal(run.length, BLOCK_BYTES);

    /* As it is: what was a hole may have been written. */
    assert_int_equal(sparse_map_at(&first, 2 * BLOCK_BYTES, &run), 0);
    assert_int_equal(run.kind, EXTENT_ZERO);
    write_bytes(2 * BLOCK_BYTES, BLOCK_BYTES);
    sparse_map_init(&second, &disk.file);
    sparse_map_learn(&second, &first);
    assert_int_equal(sparse_map_at(&second, 2 * BLOCK_BYTES, &run), 0);
    assert_int_equal(run.kind, EXTENT_DATA);
}

static void test_zero_runs_round_inwards(void **state)
{
    static const struct {
        const char *name;
        struct extent run;
        uint64_t zero_offset, zero_length;
    } cases[] = {
        { "aligned", { 4096, 4096, EXTENT_ZERO }, 4096, 4096 },
        { "both edges", { 1, 8500, EXTENT_ZERO }, 4096, 4096 },
        { "too small", { 100, 5000, EXTENT_ZERO }, 0, 0 },
        { "ends the disk", { 8192, 808, EXTENT_ZERO }, 8192, 808 },
        { "data", { 1, 8999, EXTENT_DATA }, 0, 0 },
    };
    struct error err = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct extent_list list = { 0 };

        CASE(cases[i].name);
        assert_int_equal(
            sparse_map_add_rounded(&list, &cases[i].run, 9000, &err), 0);
        assert_int_equal(extent_list_bytes(&list, EXTENT_ZERO),
                         cases[i].zero_length);
        for (size_t k = 0; k < list.count; k++)
            if (list.items[k].kind == EXTENT_ZERO)
                assert_int_equal(list.items[k].offset, cases[i].zero_offset);
        extent_list_fini(&list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_random_file, setup, teardown),
        cmocka_unit_test_setup_teardown(test_empty_file_is_one_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_shrunk_file_is_no_hole, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_device_is_all_data, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_learns_data_but_no_holes, setup,
                                        teardown),
        cmocka_unit_test(test_zero_runs_round_inwards),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
