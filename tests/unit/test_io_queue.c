/* Both engines on real files: the same tests, the same answers. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/buffer_pool.h"
#include "io/io_queue.h"
#include "tmpdisk.h"
#include "unit.h"

#define CHUNK ((size_t)256 << 10)
#define DEPTH 16U

struct fixture {
    enum cw_io_engine engine;
    struct io_queue *queue;
    struct buffer_pool *pool;
    struct io ios[DEPTH];
};

static enum cw_io_engine engine_under_test;

static bool has_engine(enum cw_io_engine engine)
{
    const char *only = getenv("CLONEWIRE_IO_ENGINE");
    struct error err = { 0 };
    char why[256];

    if (only && strcmp(only, "threads") == 0 && engine == CW_IO_ENGINE_URING)
        return false;
    return io_queue_choose(engine, &engine, why, sizeof(why), &err) == 0;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct error err;
    size_t region_len;
    void *region;

    assert_non_null(f);
    f->engine = engine_under_test;
    f->pool = buffer_pool_open(DEPTH, CHUNK);
    assert_non_null(f->pool);
    region = buffer_pool_region(f->pool, &region_len);
    assert_int_equal(io_queue_open(engine_under_test, DEPTH, region, region_len,
                                   &f->queue, &err),
                     0);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    io_queue_close(f->queue);
    buffer_pool_close(f->pool);
    free(f);
    return 0;
}

static struct io *submit(struct fixture *f, struct io *io, struct file *file,
                         size_t len, uint64_t offset)
{
    if (!io->buf)
        io->buf = buffer_pool_lease(f->pool);
    assert_non_null(io->buf);
    io->file = file;
    io->len = len;
    io->offset = offset;
    io_queue_submit(f->queue, io);
    return io;
}

static void give_back(struct fixture *f, struct io *io)
{
    buffer_pool_return(f->pool, io->buf);
    io->buf = NULL;
}

/* A poll completes when there is something to read, and not before. */
static void test_wait_for_a_descriptor(void **state)
{
    struct fixture *f = *state;
    struct io io = { .op = IO_POLL, .len = 1 };
    struct file file = FILE_CLOSED;
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    file.fd = io.fd = ends[0];
    io.file = &file;
    for (int i = 0; i < 2; i++) {
        io_queue_submit(f->queue, &io);
        assert_null(io_queue_reap(f->queue, false));
        assert_int_equal(write(ends[1], "x", 1), 1);
        assert_ptr_equal(io_queue_reap(f->queue, true), &io);
        assert_int_equal(io.result, 0);
        assert_int_equal(read(ends[0], &(char){ 0 }, 1), 1);
    }
    io_queue_submit(f->queue, &io);
    io_queue_cancel(f->queue);
    assert_int_equal(io.result, -ECANCELED);
    close(ends[0]);
    close(ends[1]);
}

/* Starts reading the next chunk of a file, if there is one left. */
static void read_next(struct fixture *f, struct io *io, struct file *file,
                      uint64_t *next)
{
    uint64_t left = file->size_bytes - *next;
    size_t len = left < CHUNK ? (size_t)left : CHUNK;

    if (len == 0)
        return;
    io->op = IO_READ;
    submit(f, io, file, len, *next);
    *next += len;
}

/* Reads the whole file through the ring at full depth and compares. */
static void check_content(struct fixture *f, struct file *file,
                          uint64_t size_bytes)
{
    uint64_t next = 0, seen = 0;
    struct io *io;

    assert_int_equal(file->size_bytes, size_bytes);
    for (unsigned i = 0; i < DEPTH; i++)
        read_next(f, &f->ios[i], file, &next);
    while ((io = io_queue_reap(f->queue, true)) != NULL) {
        assert_int_equal(io->result, 0);
        assert_true(tmpdisk_matches(io->buf, io->len, io->offset));
        seen += io->len;
        read_next(f, io, file, &next);
    }
    assert_int_equal(seen, size_bytes);
    assert_int_equal(io_queue_in_flight(f->queue), 0);
    for (unsigned i = 0; i < DEPTH; i++)
        if (f->ios[i].buf)
            give_back(f, &f->ios[i]);
}

static const struct {
    const char *dir;
    enum cw_io_mode wish;
} ways[] = {
    { ".", CW_IO_MODE_DIRECT },          { ".", CW_IO_MODE_DONTCACHE },
    { ".", CW_IO_MODE_BUFFERED },        { "/dev/shm", CW_IO_MODE_AUTO },
    { "/dev/shm", CW_IO_MODE_BUFFERED },
};

