/*
 * The judgement of attempts, with an engine whose answers are written down:
 * what disks do once in a year happens here in each run.
 */
#include <errno.h>

#include "io/io_queue.h"
#include "io/io_queue_engine.h"
#include "unit.h"

#define FD_CACHED 100
#define FD_DIRECT 101
#define KIB       ((size_t)1024)
#define GIB       ((size_t)1 << 30)
#define MOST      8

/* An answer, and what the attempt that gets it must look like. */
struct step {
    int result;
    int fd;
    size_t done; /* bytes moved before it */
    bool must_sleep;
};

/* Answers in the order of starts; the first started ends first. */
struct script_ring {
    struct io_queue queue;
    const struct step *steps;
    unsigned taken;
    unsigned cancelled;
    bool is_slow; /* ends nothing unless waited for */
    struct io_list started;
};

static void script_start(struct io_queue *queue, struct io *io)
{
    struct script_ring *script = (struct script_ring *)queue;
    const struct step *step = &script->steps[script->taken++];

    assert_int_equal(io->fd, step->fd);
    assert_int_equal(io->done, step->done);
    assert_int_equal(io->must_sleep, step->must_sleep);
    assert_int_equal(io->rw_flags, file_rw_flags(io->file));
    assert_true(step->result <= 0 ||
                (size_t)step->result <= io_queue_attempt_len(io));
    io->result = step->result;
    io_queue_add(&script->started, io);
}

static struct io *script_finish(struct io_queue *queue, bool wait)
{
    struct script_ring *script = (struct script_ring *)queue;

    assert_int_not_equal(queue->started, 0);
    return script->is_slow && !wait ? NULL : io_queue_take(&script->started);
}

static void script_cancel(struct io_queue *queue)
{
    ((struct script_ring *)queue)->cancelled++;
}

static void script_close(struct io_queue *queue)
{
    assert_null(((struct script_ring *)queue)->started.first);
}

static const struct io_queue_ops script_ops = {
    .name = "script",
    .start = script_start,
    .finish = script_finish,
    .cancel = script_cancel,
    .close = script_close,
};

static struct script_ring script_open(const struct step *steps, unsigned depth)
{
    return (struct script_ring){
        .queue = { .ops = &script_ops, .depth = depth },
        .steps = steps,
    };
}

static struct file script_file(enum cw_io_mode mode)
{
    return (struct file){
        .fd = FD_CACHED,
        .direct_fd = mode == CW_IO_MODE_DIRECT ? FD_DIRECT : -1,
        .mode = mode,
        .align_bytes = 4096,
    };
}

/* What follows the last step: no attempt may reach it. */
#define NO_MORE  \
    {            \
        .fd = -1 \
    }

