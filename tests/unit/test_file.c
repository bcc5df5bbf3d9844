#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/file.h"
#include "tmpdisk.h"
#include "unit.h"

#define MIB ((size_t)1 << 20)

static void test_facts_of_a_file(void **state)
{
    struct file file;
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);

    (void)state;
    assert_int_equal(tmpdisk_open(&file, ".", 10000, CW_IO_MODE_AUTO), 0);
    assert_false(file.is_block_device);
    assert_int_equal(file.size_bytes, 10000);
    assert_true(file.allocated_bytes >= 10000);
    assert_int_equal(file.sector_bytes, 512);
    assert_true(file.align_bytes >= page_bytes);
    assert_int_equal(file.align_bytes & (file.align_bytes - 1), 0);
    assert_int_not_equal(file.mode, CW_IO_MODE_AUTO);

    assert_int_equal(ftruncate(file.fd, 30000), 0);
    assert_int_equal(file.size_bytes, 10000);
    assert_int_equal(file_refresh_size(&file), 0);
    assert_int_equal(file.size_bytes, 30000);
    assert_int_equal(file_sync(&file), 0);

    assert_int_equal(file_close(&file), 0);
    assert_int_equal(file.fd, -1);
    assert_int_equal(file.direct_fd, -1);
    assert_int_equal(file_close(&file), 0);
}

/* Each wish is granted as it is, or refused; auto always ends somewhere. */
static void test_wishes(void **state)
{
    static const char *const dirs[] = { ".", "/dev/shm" };
    static const enum cw_io_mode wishes[] = {
        CW_IO_MODE_DIRECT,
        CW_IO_MODE_DONTCACHE,
        CW_IO_MODE_BUFFERED,
    };

    (void)state;
    for (size_t d = 0; d < ARRAY_LEN(dirs); d++) {
        enum cw_io_mode best = CW_IO_MODE_AUTO;
        struct file file;

        for (size_t i = 0; i < ARRAY_LEN(wishes); i++) {
            int r = tmpdisk_open(&file, dirs[d], MIB, wishes[i]);

            print_message("    %s %s: %d\n", dirs[d], file_mode_name(wishes[i]),
                          r);
            if (r < 0) {
                assert_int_equal(r, -EOPNOTSUPP);
                assert_int_not_equal(wishes[i], CW_IO_MODE_BUFFERED);
                assert_int_equal(file.fd, -1);
                continue;
            }
            assert_int_equal(file.mode, wishes[i]);
            assert_int_equal(file.direct_fd >= 0,
                             wishes[i] == CW_IO_MODE_DIRECT);
            assert_int_equal(file_rw_flags(&file) != 0,
                             wishes[i] == CW_IO_MODE_DONTCACHE);
            if (best == CW_IO_MODE_AUTO)
                best = wishes[i];
            file_close(&file);
        }
        assert_int_equal(tmpdisk_open(&file, dirs[d], MIB, CW_IO_MODE_AUTO), 0);
        assert_int_equal(file.mode, best);
        file_close(&file);
    }
}

static void test_empty_and_new_files(void **state)
{
    char path[] = "./clonewire-new-XXXXXX";
    struct file file;

    (void)state;
    assert_non_null(mkdtemp(path));
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(file_open(&file, path, O_RDWR | O_CREAT | O_EXCL, 0600,
                               CW_IO_MODE_AUTO),
                     0);
    assert_int_equal(file.size_bytes, 0);
    assert_int_equal(file_sync_directory(path), 0);
    file_close(&file);

    assert_int_equal(file_open(&file, path, O_RDWR | O_CREAT | O_EXCL, 0600,
                               CW_IO_MODE_AUTO),
                     -EEXIST);
    assert_int_equal(file.fd, -1);
    unlink(path);
    assert_int_equal(file_open(&file, path, O_RDONLY, 0, CW_IO_MODE_AUTO),
                     -ENOENT);
    assert_int_equal(file_sync_directory("no-such-directory/x"), -ENOENT);
    assert_int_equal(file_sync_directory("in-the-current-one"), 0);
    assert_int_equal(file_sync_directory("/in-the-root"), 0);
}

/* A loop device over a file of 4 MiB, gone when the last user closes it.
 * Returns a descriptor and fills path, or -1 where there is none to be had. */
static int open_loop(char *path, size_t path_len, uint32_t sector_bytes)
{
    int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
    int number = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);
    struct file backing;
    struct loop_config config = {
        .block_size = sector_bytes,
        .info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
    };
    int fd;

    close(control);
    if (number < 0)
        return -1;
    snprintf(path, path_len, "/dev/loop%d", number);
    assert_int_equal(tmpdisk_open(&backing, ".", 4 * MIB, CW_IO_MODE_BUFFERED),
                     0);
    config.fd = (uint32_t)backing.fd;
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) < 0) {
        close(fd);
        fd = -1;
    }
    file_close(&backing);
    return fd;
}

