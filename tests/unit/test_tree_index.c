/* A directory as a disk: where its files lie, and what a range of it is. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "io/io_queue.h"
#include "own_dir.h"
#include "plan/chunk_grid.h"
#include "tar/stage.h"
#include "tar/tree_files.h"

static const char make_src[] =
    "rm -rf src dst; mkdir -p src/d dst; cd src;"
    "printf a >a; : >b-empty; ln a c-hard; ln -s a d-soft;"
    "head -c 4096 /dev/zero | tr '\\0' x >d/block;"
    "head -c 4097 /dev/zero | tr '\\0' y >d/more; truncate -s 300000 e-hole";

static struct tree_index *index_of(const char *directory)
{
    struct tree_index *index = NULL;
    struct error err = { 0 };

    if (tree_index_make(directory, false, &index, &err) < 0)
        fail_msg("%s", err.text);
    return index;
}

/* Files in order, each at a block; empty ones and second names have none. */
static void test_layout(void **state)
{
    static const struct {
        const char *path;
        uint64_t size, blocks_before;
    } wanted[] = { { "a", 1, 0 },
                   { "d/block", 4096, 1 },
                   { "d/more", 4097, 2 },
                   { "e-hole", 300000, 4 } };
    struct tree_index *index;
    uint64_t begin;

    (void)state;
    sh(make_src);
    index = index_of("src");
    begin = index->data_begin;
    assert_int_equal(index->count, ARRAY_LEN(wanted));
    assert_true(begin >= index->len && begin % BLOCK_BYTES == 0);
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        CASE(wanted[i].path);
        assert_string_equal(tree_index_path(index, i), wanted[i].path);
        assert_int_equal(index->files[i].size_bytes, wanted[i].size);
        assert_int_equal(index->files[i].offset,
                         begin + wanted[i].blocks_before * BLOCK_BYTES);
        assert_int_equal(tree_index_find(index, index->files[i].offset), i);
        assert_int_equal(
            tree_index_find(index, index->files[i].offset + wanted[i].size - 1),
            i);
        assert_int_equal(
            tree_index_find(index, index->files[i].offset + wanted[i].size),
            i + 1);
    }
    assert_int_equal(tree_index_find(index, 0), 0);
    assert_int_equal(index->virtual_bytes,
                     begin + 4 * BLOCK_BYTES + 74 * BLOCK_BYTES);
    tree_index_free(index);
}

static void test_empty(void **state)
{
    struct tree_index *index;

    (void)state;
    sh("rm -rf src; mkdir src");
    index = index_of("src");
    assert_int_equal(index->count, 0);
    assert_int_equal(index->virtual_bytes, index->data_begin);
    tree_index_free(index);
}

/* A part of an index is not an index. */
static void test_damaged(void **state)
{
    struct tree_index *index, *again;
    unsigned refused = 0;
    struct error err;

    (void)state;
    sh(make_src);
    index = index_of("src");
    for (size_t len = 0; len < index->len; len += 7) {
        uint8_t *copy = malloc(index->len);

        assert_non_null(copy);
        memcpy(copy, index->bytes, index->len);
        if (tree_index_read(copy, len, &again, &err) == 0)
            fail_msg("%zu of %zu bytes are an index", len, index->len);
        assert_null(again);
        refused++;
    }
    assert_true(refused > 10);
    tree_index_free(index);
}

static struct io_queue *queue;

/* Moves [offset, offset+len) of the disk.  Returns the result. */
static int move(struct tree_files *files, enum io_op op, uint64_t offset,
                size_t len, uint8_t *buf)
{
    struct io io = { .op = op, .buf = buf, .len = len, .offset = offset };

    tree_files_submit(files, queue, &io);
    assert_ptr_equal(io_queue_reap(queue, true), &io);
    assert_int_equal(io.offset, offset);
    return io.result;
}

static struct tree_files *files_of(int dir_fd, const struct tree_index *index,
                                   bool writes)
{
    const struct tree_files_options options = {
        .dir_fd = dir_fd, .index = index, .writes = writes, .max_open = 2
    };
    struct tree_files *files;
    struct error err;

    assert_int_equal(tree_files_open(&options, &files, &err), 0);
    return files;
}

/* Any range, in any order, makes the same disk, with two open files. */
static void test_copy(void **state)
{
    struct tree_index *index = index_of("src");
    const struct tar_stage_options options = { .directory = "dst",
                                               .index = index };
    size_t len = (size_t)index->virtual_bytes;
    uint8_t *disk = malloc(len), *back = calloc(1, len);
    int fd = open("src", O_RDONLY | O_DIRECTORY);
    struct tree_files *from = files_of(fd, index, false), *to;
    struct tar_stage *stage;
    struct error err = { 0 };

    (void)state;
    assert_non_null(disk);
    assert_non_null(back);
    assert_int_equal(tar_stage_open(&options, &stage, &err), 0);
    assert_int_equal(tar_stage_make(stage, false, &err), 0);
    to = files_of(tar_stage_fd(stage), index, true);
    assert_int_equal(move(from, IO_READ, 0, len, disk), 0);
    assert_memory_equal(disk, index->bytes, index->len);
    for (size_t at = (len - 1) / 8192 * 8192; at < len; at -= 8192) {
        size_t n = len - at < 8192 ? len - at : 8192;

        assert_int_equal(move(to, IO_WRITE, at, n, disk + at), 0);
    }
    assert_int_equal(move(to, IO_READ, 0, len, back), 0);
    assert_memory_equal(disk, back, len);
    assert_int_equal(tar_stage_flush(stage), 0);
    tree_files_close(to);
    assert_int_equal(tar_stage_finish(stage, &err), 0);
    tar_stage_close(stage, false);
    sh("diff -r src dst && test dst/a -ef dst/c-hard &&"
       "test \"$(readlink dst/d-soft)\" = a && ! ls -A dst | grep clonewire");
    tree_files_close(from);
    close(fd);
    free(disk);
    free(back);
    tree_index_free(index);
}

/* What is no file has one content; a file that has shrunk is no file of zeros. */
static void test_refused(void **state)
{
    struct tree_index *index;
    struct tree_files *files;
    uint8_t buf[8192] = { 0 };
    int fd;

    (void)state;
    sh(make_src);
    index = index_of("src");
    fd = open("src", O_RDONLY | O_DIRECTORY);
    files = files_of(fd, index, true);
    assert_int_equal(move(files, IO_WRITE, 0, 512, buf), -EBADMSG);
    memset(buf, 'x', sizeof(buf));
    assert_int_equal(move(files, IO_WRITE, index->files[0].offset, 4096, buf),
                     -EBADMSG);
    assert_int_equal(move(files, IO_WRITE, index->files[1].offset, 4096, buf),
                     0);
    sh("truncate -s 4000 src/d/more");
    assert_int_equal(move(files, IO_READ, index->files[2].offset, 8192, buf),
                     -ENODATA);
    tree_files_close(files);
    close(fd);
    tree_index_free(index);
}

static int open_queue(void **state)
{
    struct error err;

    return enter(state) < 0
               ? -1
               : io_queue_open(CW_IO_ENGINE_THREADS, 8, NULL, 0, &queue, &err);
}

static int close_queue(void **state)
{
    io_queue_close(queue);
    return leave(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layout),  cmocka_unit_test(test_copy),
        cmocka_unit_test(test_empty),   cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, open_queue, close_queue);
}
