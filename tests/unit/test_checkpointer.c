/* When a checkpoint is worth its flush. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "plan/chunk_grid.h"
#include "resume/checkpointer.h"
#include "unit.h"

#define CHUNKS     UINT64_C(4096)
#define DISK_BYTES (CHUNKS * CHUNK_BYTES)
#define NEVER_NS   (UINT64_C(3600) * CLOCK_SECOND_NS)

struct fixture {
    char dir[64];
    char path[128];
    struct cw_job job;
    struct sink *sink;
    struct chunk_bitmap on_disk;
    struct digest *digest;
    struct checkpointer checkpointer;
};

static struct fixture *open_fixture(void)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct checkpoint_head head = { .chunk_bytes = CHUNK_BYTES,
                                    .digest = DIGEST_XXH3_128,
                                    .virtual_bytes = DISK_BYTES,
                                    .job = "job" };
    struct sink_options options = { .overhead_ppm = 55000 };
    struct error err = { 0 };

    assert_non_null(f);
    snprintf(f->dir, sizeof(f->dir), "/var/tmp/clonewire-keeper-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    snprintf(f->path, sizeof(f->path), "%s/disk.img", f->dir);
    options.path = f->path;
    pthread_mutex_init(&f->job.state.lock, NULL);
    f->job.state.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_int_equal(sink_open(&options, &f->sink, &err), 0);
    assert_int_equal(sink_prepare(f->sink, DISK_BYTES, &err), 0);
    assert_int_equal(chunk_bitmap_init(&f->on_disk, CHUNKS, &err), 0);
    assert_int_equal(digest_open(DIGEST_XXH3_128, DISK_BYTES, &f->digest, &err),
                     0);
    checkpointer_open(&f->checkpointer, &f->job, f->sink, NULL, NEVER_NS);
    assert_int_equal(checkpointer_bind(&f->checkpointer, &head, NULL,
                                       &f->on_disk, f->digest, &err),
                     0);
    return f;
}

static void close_fixture(struct fixture *f)
{
    struct error err;

    assert_int_equal(checkpointer_remove(&f->checkpointer, &err), 0);
    checkpointer_close(&f->checkpointer);
    digest_close(f->digest);
    chunk_bitmap_fini(&f->on_disk);
    unlink(sink_content_path(f->sink));
    sink_close(f->sink);
    assert_int_equal(rmdir(f->dir), 0);
    close(f->job.state.wake_fd);
    pthread_mutex_destroy(&f->job.state.lock);
    free(f);
}

/* Does a tick begin a save? */
static bool saves(struct fixture *f)
{
    struct error err = { 0 };
    bool began;

    assert_int_equal(checkpointer_tick(&f->checkpointer, &err), 0);
    began = f->checkpointer.task.running;
    assert_int_equal(checkpointer_wait(&f->checkpointer, &err), 0);
    return began;
}

static void test_holes_are_not_worth_a_save(void **state)
{
    struct fixture *f = open_fixture();

    (void)state;
    chunk_bitmap_add(&f->on_disk, 0, CHUNKS);
    assert_false(saves(f));
    close_fixture(f);
}

static void test_much_data_is_saved_before_its_time(void **state)
{
    struct fixture *f = open_fixture();

    (void)state;
    chunk_bitmap_add(&f->on_disk, 0, 1);
    progress_add(&f->job.status.progress.data_bytes, (UINT64_C(1) << 30) - 1);
    assert_false(saves(f));
    progress_add(&f->job.status.progress.data_bytes, 1);
    assert_true(saves(f));
    assert_true(f->checkpointer.has_record);

    f->checkpointer.took_ns = 0; /* else it waits as a save takes its time */
    chunk_bitmap_add(&f->on_disk, 1, 1);
    progress_add(&f->job.status.progress.data_bytes, UINT64_C(1) << 29);
    assert_false(saves(f));
    progress_add(&f->job.status.progress.data_bytes, UINT64_C(1) << 29);
    assert_true(saves(f));
    close_fixture(f);
}

static void test_time_saves_holes_too(void **state)
{
    struct fixture *f = open_fixture();

    (void)state;
    chunk_bitmap_add(&f->on_disk, 0, CHUNKS);
    f->checkpointer.every_ns = 0;
    assert_true(saves(f));
    f->checkpointer.took_ns = 0;
    assert_false(saves(f)); /* nothing is new */
    close_fixture(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_holes_are_not_worth_a_save),
        cmocka_unit_test(test_much_data_is_saved_before_its_time),
        cmocka_unit_test(test_time_saves_holes_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
