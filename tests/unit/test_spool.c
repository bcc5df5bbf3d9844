/* Bytes that come once are there for whoever asks again, and no more than the
 * space that is left to them. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "io/spool.h"
#include "own_dir.h"

#define MIB ((size_t)1 << 20)

static uint8_t data[4 * MIB], back[4 * MIB];

static struct spool *open_spool(uint64_t keep_free_bytes)
{
    struct spool *spool;
    struct error err;

    if (spool_open(&spool, ".", keep_free_bytes, &err) < 0)
        fail_msg("spool_open: %s", err.text);
    return spool;
}

static struct file share(struct spool *spool, uint64_t size_bytes)
{
    struct file file;
    struct error err;

    if (spool_share(spool, size_bytes, &file, &err) < 0)
        fail_msg("spool_share: %s", err.text);
    return file;
}

static uint64_t blocks_bytes(const struct file *file)
{
    struct stat st;

    assert_int_equal(fstat(file->fd, &st), 0);
    return (uint64_t)st.st_blocks * 512;
}

static uint64_t free_bytes(void)
{
    struct statvfs fs;

    assert_int_equal(statvfs(".", &fs), 0);
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

/* A spool with about room_bytes of the free space, which others use too: opened
 * in a moment when they leave it alone. */
static struct spool *open_with_room(uint64_t room_bytes)
{
    for (;;) {
        uint64_t before = free_bytes();
        struct spool *spool = open_spool(before - room_bytes);

        if (free_bytes() == before)
            return spool;
        spool_close(spool);
    }
}

static void fill(uint8_t first)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(first + i % 251);
}

static void test_comes_back(void **state)
{
    struct spool *spool = open_spool(0);
    struct file file;

    (void)state;
    fill(1);
    /* In pieces that keep to no boundary, out of order. */
    spool_write(spool, data + 100001, 1 * MIB, 100001);
    spool_write(spool, data, 100001, 0);
    spool_write(spool, data + 100001 + MIB, sizeof(data) - 100001 - MIB,
                100001 + MIB);
    spool_write(spool, data, 0, 0);
    file = share(spool, sizeof(data));
    assert_int_equal(file.size_bytes, sizeof(data));
    assert_int_equal(pread(file.fd, back, sizeof(back), 0), sizeof(back));
    assert_memory_equal(back, data, sizeof(data));
    spool_close(spool);

    /* The file is of who asked for it. */
    assert_int_equal(pread(file.fd, back, 5, 0), 5);
    close(file.fd);
}

static void test_zeros_take_no_space(void **state)
{
    struct spool *spool = open_spool(0);
    struct file file;

    (void)state;
    memset(data, 0, sizeof(data));
    data[2 * MIB] = 1;
    spool_write(spool, data, sizeof(data), 0);
    file = share(spool, 2 * sizeof(data));
    assert_int_equal(pread(file.fd, back, sizeof(back), 0), sizeof(back));
    assert_memory_equal(back, data, sizeof(data));
    assert_int_equal(pread(file.fd, back, sizeof(back), sizeof(data)),
                     sizeof(back));
    assert_true(blocks_bytes(&file) <= 128 * 1024);
    close(file.fd);
    spool_close(spool);
}

static void test_leaves_no_name(void **state)
{
    struct spool *spool = open_spool(0);
    DIR *dir = opendir(".");
    struct dirent *entry;

    (void)state;
    assert_non_null(dir);
    while ((entry = readdir(dir)))
        assert_int_equal(entry->d_name[strspn(entry->d_name, ".")], '\0');
    closedir(dir);
    spool_close(spool);
}

static void test_full(void **state)
{
    struct spool *spool = open_with_room(2 * MIB);
    struct file file;
    struct error err;

    (void)state;
    fill(1);
    spool_write(spool, data, MIB, 0);
    assert_int_equal(spool_check(spool, &err), 0);
    spool_write(spool, data + MIB, 3 * MIB, MIB);
    assert_int_equal(spool_check(spool, &err), -1);
    assert_int_equal(err.kind, ERROR_FORMAT);
    assert_non_null(strstr(err.text, "the scratch space in . is too small"));
    /* It stays so, and nobody reads a part for the whole. */
    spool_write(spool, data, 1, 0);
    assert_int_equal(spool_check(spool, &err), -1);
    assert_int_equal(spool_share(spool, MIB, &file, &err), -1);
    spool_close(spool);
}

static void test_punched_space_is_used_again(void **state)
{
    struct spool *spool = open_with_room(2 * MIB);
    struct error err;

    (void)state;
    fill(1);
    for (uint64_t at = 0; at < 16 * MIB; at += MIB) {
        spool_write(spool, data, MIB, at);
        if (spool_check(spool, &err) < 0)
            fail_msg("at %u MiB: %s", (unsigned)(at / MIB), err.text);
        spool_punch(spool, at, MIB);
    }
    spool_punch(spool, 0, 0);
    spool_close(spool);
}

static void test_no_directory(void **state)
{
    struct spool *spool;
    struct error err;

    (void)state;
    assert_int_equal(spool_open(&spool, "none", 0, &err), -1);
    assert_null(spool);
    assert_int_equal(err.kind, ERROR_SYSTEM);
    assert_non_null(strstr(err.text, "scratch space in none"));
    spool_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_zeros_take_no_space),
        cmocka_unit_test(test_leaves_no_name),
        cmocka_unit_test(test_full),
        cmocka_unit_test(test_punched_space_is_used_again),
        cmocka_unit_test(test_no_directory),
    };

    return cmocka_run_group_tests(tests, enter, leave);
}
