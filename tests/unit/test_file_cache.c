/* What is in memory is read there, and looking brings nothing in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/io_queue.h"
#include "tmpdisk.h"
#include "unit.h"

#define LEN ((size_t)1 << 20)

static uint8_t buf[LEN] __attribute__((aligned(4096)));

/* As the product opens a source. */
static int open_as_is(struct file *file, const char *dir, enum cw_io_mode wish)
{
    char path[256];
    int r;

    tmpdisk_make(path, sizeof(path), dir, 4 * LEN);
    r = file_open(file, path, O_RDONLY, 0, wish);
    unlink(path);
    return r;
}

static bool drop(const struct file *file)
{
    return fsync(file->fd) == 0 &&
           posix_fadvise(file->fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

/* Pages of the first len bytes that are in the page cache. */
static size_t resident(const struct file *file, size_t len)
{
    unsigned char pages[4 * LEN / 4096];
    void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, file->fd, 0);
    size_t n = 0;

    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(mincore(map, len, pages), 0);
    for (size_t i = 0; i < len / 4096; i++)
        n += pages[i] & 1;
    munmap(map, len);
    return n;
}

static void test_hit_and_miss(void **state)
{
    struct file file;

    (void)state;
    assert_int_equal(open_as_is(&file, ".", CW_IO_MODE_AUTO), 0);
    if (file.cached != FILE_CACHED_LOOK ||
        file_read_cached(&file, buf, LEN, LEN) == 0) {
        file_close(&file);
        skip(); /* memory already, or a kernel without cachestat(2) */
    }
    assert_int_equal(file_read_cached(&file, buf, LEN, LEN), LEN);
    assert_true(tmpdisk_matches(buf, LEN, LEN));

    assert_true(drop(&file));
    if (resident(&file, 4 * LEN) == 0) {
        assert_int_equal(file_read_cached(&file, buf, LEN, LEN), 0);
        usleep(50000); /* read-ahead would show by now */
        assert_int_equal(resident(&file, 4 * LEN), 0);
    }
    file_close(&file);
}

/* A range that is cached in part is left to the disk. */
static void test_half_a_hit(void **state)
{
    struct file file;

    (void)state;
    assert_int_equal(open_as_is(&file, ".", CW_IO_MODE_AUTO), 0);
    if (file.cached != FILE_CACHED_LOOK || !drop(&file) ||
        posix_fadvise(file.fd, 0, 0, POSIX_FADV_RANDOM) != 0 ||
        pread(file.fd, buf, 4096, (off_t)(LEN + 8192)) != 4096 ||
        resident(&file, 2 * LEN) == 2 * LEN / 4096) {
        file_close(&file);
        skip();
    }
    assert_int_equal(file_read_cached(&file, buf, LEN, LEN), 0);
    file_close(&file);
}

static void test_who_is_asked(void **state)
{
    static const struct {
        const char *dir;
        enum cw_io_mode wish;
        enum file_cached want;
    } cases[] = {
        { "/dev/shm", CW_IO_MODE_AUTO, FILE_CACHED_ALWAYS },
        { "/dev/shm", CW_IO_MODE_BUFFERED, FILE_CACHED_NEVER },
        { ".", CW_IO_MODE_BUFFERED, FILE_CACHED_NEVER },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct file file;

        CASE(cases[i].dir);
        assert_int_equal(open_as_is(&file, cases[i].dir, cases[i].wish), 0);
        assert_int_equal(file.cached, cases[i].want);
        if (cases[i].want == FILE_CACHED_ALWAYS) {
            assert_int_equal(file_read_cached(&file, buf, LEN, 3 * LEN), LEN);
            assert_true(tmpdisk_matches(buf, LEN, 3 * LEN));
        } else {
            assert_int_equal(file_read_cached(&file, buf, LEN, 0), 0);
        }
        file_close(&file);
    }
}

/* Through a ring: complete at once, but only out of io_queue_reap(); what lies
 * behind the end of the file is still an error. */
static void test_through_a_ring(void **state)
{
    struct io whole = { .op = IO_READ, .buf = buf, .len = LEN };
    struct io beyond = {
        .op = IO_READ, .buf = buf, .len = LEN, .offset = 4 * LEN - 4096
    };
    struct io_queue *queue;
    struct error err;
    struct file file;

    (void)state;
    assert_int_equal(open_as_is(&file, "/dev/shm", CW_IO_MODE_AUTO), 0);
    whole.file = beyond.file = &file;
    assert_int_equal(
        io_queue_open(CW_IO_ENGINE_THREADS, 4, NULL, 0, &queue, &err), 0);
    assert_false(io_queue_has_ready(queue));
    io_queue_submit(queue, &whole);
    assert_true(io_queue_has_ready(queue));
    assert_int_equal(io_queue_in_flight(queue), 1);
    assert_ptr_equal(io_queue_reap(queue, false), &whole);
    assert_int_equal(whole.result, 0);
    assert_true(tmpdisk_matches(buf, LEN, 0));

    io_queue_submit(queue, &beyond);
    assert_ptr_equal(io_queue_reap(queue, true), &beyond);
    assert_int_equal(beyond.result, -ENODATA);
    io_queue_close(queue);
    file_close(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hit_and_miss),
        cmocka_unit_test(test_half_a_hit),
        cmocka_unit_test(test_who_is_asked),
        cmocka_unit_test(test_through_a_ring),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
