/* Checkpoints: whole or refused, and bound to one job, disk and target. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "plan/chunk_grid.h"
#include "record/checkpoint_file.h"
#include "unit.h"

#define MIB    (UINT64_C(1) << 20)
#define CHUNKS UINT64_C(9000) /* two pages */
#define DISK   (CHUNKS * MIB - 777)

static const uint8_t key[DIGEST_MAC_BYTES] = { 1, 2, 3 };
static bool is_authentic;
static char path[PATH_MAX];

static struct checkpoint_head bound(void)
{
    return (struct checkpoint_head){
        .job = "job-1",
        .sink = "file 77",
        .source = { 1, 2, 3 },
        .stamp = "file 1 2",
        .peer = "source",
        .chunk_bytes = (uint32_t)MIB,
        .digest = DIGEST_XXH3_128,
        .virtual_bytes = DISK,
        .disk_bytes = DISK + 777,
    };
}

struct state {
    struct chunk_bitmap held;
    struct digest *digest;
};

static void open_state(struct state *s)
{
    struct error err;

    memset(s, 0, sizeof(*s));
    assert_int_equal(chunk_bitmap_init(&s->held, CHUNKS, &err), 0);
    assert_int_equal(digest_open(DIGEST_XXH3_128, DISK, &s->digest, &err), 0);
}

static void close_state(struct state *s)
{
    chunk_bitmap_fini(&s->held);
    digest_close(s->digest);
}

/* Some chunks held: every third a zero, some with digests, on both pages. */
static void fill_state(struct state *s)
{
    open_state(s);
    for (uint64_t c = 5; c < CHUNKS; c += 1 + c % 700) {
        uint8_t value[16] = { (uint8_t)c, (uint8_t)(c >> 8), 9 };

        if (c % 3 != 0)
            digest_set(s->digest, c, value);
        chunk_bitmap_add(&s->held, c, 1);
    }
    chunk_bitmap_add(&s->held, CHUNKS - 1, 1);
}

static void save(const struct state *s)
{
    struct checkpoint_head head = bound();
    struct error err;

    assert_int_equal(
        checkpoint_file_write(path, &head, &s->held, s->digest, key, &err), 0);
    assert_int_equal(checkpoint_file_commit(path, &err), 0);
}

static enum checkpoint_file_result load(const struct checkpoint_head *wanted)
{
    struct checkpoint_head head = *wanted;
    enum checkpoint_file_result r;
    struct state s;

    open_state(&s);
    r = checkpoint_file_load(path, &head, &s.held, s.digest, key,
                             &is_authentic);
    close_state(&s);
    return r;
}

static void test_round_trip(void **state)
{
    struct checkpoint_head head = bound();
    struct state saved, loaded;
    struct error err;

    (void)state;
    fill_state(&saved);
    save(&saved);
    open_state(&loaded);
    memset(head.source, 0, sizeof(head.source));
    head.disk_bytes = 0;
    assert_int_equal(checkpoint_file_load(path, &head, &loaded.held,
                                          loaded.digest, key, &is_authentic),
                     CHECKPOINT_FILE_OK);
    assert_int_equal(head.source[2], 3); /* found, not asked for */
    assert_int_equal(head.disk_bytes, DISK + 777);
    assert_int_equal(chunk_bitmap_count(&loaded.held),
                     chunk_bitmap_count(&saved.held));
    for (uint64_t c = 0; c < CHUNKS; c++) {
        assert_int_equal(chunk_bitmap_has(&loaded.held, c),
                         chunk_bitmap_has(&saved.held, c));
        assert_true(digest_agrees(loaded.digest, saved.digest, c));
    }
    assert_int_equal(checkpoint_file_remove(path, &err), 0);
    assert_int_equal(checkpoint_file_remove(path, &err), 0); /* gone is gone */
    head = bound();
    assert_int_equal(load(&head), CHECKPOINT_FILE_NONE);
    close_state(&saved);
    close_state(&loaded);
}