static void test_block_device(void **state)
{
    static const uint32_t sectors[] = { 512, 4096 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sectors); i++) {
        char path[64];
        int loop = open_loop(path, sizeof(path), sectors[i]);
        struct file file, second;
        uint8_t *buf;

        if (loop < 0)
            skip();
        print_message("    sectors of %u bytes\n", sectors[i]);
        assert_int_equal(
            file_open(&file, path, O_RDWR | O_EXCL, 0, CW_IO_MODE_DIRECT), 0);
        assert_true(file.is_block_device);
        assert_int_equal(file.sector_bytes, sectors[i]);
        assert_true(file.align_bytes >= sectors[i]);
        assert_int_equal(file.size_bytes, 4 * MIB);
        assert_int_equal(file.allocated_bytes, 0);
        assert_int_equal(file_refresh_size(&file), 0);
        assert_int_equal(file.size_bytes, 4 * MIB);

        buf = aligned_alloc(file.align_bytes, MIB);
        assert_non_null(buf);
        assert_int_equal(pread(file.direct_fd, buf, MIB, MIB), MIB);
        assert_true(tmpdisk_matches(buf, MIB, MIB));
        assert_int_equal(pwrite(file.direct_fd, buf, MIB, MIB), MIB);
        assert_int_equal(file_sync(&file), 0);

        CASE("claimed by us");
        assert_int_equal(
            file_open(&second, path, O_RDWR | O_EXCL, 0, CW_IO_MODE_AUTO),
            -EBUSY);
        assert_int_equal(file_close(&file), 0);
        free(buf);
        close(loop);
    }
}

/* The probe may not write, not even to a file opened for writing. */
static void test_open_leaves_the_content(void **state)
{
    char path[64];
    uint8_t *content = malloc(MIB);
    struct stat before, after;
    struct file file;

    (void)state;
    assert_non_null(content);
    tmpdisk_make(path, sizeof(path), ".", MIB);
    assert_int_equal(stat(path, &before), 0);
    assert_int_equal(file_open(&file, path, O_RDWR, 0, CW_IO_MODE_AUTO), 0);
    assert_int_equal(pread(file.fd, content, MIB, 0), MIB);
    assert_true(tmpdisk_matches(content, MIB, 0));
    file_close(&file);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    assert_int_equal(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
    unlink(path);
    free(content);
}

/* A FIFO would block in open(2) for ever. */
static void test_other_kinds_are_refused(void **state)
{
    char fifo[] = "./clonewire-fifo-XXXXXX";
    struct file file;

    (void)state;
    assert_non_null(mkdtemp(fifo));
    assert_int_equal(file_open(&file, fifo, O_RDONLY, 0, CW_IO_MODE_AUTO),
                     -ENOTBLK);
    assert_int_equal(rmdir(fifo), 0);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_int_equal(file_open(&file, fifo, O_RDONLY, 0, CW_IO_MODE_AUTO),
                     -ENOTBLK);
    unlink(fifo);
    assert_int_equal(file_open(&file, "/dev/null", O_RDWR, 0, CW_IO_MODE_AUTO),
                     -ENOTBLK);
    assert_int_equal(file.fd, -1);
}

static void test_descriptor_for_a_range(void **state)
{
    static const struct {
        const char *name;
        size_t buf, len;
        uint64_t offset;
        bool direct;
    } cases[] = {
        /* clang-format off */
        { "all aligned",      0,   1, 3, true },
        { "odd memory",       512, 1, 3, false },
        { "far away",         0,   4, UINT64_C(1) << 40, true },
        /* clang-format on */
    };
    struct file file = {
        .fd = 3,
        .direct_fd = 4,
        .align_bytes = 4096,
        .mode = CW_IO_MODE_DIRECT,
    };
    const uint8_t *base = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        assert_int_equal(file_fd_for(&file, base + cases[i].buf,
                                     cases[i].len * 4096,
                                     cases[i].offset * 4096),
                         cases[i].direct ? 4 : 3);
    }
    CASE("odd length and offset");
    assert_int_equal(file_fd_for(&file, base, 4095, 0), 3);
    assert_int_equal(file_fd_for(&file, base, 4096, 512), 3);

    CASE("refused while running");
    atomic_store(&file.direct_refused, true);
    assert_int_equal(file_fd_for(&file, base, 4096, 0), 3);

    CASE("never had one");
    atomic_store(&file.direct_refused, false);
    file.direct_fd = -1;
    assert_int_equal(file_fd_for(&file, base, 4096, 0), 3);
}

static void test_dontcache_refused_while_running(void **state)
{
    struct file file = { .fd = 3, .mode = CW_IO_MODE_DONTCACHE };

    (void)state;
    assert_int_not_equal(file_rw_flags(&file), 0);
    atomic_store(&file.dontcache_refused, true);
    assert_int_equal(file_rw_flags(&file), 0);
}

/* Pages of [offset, offset+length) in the page cache. */
static size_t cached_pages(int fd, size_t offset, size_t length)
{
    size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    unsigned char *vec = malloc(length / page_bytes);
    void *map = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, (off_t)offset);

    assert_non_null(vec);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mincore(map, length, vec), 0);
    for (size_t i = 0; i < length / page_bytes; i++)
        count += vec[i] & 1U;
    munmap(map, length);
    free(vec);
    return count;
}