static const struct {
    const char *name;
    enum io_op op;
    enum cw_io_mode mode;
    size_t len;
    struct step steps[MOST];
    unsigned attempts;
    int want;
    bool direct_refused, dontcache_refused;
} cases[] = {
    { .name = "whole at once",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { 65536, FD_DIRECT, 0, false }, NO_MORE },
      .attempts = 1 },
    { .name = "unaligned length goes through the cache",
      .mode = CW_IO_MODE_DIRECT,
      .len = 1000,
      .steps = { { 1000, FD_CACHED, 0, false }, NO_MORE },
      .attempts = 1 },
    { .name = "short write is continued",
      .op = IO_WRITE,
      .mode = CW_IO_MODE_BUFFERED,
      .len = 64 * KIB,
      .steps = { { 1, FD_CACHED, 0, false },
                 { 40000, FD_CACHED, 1, false },
                 { 25535, FD_CACHED, 40001, false },
                 NO_MORE },
      .attempts = 3 },
    { .name = "short direct read: odd rest through the cache, not refused",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { 8192, FD_DIRECT, 0, false },
                 { 512, FD_DIRECT, 8192, false },
                 { 56832, FD_CACHED, 8704, false },
                 NO_MORE },
      .attempts = 3 },
    { .name = "EINTR, then EAGAIN: once more, where it may sleep",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { -EINTR, FD_DIRECT, 0, false },
                 { -EAGAIN, FD_DIRECT, 0, false },
                 { 4096, FD_DIRECT, 0, true },
                 { 61440, FD_DIRECT, 4096, false },
                 NO_MORE },
      .attempts = 4 },
    { .name = "EINVAL from direct: through the cache, remembered",
      .op = IO_WRITE,
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { 4096, FD_DIRECT, 0, false },
                 { -EINVAL, FD_DIRECT, 4096, false },
                 { 61440, FD_CACHED, 4096, false },
                 NO_MORE },
      .attempts = 3,
      .direct_refused = true },
    { .name = "EOPNOTSUPP from direct: the same",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { -EOPNOTSUPP, FD_DIRECT, 0, false },
                 { 65536, FD_CACHED, 0, false },
                 NO_MORE },
      .attempts = 2,
      .direct_refused = true },
    { .name = "EINVAL from the cache too: an error",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { -EINVAL, FD_DIRECT, 0, false },
                 { -EINVAL, FD_CACHED, 0, false },
                 NO_MORE },
      .attempts = 2,
      .want = -EINVAL,
      .direct_refused = true },
    { .name = "EOPNOTSUPP from dontcache: plain, remembered",
      .op = IO_WRITE,
      .mode = CW_IO_MODE_DONTCACHE,
      .len = 64 * KIB,
      .steps = { { -EOPNOTSUPP, FD_CACHED, 0, false },
                 { 65536, FD_CACHED, 0, false },
                 NO_MORE },
      .attempts = 2,
      .dontcache_refused = true },
    { .name = "EOPNOTSUPP from plain: an error",
      .mode = CW_IO_MODE_BUFFERED,
      .len = 64 * KIB,
      .steps = { { -EOPNOTSUPP, FD_CACHED, 0, false }, NO_MORE },
      .attempts = 1,
      .want = -EOPNOTSUPP },
    { .name = "EIO: an error at once",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { -EIO, FD_DIRECT, 0, false }, NO_MORE },
      .attempts = 1,
      .want = -EIO },
    { .name = "ENOSPC after a short write: an error",
      .op = IO_WRITE,
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { 32768, FD_DIRECT, 0, false },
                 { -ENOSPC, FD_DIRECT, 32768, false },
                 NO_MORE },
      .attempts = 2,
      .want = -ENOSPC },
    { .name = "file ends inside a read",
      .mode = CW_IO_MODE_DIRECT,
      .len = 64 * KIB,
      .steps = { { 10000, FD_DIRECT, 0, false },
                 { 0, FD_CACHED, 10000, false },
                 NO_MORE },
      .attempts = 2,
      .want = -ENODATA },
    { .name = "write that moves nothing",
      .op = IO_WRITE,
      .mode = CW_IO_MODE_BUFFERED,
      .len = 64 * KIB,
      .steps = { { 0, FD_CACHED, 0, false }, NO_MORE },
      .attempts = 1,
      .want = -EIO },
    { .name = "more than a call can move",
      .mode = CW_IO_MODE_DIRECT,
      .len = 2 * GIB + 4096,
      .steps = { { (int)GIB, FD_DIRECT, 0, false },
                 { (int)GIB, FD_DIRECT, GIB, false },
                 { 4096, FD_DIRECT, 2 * GIB, false },
                 NO_MORE },
      .attempts = 3 },
};

static void test_attempts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct script_ring script = script_open(cases[i].steps, 1);
        struct file file = script_file(cases[i].mode);
        struct io io = { .op = cases[i].op,
                         .file = &file,
                         .len = cases[i].len };

        CASE(cases[i].name);
        io_queue_submit(&script.queue, &io);
        assert_int_equal(io_queue_in_flight(&script.queue), 1);
        assert_ptr_equal(io_queue_reap(&script.queue, true), &io);
        assert_int_equal(io.result, cases[i].want);
        assert_int_equal(script.taken, cases[i].attempts);
        assert_int_equal(atomic_load(&file.direct_refused),
                         cases[i].direct_refused);
        assert_int_equal(atomic_load(&file.dontcache_refused),
                         cases[i].dontcache_refused);
        assert_int_equal(io_queue_in_flight(&script.queue), 0);
        assert_null(io_queue_reap(&script.queue, true));
    }
}

/* An io that is used again begins anew. */
static void test_io_is_used_again(void **state)
{
    static const struct step steps[] = {
        { -EAGAIN, FD_DIRECT, 0, false },
        { -EIO, FD_DIRECT, 0, true },
        { 4096, FD_DIRECT, 0, false },
    };
    struct script_ring script = script_open(steps, 1);
    struct file file = script_file(CW_IO_MODE_DIRECT);
    struct io io = { .file = &file, .len = 4096 };

    (void)state;
    io_queue_submit(&script.queue, &io);
    assert_int_equal(io_queue_reap(&script.queue, true)->result, -EIO);
    io_queue_submit(&script.queue, &io);
    assert_int_equal(io_queue_reap(&script.queue, true)->result, 0);
}