/* 5 MiB and a tail that no O_DIRECT takes. */
static void test_read_to_the_last_byte(void **state)
{
    size_t size_bytes = 20 * CHUNK + 12345;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct file file;
        int r = tmpdisk_open(&file, ways[i].dir, size_bytes, ways[i].wish);

        print_message("    %s %s: %d\n", ways[i].dir,
                      file_mode_name(ways[i].wish), r);
        if (r == -EOPNOTSUPP)
            continue;
        assert_int_equal(r, 0);
        check_content(*state, &file, size_bytes);
        assert_false(atomic_load(&file.direct_refused));
        file_close(&file);
    }
}

static void test_write_then_read(void **state)
{
    struct fixture *f = *state;
    size_t size_bytes = (DEPTH - 1) * CHUNK + 4097;

    for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
        struct file file;
        int r = tmpdisk_open(&file, ways[i].dir, 0, ways[i].wish);

        print_message("    %s %s: %d\n", ways[i].dir,
                      file_mode_name(ways[i].wish), r);
        if (r == -EOPNOTSUPP)
            continue;
        assert_int_equal(r, 0);
        for (unsigned k = 0; k < DEPTH; k++) {
            struct io *io = &f->ios[k];

            *io = (struct io){ .op = IO_WRITE,
                               .buf = buffer_pool_lease(f->pool) };
            tmpdisk_fill(io->buf, CHUNK, k * CHUNK);
            submit(f, io, &file, k < DEPTH - 1 ? CHUNK : 4097, k * CHUNK);
        }
        for (unsigned k = 0; k < DEPTH; k++) {
            struct io *io = io_queue_reap(f->queue, true);

            assert_int_equal(io->result, 0);
            give_back(f, io);
        }
        assert_int_equal(file_refresh_size(&file), 0);
        assert_int_equal(file.size_bytes, size_bytes);
        check_content(f, &file, size_bytes);
        file_close(&file);
    }
}

/* Reads of one half while the other is written. */
static void test_reads_beside_writes(void **state)
{
    struct fixture *f = *state;
    struct file file;

    assert_int_equal(
        tmpdisk_open(&file, ".", DEPTH / 2 * CHUNK, CW_IO_MODE_AUTO), 0);
    for (unsigned k = 0; k < DEPTH; k++) {
        struct io *io = &f->ios[k];
        uint64_t offset = (k / 2 + (k % 2) * (DEPTH / 2)) * CHUNK;

        *io = (struct io){ .op = k % 2 ? IO_WRITE : IO_READ,
                           .buf = buffer_pool_lease(f->pool) };
        tmpdisk_fill(io->buf, CHUNK, k % 2 ? offset : offset + 1);
        submit(f, io, &file, CHUNK, offset);
    }
    for (unsigned k = 0; k < DEPTH; k++) {
        struct io *io = io_queue_reap(f->queue, true);

        assert_int_equal(io->result, 0);
        assert_true(tmpdisk_matches(io->buf, io->len, io->offset));
        give_back(f, io);
    }
    assert_int_equal(file_refresh_size(&file), 0);
    check_content(f, &file, DEPTH * CHUNK);
    file_close(&file);
}

static void test_end_of_file(void **state)
{
    static const struct {
        const char *name;
        size_t len;
        uint64_t offset;
        int want;
    } cases[] = {
        { "up to the end", 4096 + 100, 0, 0 },
        { "over it", 8192, 0, -ENODATA },
        { "over it, unaligned", 5000, 0, -ENODATA },
        { "at it", 512, 4196, -ENODATA },
        { "far behind it", 4096, UINT64_C(1) << 30, -ENODATA },
    };
    struct fixture *f = *state;
    struct file file;

    assert_int_equal(tmpdisk_open(&file, ".", 4096 + 100, CW_IO_MODE_AUTO), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct io *io = submit(f, &f->ios[0], &file, cases[i].len,
                               cases[i].offset);

        CASE(cases[i].name);
        assert_ptr_equal(io_queue_reap(f->queue, true), io);
        assert_int_equal(io->result, cases[i].want);
    }
    give_back(f, &f->ios[0]);
    file_close(&file);
}