static void test_window_fits_the_memory(void **state)
{
    (void)state;
    assert_int_equal(file_window_bytes(UINT64_MAX), FILE_WINDOW_BYTES);
    assert_int_equal(file_window_bytes(512 * MIB), FILE_WINDOW_BYTES);
    assert_int_equal(file_window_bytes(512 * MIB - 16), FILE_WINDOW_BYTES - 1);
    assert_int_equal(file_window_bytes(64 * MIB), 4 * MIB);
    assert_int_equal(file_window_bytes(MIB), MIB);
}

static void test_window_drops_what_is_written(void **state)
{
    struct file_window window = { 0 };
    struct file file;
    uint8_t *chunk = malloc(MIB);
    size_t windows = 3, last = (windows - 1) * FILE_WINDOW_BYTES;

    (void)state;
    assert_non_null(chunk);
    tmpdisk_fill(chunk, MIB, 0);
    assert_int_equal(tmpdisk_open(&file, ".", 0, CW_IO_MODE_BUFFERED), 0);
    file.window_bytes = FILE_WINDOW_BYTES;
    for (size_t at = 0; at < windows * FILE_WINDOW_BYTES; at += MIB) {
        assert_int_equal(pwrite(file.fd, chunk, MIB, (off_t)at), MIB);
        assert_int_equal(file_window_written(&window, &file, at, MIB), 0);
    }
    assert_int_equal(cached_pages(file.fd, 0, last), 0);
    assert_int_not_equal(cached_pages(file.fd, last, FILE_WINDOW_BYTES), 0);

    assert_int_equal(pread(file.fd, chunk, MIB, 0), MIB);
    assert_true(tmpdisk_matches(chunk, MIB, 0));
    file_close(&file);
    free(chunk);
}

static void test_window_drops_what_is_read(void **state)
{
    struct file_window window = { 0 };
    struct file file;
    uint8_t *chunk = malloc(MIB);
    size_t total = 2 * FILE_WINDOW_BYTES;

    (void)state;
    assert_non_null(chunk);
    assert_int_equal(tmpdisk_open(&file, ".", total, CW_IO_MODE_BUFFERED), 0);
    file.window_bytes = FILE_WINDOW_BYTES;
    assert_int_not_equal(cached_pages(file.fd, 0, FILE_WINDOW_BYTES), 0);
    for (size_t at = 0; at < total; at += MIB)
        file_window_read(&window, &file, at, MIB);
    assert_int_equal(cached_pages(file.fd, 0, FILE_WINDOW_BYTES), 0);
    assert_int_not_equal(
        cached_pages(file.fd, FILE_WINDOW_BYTES, FILE_WINDOW_BYTES), 0);
    file_close(&file);
    free(chunk);
}

/* A jump to another part of the disk turns the window early: it may not
 * grow over all that lies between. */
static void test_window_follows_a_jump(void **state)
{
    struct file_window window = { 0 };
    struct file file = { .fd = -1, .mode = CW_IO_MODE_BUFFERED };
    uint64_t far = UINT64_C(1) << 40;

    (void)state;
    file_window_read(&window, &file, 4 * MIB, MIB);
    file_window_read(&window, &file, 3 * MIB, MIB);
    assert_int_equal(window.begin, 3 * MIB);
    assert_int_equal(window.end, 5 * MIB);

    file_window_read(&window, &file, far, MIB);
    assert_int_equal(window.previous_begin, 3 * MIB);
    assert_int_equal(window.previous_end, 5 * MIB);
    assert_int_equal(window.begin, far);
    assert_int_equal(window.end, far + MIB);

    file_window_read(&window, &file, 0, MIB);
    assert_int_equal(window.previous_begin, far);
    assert_int_equal(window.begin, 0);
}

static void test_window_is_for_the_cache_only(void **state)
{
    struct file_window window = { 0 };
    struct file file = { .fd = -1, .direct_fd = -1, .mode = CW_IO_MODE_DIRECT };

    (void)state;
    assert_int_equal(file_window_written(&window, &file, 0, MIB), 0);
    assert_int_equal(window.end, 0);
    atomic_store(&file.direct_refused, true);
    assert_int_equal(file_window_written(&window, &file, 0, MIB), 0);
    assert_int_equal(window.end, MIB);

    CASE("write-back that fails is told");
    assert_int_equal(
        file_window_written(&window, &file, MIB, FILE_WINDOW_BYTES), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts_of_a_file),
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_empty_and_new_files),
        cmocka_unit_test(test_block_device),
        cmocka_unit_test(test_open_leaves_the_content),
        cmocka_unit_test(test_other_kinds_are_refused),
        cmocka_unit_test(test_descriptor_for_a_range),
        cmocka_unit_test(test_dontcache_refused_while_running),
        cmocka_unit_test(test_window_fits_the_memory),
        cmocka_unit_test(test_window_drops_what_is_written),
        cmocka_unit_test(test_window_drops_what_is_read),
        cmocka_unit_test(test_window_follows_a_jump),
        cmocka_unit_test(test_window_is_for_the_cache_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