static void test_submit_beyond_depth(void **state)
{
    static const struct step steps[] = {
        { 4096, FD_DIRECT, 0, false },
        { -EINTR, FD_DIRECT, 0, false },
        { -EIO, FD_DIRECT, 0, false }, /* the third io */
        { 4096, FD_DIRECT, 0, false },
    };
    struct script_ring script = script_open(steps, 2);
    struct file file = script_file(CW_IO_MODE_DIRECT);
    struct io ios[3];

    (void)state;
    script.is_slow = true;
    for (size_t i = 0; i < ARRAY_LEN(ios); i++) {
        ios[i] = (struct io){ .file = &file, .len = 4096 };
        io_queue_submit(&script.queue, &ios[i]);
        assert_true(script.queue.started <= 2);
    }
    assert_int_equal(io_queue_in_flight(&script.queue), 3);

    CASE("the one that had to end is ready without waiting");
    assert_ptr_equal(io_queue_reap(&script.queue, false), &ios[0]);
    assert_null(io_queue_reap(&script.queue, false));
    assert_int_equal(io_queue_in_flight(&script.queue), 2);

    CASE("the others when waited for");
    assert_ptr_equal(io_queue_reap(&script.queue, true), &ios[2]);
    assert_int_equal(ios[2].result, -EIO);
    assert_ptr_equal(io_queue_reap(&script.queue, true), &ios[1]);
    assert_int_equal(ios[1].result, 0);
    assert_null(io_queue_reap(&script.queue, true));
}

static void test_post(void **state)
{
    struct script_ring script = script_open(NULL, 1);
    struct io ios[3] = { 0 };

    (void)state;
    for (int i = 0; i < 3; i++)
        io_queue_post(&script.queue, &ios[i], -i);
    assert_int_equal(io_queue_in_flight(&script.queue), 3);
    for (int i = 0; i < 3; i++) {
        assert_ptr_equal(io_queue_reap(&script.queue, false), &ios[i]);
        assert_int_equal(ios[i].result, -i);
    }
    assert_null(io_queue_reap(&script.queue, true));
}

static struct io *complete_whole(struct io *part)
{
    struct io **whole = part->owner;
    struct io *io = *whole;

    if (part->result != 0 || part->offset == 0)
        return NULL;
    *whole = NULL;
    return io;
}

static void test_parts_come_back_as_the_whole(void **state)
{
    struct script_ring script = script_open(NULL, 1);
    struct io whole = { 0 };
    struct io *left = &whole;
    struct io parts[2] = {
        { .owner = &left, .complete = complete_whole, .offset = 0 },
        { .owner = &left, .complete = complete_whole, .offset = 1 },
    };

    (void)state;
    io_queue_post(&script.queue, &parts[0], 0);
    assert_null(io_queue_reap(&script.queue, true));
    assert_int_equal(io_queue_in_flight(&script.queue), 0);

    io_queue_post(&script.queue, &parts[0], 0);
    io_queue_post(&script.queue, &parts[1], 0);
    assert_ptr_equal(io_queue_reap(&script.queue, true), &whole);
    assert_int_equal(io_queue_in_flight(&script.queue), 0);

    CASE("not when cancelled");
    left = &whole;
    io_queue_post(&script.queue, &parts[1], 0);
    io_queue_cancel(&script.queue);
    assert_ptr_equal(left, &whole);
}

/* No attempt follows a cancel: what is not whole by then is cancelled. */
static void test_cancel_ends_what_would_go_on(void **state)
{
    static const struct step steps[] = {
        { 4096, FD_DIRECT, 0, false }, /* short */
        { -EINTR, FD_DIRECT, 0, false },
        { 8192, FD_DIRECT, 0, false }, /* whole */
        { -EIO, FD_DIRECT, 0, false },
        { -ECANCELED, FD_DIRECT, 0, false },
        NO_MORE,
    };
    static const int want[] = { -ECANCELED, -ECANCELED, 0, -EIO, -ECANCELED };
    struct script_ring script = script_open(steps, ARRAY_LEN(want));
    struct file file = script_file(CW_IO_MODE_DIRECT);
    struct io ios[ARRAY_LEN(want)];
    struct io posted = { 0 };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        ios[i] = (struct io){ .file = &file, .len = 8192 };
        io_queue_submit(&script.queue, &ios[i]);
    }
    io_queue_post(&script.queue, &posted, -ENODATA);

    io_queue_cancel(&script.queue);
    assert_int_equal(script.cancelled, 1);
    assert_int_equal(script.taken, ARRAY_LEN(want));
    assert_int_equal(io_queue_in_flight(&script.queue), 0);
    assert_null(io_queue_reap(&script.queue, true));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(ios[i].result, want[i]);
    assert_int_equal(posted.result, -ENODATA);

    CASE("nothing to cancel: the engine is left alone");
    io_queue_close(&script.queue);
    assert_int_equal(script.cancelled, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attempts),
        cmocka_unit_test(test_io_is_used_again),
        cmocka_unit_test(test_submit_beyond_depth),
        cmocka_unit_test(test_post),
        cmocka_unit_test(test_parts_come_back_as_the_whole),
        cmocka_unit_test(test_cancel_ends_what_would_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