static void test_errors_come_back(void **state)
{
    struct fixture *f = *state;
    struct io *io = &f->ios[0];
    struct file full = { .direct_fd = -1, .mode = CW_IO_MODE_BUFFERED };
    struct file reader = full;

    full.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
    reader.fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
    assert_true(full.fd >= 0 && reader.fd >= 0);

    io->op = IO_WRITE;
    submit(f, io, &full, CHUNK, 0);
    assert_int_equal(io_queue_reap(f->queue, true)->result, -ENOSPC);
    submit(f, io, &reader, CHUNK, 0);
    assert_int_equal(io_queue_reap(f->queue, true)->result, -EBADF);
    give_back(f, io);
    file_close(&full);
    file_close(&reader);
}

/* Claims an alignment that is too small, so the kernel says EINVAL: the io
 * succeeds all the same and the file is read through the cache from then. */
static void test_direct_refused_while_running(void **state)
{
    struct fixture *f = *state;
    struct io *io = &f->ios[0];
    struct file file;

    if (tmpdisk_open(&file, ".", CHUNK, CW_IO_MODE_DIRECT) != 0)
        skip();
    file.align_bytes = 1;
    submit(f, io, &file, CHUNK - 777, 777);
    assert_ptr_equal(io_queue_reap(f->queue, true), io);
    assert_int_equal(io->result, 0);
    assert_true(tmpdisk_matches(io->buf, io->len, io->offset));
    assert_true(atomic_load(&file.direct_refused));
    give_back(f, io);
    file_close(&file);
}

/* Memory outside the registered region is as good. */
static void test_memory_from_elsewhere(void **state)
{
    struct fixture *f = *state;
    struct io *io = &f->ios[0];
    struct file file;

    assert_int_equal(tmpdisk_open(&file, ".", CHUNK, CW_IO_MODE_AUTO), 0);
    io->buf = aligned_alloc(file.align_bytes, CHUNK);
    submit(f, io, &file, CHUNK, 0);
    assert_int_equal(io_queue_reap(f->queue, true)->result, 0);
    assert_true(tmpdisk_matches(io->buf, CHUNK, 0));
    free(io->buf);
    file_close(&file);
}

static size_t resident_pages(struct fixture *f)
{
    unsigned char pages[DEPTH * (CHUNK / 4096 + 1)];
    size_t region_len, resident = 0;
    void *region = buffer_pool_region(f->pool, &region_len);

    assert_true(region_len / 4096 <= sizeof(pages));
    assert_int_equal(mincore(region, region_len, pages), 0);
    for (size_t i = 0; i < region_len / 4096; i++)
        resident += pages[i] & 1;
    return resident;
}

/* Memory costs time and counts against a pod: what moves nothing needs none. */
static void test_no_memory_before_the_first_io(void **state)
{
    struct fixture *f = *state;
    struct file file;

    assert_int_equal(resident_pages(f), 0);
    assert_int_equal(tmpdisk_open(&file, ".", CHUNK, CW_IO_MODE_AUTO), 0);
    submit(f, &f->ios[0], &file, 4096, 0);
    assert_ptr_equal(io_queue_reap(f->queue, true), &f->ios[0]);
    assert_true(resident_pages(f) > 0);
    give_back(f, &f->ios[0]);
    file_close(&file);
}

static void test_more_than_depth(void **state)
{
    struct fixture *f = *state;
    struct io ios[3 * DEPTH] = { 0 };
    struct file file;

    assert_int_equal(
        tmpdisk_open(&file, ".", 3 * DEPTH * 4096, CW_IO_MODE_AUTO), 0);
    for (unsigned i = 0; i < ARRAY_LEN(ios); i++) {
        ios[i].buf = aligned_alloc(4096, 4096);
        submit(f, &ios[i], &file, 4096, i * 4096);
    }
    assert_int_equal(io_queue_in_flight(f->queue), ARRAY_LEN(ios));
    for (unsigned i = 0; i < ARRAY_LEN(ios); i++)
        assert_int_equal(io_queue_reap(f->queue, true)->result, 0);
    assert_null(io_queue_reap(f->queue, true));
    for (unsigned i = 0; i < ARRAY_LEN(ios); i++) {
        assert_true(tmpdisk_matches(ios[i].buf, 4096, ios[i].offset));
        free(ios[i].buf);
    }
    file_close(&file);
}

