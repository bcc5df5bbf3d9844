#include "sink/zero.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/iszero.h"
#include "base/log.h"

#define WRITE_BYTES (UINT64_C(1) << 20)
#define MISSES_MAX  16U

/*
 * Where the device unmaps, a call for 1 GiB costs about as much as one for 1
 * MiB. Where the kernel writes the zeros itself, a call must not delay a stop
 * too long.
 */
#define FIRST_PIECE_BYTES (UINT64_C(64) << 20)
#define MIN_PIECE_BYTES   (UINT64_C(16) << 20)
#define MAX_PIECE_BYTES   (UINT64_C(1) << 30)
#define QUICK_NS          (250 * CLOCK_MS_NS)
#define SLOW_NS           CLOCK_SECOND_NS

/* In .bss and never written: stays the kernel's zero page. */
static uint8_t zeros[WRITE_BYTES] __attribute__((aligned(4096)));

static int allocate(const struct file *file, int mode, uint64_t offset,
                    uint64_t length)
{
    while (fallocate(file->fd, mode | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                     (off_t)length) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

static int punch_hole(struct file *file, uint64_t offset, uint64_t length)
{
    return allocate(file, FALLOC_FL_PUNCH_HOLE, offset, length);
}

static int zero_range(struct file *file, uint64_t offset, uint64_t length)
{
    return allocate(file, FALLOC_FL_ZERO_RANGE, offset, length);
}

static int zeroout(struct file *file, uint64_t offset, uint64_t length)
{
    uint64_t range[2] = { offset, length };

    while (ioctl(file->fd, BLKZEROOUT, range) < 0)
        if (errno != EINTR)
            return -errno;
    return 0;
}

/* Writes up to one buffer of zeros.  Returns bytes written or -errno. */
static int64_t write_some(struct file *file, uint64_t offset, uint64_t length)
{
    size_t len = length < WRITE_BYTES ? (size_t)length : WRITE_BYTES;
    int fd = file_fd_for(file, zeros, len, offset);
    struct iovec iov = { .iov_base = zeros, .iov_len = len };
    ssize_t n;

    n = pwritev2(fd, &iov, 1, (off_t)offset,
                 fd == file->fd ? file_rw_flags(file) : 0);
    if (n >= 0)
        return n > 0 ? n : -EIO;
    if (errno == EINTR)
        return 0;
    if (errno != EINVAL && errno != EOPNOTSUPP)
        return -errno;

    /* O_DIRECT or DONTCACHE is refused after all: write without it. */
    n = pwrite(file->fd, zeros, len, (off_t)offset);
    if (n < 0)
        return errno == EINTR ? 0 : -errno;
    return n > 0 ? n : -EIO;
}

static int write_zeros(struct file *file, uint64_t offset, uint64_t length)
{
    struct file_window window = { 0 };

    while (length > 0) {
        int64_t n = write_some(file, offset, length);
        int r;

        if (n < 0)
            return (int)n;
        r = n == 0 ? 0
                   : file_window_written(&window, file, offset, (uint64_t)n);
        if (r < 0)
            return r;
        offset += (uint64_t)n;
        length -= (uint64_t)n;
    }
    return 0;
}

/* Reads len bytes at offset.  False: they are not all zero, or cannot be read
 * at once. */
static bool reads_as_zero(const struct file *file, uint8_t *buf, size_t len,
                          uint64_t offset)
{
    ssize_t n = pread(file_fd_for(file, buf, len, offset), buf, len,
                      (off_t)offset);

    return n == (ssize_t)len && iszero(buf, len);
}

/*
 * Leaves what reads as zero already: the kernel would write it, which costs
 * time, and space on a device that is thin or a file.  After MISSES_MAX pieces
 * of old data, reads one of as many.
 */
static int zero_what_is_not(struct file *file, uint64_t offset, uint64_t length)
{
    AUTO_FREE uint8_t *buf = aligned_alloc(4096, WRITE_BYTES);
    unsigned misses = 0;
    int r = buf ? 0 : -ENOMEM;

    while (r == 0 && length > 0) {
        uint64_t step = misses < MISSES_MAX ? WRITE_BYTES
                                            : MISSES_MAX * WRITE_BYTES;
        uint64_t len = length < step ? length : step;

        if (misses < MISSES_MAX &&
            reads_as_zero(file, buf, (size_t)len, offset)) {
            misses = 0;
        } else {
            misses = misses < MISSES_MAX ? misses + 1 : MISSES_MAX - 1;
            r = zero_range(file, offset, len);
            if (r < 0)
                r = zeroout(file, offset, len);
            if (r < 0)
                r = write_zeros(file, offset, len);
        }
        offset += len;
        length -= len;
    }
    return r;
}

const struct zero_method zero_block_methods[] = {
    { "punch-hole", false, punch_hole }, { "compare", false, zero_what_is_not },
    { "zero-range", true, zero_range },  { "zeroout", true, zeroout },
    { "write", true, write_zeros },      { 0 },
};

const struct zero_method zero_file_methods[] = {
    { "punch-hole", false, punch_hole },
    { "zero-range", true, zero_range },
    { "write", true, write_zeros },
    { 0 },
};

const struct zero_method zero_write_methods[] = {
    { "write", true, write_zeros },
    { 0 },
};

void zeroer_init(struct zeroer *z, struct file *file, const char *path,
                 const struct zero_method *methods, bool must_allocate)
{
    z->file = file;
    z->path = path;
    z->methods = methods;
    z->must_allocate = must_allocate;
    z->stop = NULL;
    atomic_store(&z->retired, 0);
    atomic_store(&z->zeroed_bytes, 0);
}

static bool is_last(const struct zero_method *method)
{
    return method[1].name == NULL;
}

static const struct zero_method *live(const struct zeroer *z)
{
    unsigned retired = atomic_load(&z->retired);

    for (unsigned i = 0;; i++) {
        const struct zero_method *method = &z->methods[i];

        if (is_last(method))
            return method;
        if ((retired & (1U << i)) == 0 &&
            (!z->must_allocate || method->keeps_allocation))
            return method;
    }
}

/* Lanes may fail together: only the first to retire a method logs it. */
static void retire(struct zeroer *z, const struct zero_method *method, int r)
{
    unsigned bit = 1U << (method - z->methods);

    if ((atomic_fetch_or(&z->retired, bit) & bit) == 0)
        log_info("zeroing %s: %s does not work (%s), using %s", z->path,
                 method->name, strerrordesc_np(-r), zeroer_name(z));
}

static int apply_aligned(struct zeroer *z, uint64_t offset, uint64_t length)
{
    for (;;) {
        const struct zero_method *method = live(z);
        int r = method->apply(z->file, offset, length);

        if (r == 0 || is_last(method))
            return r;
        retire(z, method, r);
    }
}

static int apply_written(struct zeroer *z, uint64_t offset, uint64_t length)
{
    const struct zero_method *method = z->methods;

    if (length == 0)
        return 0;
    while (!is_last(method))
        method++;
    return method->apply(z->file, offset, length);
}

/* One piece: an aligned middle between two edges, each possibly empty. */
static int apply_piece(struct zeroer *z, uint64_t offset, uint64_t length)
{
    uint64_t mask = z->file->align_bytes - UINT64_C(1);
    uint64_t begin = (offset + mask) & ~mask;
    uint64_t end = (offset + length) & ~mask;
    int r;

    if (begin >= end)
        return apply_written(z, offset, length);
    r = apply_written(z, offset, begin - offset);
    if (r == 0)
        r = apply_aligned(z, begin, end - begin);
    if (r == 0)
        r = apply_written(z, end, offset + length - end);
    return r;
}

static uint64_t next_piece(uint64_t piece, uint64_t took_ns)
{
    if (took_ns < QUICK_NS && piece < MAX_PIECE_BYTES)
        return piece * 2;
    if (took_ns > SLOW_NS && piece > MIN_PIECE_BYTES)
        return piece / 2;
    return piece;
}

int zeroer_apply(struct zeroer *z, uint64_t offset, uint64_t length,
                 uint64_t *failed_offset)
{
    uint64_t piece = FIRST_PIECE_BYTES;

    while (length > 0) {
        uint64_t now = length < piece ? length : piece;
        uint64_t began_ns = clock_now_ns();
        int r = z->stop && atomic_load(z->stop) ? -ECANCELED
                                                : apply_piece(z, offset, now);

        if (r < 0) {
            *failed_offset = offset;
            return r;
        }
        atomic_fetch_add(&z->zeroed_bytes, now);
        piece = next_piece(piece, clock_now_ns() - began_ns);
        offset += now;
        length -= now;
    }
    return 0;
}

const char *zeroer_name(const struct zeroer *z)
{
    return live(z)->name;
}
