/* A pipe is read once, but for its head. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "image/stream/peek_pipe.h"
#include "unit.h"

/* Fits into the pipe, so that one thread is enough. */
#define BYTES PEEK_PIPE_HEAD_BYTES

static uint8_t sent[BYTES];

static ssize_t read_fd(void *opaque, void *buf, size_t len, struct error *err)
{
    const int *fd = opaque;
    ssize_t n = read(*fd, buf, len);

    return n < 0 ? error_set(err, ERROR_SOURCE_IO, errno, "read") : n;
}

static struct peek_pipe *open_fd(int *fd)
{
    return peek_pipe_open(
        &(struct byte_source){ .read = read_fd, .opaque = fd });
}

static int fill(int fds[2], size_t len)
{
    for (size_t i = 0; i < BYTES; i++)
        sent[i] = (uint8_t)(i * 7 + i / 256);
    if (pipe(fds) < 0 || fcntl(fds[1], F_SETPIPE_SZ, 2 * BYTES) < 0 ||
        write(fds[1], sent, len) != (ssize_t)len)
        return -1;
    return 0;
}

/* Reads len bytes at offset, in whatever pieces come. */
static void expect(struct peek_pipe *pipe, uint64_t offset, size_t len)
{
    uint8_t buf[BYTES];
    struct error err;

    for (size_t done = 0; done < len;) {
        ssize_t n = peek_pipe_read(pipe, buf, len - done, offset + done, &err);

        assert_in_range(n, 1, len - done);
        assert_memory_equal(buf, sent + offset + done, (size_t)n);
        done += (size_t)n;
    }
}

static void test_head_again_and_again(void **state)
{
    struct error err = { 0 };
    struct peek_pipe *pipe;
    int fds[2];

    (void)state;
    assert_int_equal(fill(fds, 20000), 0);
    pipe = open_fd(&fds[0]);
    expect(pipe, 0, 512);
    expect(pipe, 0, 9000);
    expect(pipe, 100, 10);
    expect(pipe, 0, 20000);
    close(fds[1]);
    assert_int_equal(peek_pipe_read(pipe, sent, 1, 20000, &err), 0);
    peek_pipe_close(pipe);
    close(fds[0]);
}

static void test_behind_the_head_only_forward(void **state)
{
    struct error err = { 0 };
    struct peek_pipe *pipe;
    uint8_t byte;
    int fds[2];

    (void)state;
    assert_int_equal(fill(fds, BYTES), 0);
    pipe = open_fd(&fds[0]);
    assert_int_equal(peek_pipe_read(pipe, &byte, 1, 5, &err), -1);
    assert_int_equal(err.errnum, ESPIPE);
    expect(pipe, 0, PEEK_PIPE_HEAD_BYTES);
    assert_int_equal(write(fds[1], "xyz", 3), 3);
    expect(pipe, 0, 1); /* still all in the head */
    assert_int_equal(peek_pipe_read(pipe, &byte, 1, PEEK_PIPE_HEAD_BYTES, &err),
                     1);
    assert_int_equal(byte, 'x');
    assert_int_equal(peek_pipe_read(pipe, &byte, 1, 0, &err), -1);
    assert_int_equal(err.errnum, ESPIPE);
    assert_int_equal(
        peek_pipe_read(pipe, &byte, 1, PEEK_PIPE_HEAD_BYTES + 1, &err), 1);
    assert_int_equal(byte, 'y');
    peek_pipe_close(pipe);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_head_again_and_again),
        cmocka_unit_test(test_behind_the_head_only_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
