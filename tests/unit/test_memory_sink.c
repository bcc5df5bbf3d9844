/* A copy through the lanes into a sink that is not a file: what a kind of sink has
 * to do, and what follows where it cannot do more. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "memory_sink.h"
#include "record/digest.h"
#include "transfer/copy_worker.h"
#include "unit.h"

#define MIB  (UINT64_C(1) << 20)
#define SIZE (5 * MIB + 4096)

static char dir[] = "/tmp/cw-memory-sink-XXXXXX";
static char path[64];
static uint8_t *disk; /* what path holds */

/* Data, a hole, data with short and long runs of zeros, a short end. */
static int make_image(void **state)
{
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/image", dir);
    disk = calloc(1, SIZE);
    for (uint64_t i = 0; i < SIZE; i++)
        if (i < MIB || i >= 3 * MIB)
            disk[i] = (uint8_t)(i * 2654435761U >> 13 | 1);
    memset(disk + 3 * MIB + 8192, 0, 4096);
    memset(disk + 4 * MIB + 65536, 0, 512 << 10);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, disk, MIB, 0), MIB);
    assert_int_equal(pwrite(fd, disk + 3 * MIB, SIZE - 3 * MIB, 3 * MIB),
                     SIZE - 3 * MIB);
    return close(fd);
}

static int remove_image(void **state)
{
    (void)state;
    free(disk);
    unlink(path);
    return rmdir(dir);
}

/* The whole image, by two lanes.  Returns 0, or -1 with *err. */
static int copy(struct sink *sink, uint64_t *data_bytes, struct error *err)
{
    const struct cw_tuning tuning = { 0 };
    const struct cw_events events = { 0 };
    struct cw_job *job = calloc(1, sizeof(*job));
    struct copy_worker lanes[2] = { 0 };
    struct local_plan plan = { .job = job,
                               .sink = sink,
                               .image = { .path = path },
                               .virtual_bytes = SIZE };
    int r;

    assert_int_equal(job_init(job, true, NULL, &tuning, &events, err), 0);
    assert_int_equal(
        digest_open(DIGEST_XXH3_128, SIZE, &job->status.digest, err), 0);
    assert_int_equal(sink_prepare(sink, SIZE, err), 0);
    job->resources.lanes = 2;
    work_queue_init(&plan.work, chunk_grid_count(SIZE), 2, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(copy_worker_start(&lanes[i], &plan, i, err), 0);
    for (unsigned i = 0; i < 2; i++)
        worker_join(&lanes[i].lane);
    r = job_state_first_error(&job->state, err) ? -1 : 0;
    *data_bytes = progress_get(&job->status.progress.data_bytes);
    job_fini(job);
    free(job);
    return r;
}

static void test_copy(void **state)
{
    struct memory_sink *memory = memory_sink_open();
    struct sink *sink = &memory->sink;
    struct sink_report report;
    uint64_t data_bytes;
    struct error err = { 0 };

    (void)state;
    if (copy(sink, &data_bytes, &err) < 0)
        fail_msg("%s", err.text);
    assert_memory_equal(memory->bytes, disk, SIZE);
    assert_int_equal(data_bytes, SIZE - 2 * MIB - 4096 - (512 << 10));
    assert_true(memory->zeros > 0);
    assert_int_equal(sink_finish(sink, &err), 0);
    assert_int_equal(sink_commit(sink, &err), 0);
    assert_int_equal(memory->flushes, 1);
    assert_int_equal(memory->commits, 1);
    sink_get_report(sink, &report);
    assert_string_equal(report.kind, "memory");
    assert_int_equal(report.disk_bytes, SIZE);
    sink_close(sink);
}

/* A failed write ends the copy with the sink's name, and is final. */
static void test_failed_write(void **state)
{
    struct memory_sink *memory = memory_sink_open();
    uint64_t data_bytes;
    struct error err = { 0 };

    (void)state;
    memory->write_result = -ENOSPC;
    assert_int_equal(copy(&memory->sink, &data_bytes, &err), -1);
    assert_int_equal(err.kind, ERROR_NO_SPACE);
    assert_non_null(strstr(err.text, "of memory"));
    assert_int_equal(data_bytes, 0);
    assert_int_equal(sink_flush(&memory->sink, &err), -1);
    sink_close(&memory->sink);
}

/* What needs a file or a device is not there, and nothing pretends it is. */
static void test_not_local(void **state)
{
    struct memory_sink *memory = memory_sink_open();
    struct sink *sink = &memory->sink;
    char identity[SINK_IDENTITY_BYTES], stamp[FILE_STAMP_BYTES], text[64];
    uint64_t starts[4], bytes;
    struct error err;

    (void)state;
    assert_false(sink_is_device(sink));
    assert_null(sink_content_path(sink));
    assert_null(sink_state_path(sink, NULL));
    assert_null(sink_state_path(sink, "/somewhere"));
    assert_int_equal(sink_identify(sink, identity, &err), 0);
    assert_string_equal(identity, "");
    sink_stamp(sink, stamp);
    assert_string_equal(stamp, "");
    assert_false(sink_describe(sink, text, sizeof(text)));
    assert_int_equal(sink_partition_starts(sink, starts, 4), 0);
    assert_int_equal(sink_available(sink, &bytes, &err), 0);
    assert_int_equal(bytes, UINT64_MAX);
    assert_int_equal(sink_adopt(sink, SIZE, false, &err), 0);
    sink_drop_cache(sink);
    sink_close(sink);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_failed_write),
        cmocka_unit_test(test_not_local),
    };

    return cmocka_run_group_tests(tests, make_image, remove_image);
}