/* A reap without waiting sees a completion soon, by itself. */
static void test_reap_without_waiting(void **state)
{
    struct fixture *f = *state;
    struct io *io = &f->ios[0];
    struct io posted = { 0 };
    struct file file;

    assert_null(io_queue_reap(f->queue, false));
    assert_int_equal(tmpdisk_open(&file, ".", CHUNK, CW_IO_MODE_AUTO), 0);
    submit(f, io, &file, CHUNK, 0);
    io_queue_post(f->queue, &posted, -EIO);
    assert_ptr_equal(io_queue_reap(f->queue, false), &posted);
    for (int tries = 0; io_queue_in_flight(f->queue) > 0; tries++) {
        assert_true(tries < 10000);
        if (io_queue_reap(f->queue, false) == NULL)
            usleep(1000);
    }
    assert_int_equal(io->result, 0);
    assert_true(tmpdisk_matches(io->buf, CHUNK, 0));
    give_back(f, io);
    file_close(&file);
}

/* Cancels a full ring.  Returns how many were cancelled; the others are
 * whole. */
static unsigned cancel_reads(struct fixture *f, struct file *file)
{
    unsigned cancelled = 0;

    for (unsigned i = 0; i < DEPTH; i++)
        submit(f, &f->ios[i], file, CHUNK, i * CHUNK);
    io_queue_cancel(f->queue);
    assert_int_equal(io_queue_in_flight(f->queue), 0);
    assert_null(io_queue_reap(f->queue, true));
    for (unsigned i = 0; i < DEPTH; i++) {
        struct io *io = &f->ios[i];

        if (io->result == -ECANCELED) {
            cancelled++;
        } else {
            assert_int_equal(io->result, 0);
            assert_true(tmpdisk_matches(io->buf, CHUNK, io->offset));
        }
    }
    return cancelled;
}

static void test_cancel_many(void **state)
{
    struct fixture *f = *state;
    struct file file;
    unsigned cancelled = 0;

    assert_int_equal(tmpdisk_open(&file, ".", DEPTH * CHUNK, CW_IO_MODE_AUTO),
                     0);
    for (int tries = 0; tries < 20; tries++)
        cancelled += cancel_reads(f, &file);
    print_message("    %u of %u cancelled\n", cancelled, 20 * DEPTH);
    /* io_uring may find all of them at the disk already, where they cannot
     * be stopped; helpers are fewer than what is queued. */
    if (f->engine == CW_IO_ENGINE_THREADS)
        assert_int_not_equal(cancelled, 0);

    CASE("works on afterwards");
    for (unsigned i = 0; i < DEPTH; i++)
        give_back(f, &f->ios[i]);
    check_content(f, &file, DEPTH * CHUNK);
    file_close(&file);
}

static void test_close_with_io_in_flight(void **state)
{
    struct fixture *f = *state;
    struct file file;
    struct error err;
    size_t region_len;
    void *region = buffer_pool_region(f->pool, &region_len);

    assert_int_equal(tmpdisk_open(&file, ".", DEPTH * CHUNK, CW_IO_MODE_AUTO),
                     0);
    for (unsigned i = 0; i < DEPTH; i++)
        submit(f, &f->ios[i], &file, CHUNK, i * CHUNK);
    io_queue_close(f->queue);
    for (unsigned i = 0; i < DEPTH; i++)
        give_back(f, &f->ios[i]);
    file_close(&file);
    assert_int_equal(
        io_queue_open(f->engine, DEPTH, region, region_len, &f->queue, &err),
        0);
}

static int run(enum cw_io_engine engine)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_read_to_the_last_byte),
        TEST(test_write_then_read),
        TEST(test_reads_beside_writes),
        TEST(test_end_of_file),
        TEST(test_wait_for_a_descriptor),
        TEST(test_errors_come_back),
        TEST(test_direct_refused_while_running),
        TEST(test_memory_from_elsewhere),
        TEST(test_no_memory_before_the_first_io),
        TEST(test_more_than_depth),
        TEST(test_reap_without_waiting),
        TEST(test_cancel_many),
        TEST(test_close_with_io_in_flight),
    };
#undef TEST
    engine_under_test = engine;
    print_message("engine %s\n", io_queue_engine_name(engine));
    return cmocka_run_group_tests_name(io_queue_engine_name(engine), tests,
                                       NULL, NULL);
}

int main(void)
{
    int failed = run(CW_IO_ENGINE_THREADS);

    if (has_engine(CW_IO_ENGINE_URING))
        failed += run(CW_IO_ENGINE_URING);
    else
        print_message("io_uring is not to be had here: not tested\n");
    io_queue_close(NULL);
    return failed;
}