/* What another user may have put there is not read, and nothing waits for it. */
static void test_planted(void **state)
{
    struct checkpoint_head head = bound();
    char aside[PATH_MAX + 8];
    struct state saved;
    struct error err;

    (void)state;
    snprintf(aside, sizeof(aside), "%s.aside", path);
    fill_state(&saved);
    save(&saved);
    assert_true(checkpoint_file_look(path, &head));
    assert_string_equal(head.peer, "source");
    assert_int_equal(chmod(path, 0666), 0);
    assert_false(checkpoint_file_look(path, &head));
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(link(path, aside), 0);
    assert_false(checkpoint_file_look(path, &head));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(symlink(aside, path), 0);
    assert_false(checkpoint_file_look(path, &head));
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(load(&head), CHECKPOINT_FILE_NONE);
    assert_int_equal(checkpoint_file_remove(path, &err), 0);
    /* Nor is a planted temporary name written through. */
    snprintf(aside, sizeof(aside), "%s.new", path);
    assert_int_equal(mkfifo(aside, 0666), 0);
    save(&saved);
    assert_int_equal(load(&head), CHECKPOINT_FILE_OK);
    assert_int_equal(checkpoint_file_remove(path, &err), 0);
    close_state(&saved);
}

/* A crash may leave any length, and a disk any bit. */
static void test_torn(void **state)
{
    struct checkpoint_head head = bound();
    struct state saved;
    struct error err;
    struct stat st;
    AUTO_FD int fd = -1;

    (void)state;
    fill_state(&saved);
    save(&saved);
    fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    for (off_t at = 0; at < st.st_size - (off_t)DIGEST_MAC_BYTES; at++) {
        uint8_t byte, wrong;

        assert_int_equal(pread(fd, &byte, 1, at), 1);
        wrong = byte ^ (uint8_t)(1U << (at % 8));
        assert_int_equal(pwrite(fd, &wrong, 1, at), 1);
        assert_int_equal(load(&head), CHECKPOINT_FILE_DAMAGED);
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    }
    assert_int_equal(load(&head), CHECKPOINT_FILE_OK);
    assert_int_equal(ftruncate(fd, st.st_size + 1), 0);
    assert_int_equal(load(&head), CHECKPOINT_FILE_DAMAGED);
    for (off_t at = st.st_size - 1; at >= 0; at--) {
        assert_int_equal(ftruncate(fd, at), 0);
        assert_int_equal(load(&head), CHECKPOINT_FILE_DAMAGED);
    }
    assert_int_equal(checkpoint_file_remove(path, &err), 0);
    close_state(&saved);
}

static void test_foreign(void **state)
{
    struct checkpoint_head heads[5];
    struct state saved;
    struct error err;

    (void)state;
    fill_state(&saved);
    save(&saved);
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        heads[i] = bound();
    heads[0].job[0] = 'J';
    heads[1].sink[0] = 'b';
    heads[2].chunk_bytes *= 2;
    heads[3].digest = DIGEST_SHA256;
    heads[4].virtual_bytes--;
    for (size_t i = 0; i < ARRAY_LEN(heads); i++)
        assert_int_equal(load(&heads[i]), i == 0 ? CHECKPOINT_FILE_OTHER_JOB
                                                 : CHECKPOINT_FILE_FOREIGN);
    assert_int_equal(checkpoint_file_remove(path, &err), 0);
    close_state(&saved);
}

/* Written and not committed: the old one counts. */
static void test_uncommitted(void **state)
{
    struct checkpoint_head head = bound();
    struct state saved;
    struct error err;

    (void)state;
    fill_state(&saved);
    assert_int_equal(checkpoint_file_write(path, &head, &saved.held,
                                           saved.digest, key, &err),
                     0);
    assert_int_equal(load(&head), CHECKPOINT_FILE_NONE);
    checkpoint_file_abandon(path);
    assert_int_equal(checkpoint_file_commit(path, &err), -1);
    close_state(&saved);
}

static int in_tmp(void **state)
{
    (void)state;
    snprintf(path, sizeof(path), "./checkpoint-%ld", (long)getpid());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),  cmocka_unit_test(test_torn),
        cmocka_unit_test(test_planted),     cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_uncommitted),
    };

    return cmocka_run_group_tests(tests, in_tmp, NULL);
}
