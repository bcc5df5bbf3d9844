#include "image/stream/xz.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <lzma.h>

#include "image/stream/source_file.h"
#include "io/limits.h"

#define INPUT_BYTES   (256U << 10)
#define MIB           (UINT64_C(1) << 20)
#define SCRATCH_BYTES (64U << 10)

/* liblzma needs 16 bytes of memory per block. */
#define INDEX_MEMORY_BYTES (UINT64_C(16) << 20)

/* Each lane has a decoder and discards what lies before its part of a block.
 * That pays for xz -6 -T (24 MiB, 9 MiB), not for much larger blocks. */
#define SHARED_BLOCK_BYTES  (UINT64_C(64) << 20)
#define SHARED_MEMORY_BYTES (UINT64_C(18) << 20)

/* Rewinds in large blocks before the read fails as hopeless. */
#define MAX_REWINDS 16U

struct xz {
    struct stream stream; /* first: callers hold this */
    struct file file;
    struct file_window window;
    lzma_index *index;  /* owned */
    lzma_index_iter at; /* the block being decoded */
    lzma_stream decoder;
    lzma_block block;
    lzma_filter filters[LZMA_FILTERS_MAX + 1]; /* options owned */
    bool is_decoding; /* inside a block, before its end */
    uint64_t in_end;  /* file offset after the input in memory */
    uint64_t out;     /* offset of the next decoded byte */
    uint64_t next;    /* offset of the next byte that xz_next() returns */
    uint64_t proven;  /* number of the last block decoded to its end */
    unsigned rewinds;
    uint8_t *input;   /* owned */
    uint8_t *scratch; /* owned */
};

uint64_t xz_memory_bytes(void)
{
    return limits_decoder_bytes(XZ_DECODER_MEMORY_BYTES);
}

int xz_refuse_memory(uint64_t needed_bytes, struct error *err)
{
    uint64_t limit = limits_memory_bytes();
    uint64_t allowed = xz_memory_bytes();
    uint64_t needed = (needed_bytes + MIB - 1) / MIB;

    if (allowed == XZ_DECODER_MEMORY_BYTES)
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: needs %" PRIu64
                         " MiB to decode, more than the %" PRIu64
                         " MiB that are allowed: use xz -9 or less",
                         needed, allowed / MIB);
    return error_set(
        err, ERROR_FORMAT, 0,
        "xz: needs %" PRIu64 " MiB to decode, more than the "
        "%" PRIu64 " MiB that the memory limit of %" PRIu64
        " MiB leaves for it: raise the limit by %" PRIu64 " MiB, or use xz -6",
        needed, allowed / MIB, limit / MIB, needed - allowed / MIB);
}

int xz_explain(int r, uint64_t in, struct error *err)
{
    const char *why = "damaged data";

    switch ((unsigned)r) {
    case LZMA_MEM_ERROR:
        return error_set(err, ERROR_SYSTEM, ENOMEM, "xz: decode");
    case LZMA_MEMLIMIT_ERROR: why = "needs too much memory"; break;
    case LZMA_OPTIONS_ERROR: why = "needs options not supported"; break;
    case LZMA_BUF_ERROR: why = "cut off"; break;
    default: break;
    }
    return error_set(err, ERROR_FORMAT, 0, "xz: %s near byte %" PRIu64, why,
                     in);
}

/* Reads up to INPUT_BYTES at offset; 0 only at the end of the file. */
static int read_input(struct xz *xz, uint64_t offset, size_t *len,
                      struct error *err)
{
    ssize_t n = source_file_read(&xz->file, xz->input, INPUT_BYTES, offset);

    if (n < 0)
        return error_set(err, ERROR_SOURCE_IO, (int)-n,
                         "xz: read %u bytes at %" PRIu64, INPUT_BYTES, offset);
    file_window_read(&xz->window, &xz->file, offset, (uint64_t)n);
    *len = (size_t)n;
    return 0;
}

/* Starts at the end of the file; liblzma says where to read. */
static int read_index(struct xz *xz, struct error *err)
{
    lzma_stream reader = LZMA_STREAM_INIT;
    /* Where an index should be, until one points to another. */
    uint64_t at = 0, place = xz->file.size_bytes;
    lzma_ret r = lzma_file_info_decoder(&reader, &xz->index, INDEX_MEMORY_BYTES,
                                        xz->file.size_bytes);
    int failed = 0;

    while (r == LZMA_OK && failed == 0) {
        size_t len = 0;

        if (reader.avail_in == 0) {
            failed = read_input(xz, at, &len, err);
            reader.next_in = xz->input;
            reader.avail_in = len;
            at += len;
        }
        r = lzma_code(&reader, len == 0 && at >= xz->file.size_bytes
                                   ? LZMA_FINISH
                                   : LZMA_RUN);
        if (r == LZMA_SEEK_NEEDED) {
            at = place = reader.seek_pos;
            reader.avail_in = 0;
            r = LZMA_OK;
        }
    }
    lzma_end(&reader);
    if (failed < 0)
        return -1;
    if (r == LZMA_FORMAT_ERROR || r == LZMA_DATA_ERROR)
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: no index where one should be, near byte "
                         "%" PRIu64 ": cut off, damaged, or garbage behind it",
                         place);
    return r == LZMA_STREAM_END ? 0 : xz_explain((int)r, at, err);
}

static void free_filters(struct xz *xz)
{
    lzma_filters_free(xz->filters, NULL);
}

/* Reads the header of the block xz->at and makes a decoder for it. */
static int begin_block(struct xz *xz, struct error *err)
{
    uint64_t offset = xz->at.block.compressed_file_offset;
    uint64_t memory;
    size_t len = 0;
    lzma_ret r;

    xz->is_decoding = false;
    if (read_input(xz, offset, &len, err) < 0)
        return -1;
    xz->block = (lzma_block){
        .version = 1,
        .check = xz->at.stream.flags->check,
        .filters = xz->filters,
    };
    if (len == 0 || xz->input[0] == 0)
        return xz_explain(LZMA_DATA_ERROR, offset, err);
    xz->block.header_size = lzma_block_header_size_decode(xz->input[0]);
    if (xz->block.header_size > len)
        return xz_explain(LZMA_BUF_ERROR, offset, err);

    free_filters(xz);
    r = lzma_block_header_decode(&xz->block, NULL, xz->input);
    if (r == LZMA_OK)
        r = lzma_block_compressed_size(&xz->block, xz->at.block.unpadded_size);
    if (r != LZMA_OK)
        return xz_explain((int)r, offset, err);
    memory = lzma_raw_decoder_memusage(xz->filters);
    if (memory > xz_memory_bytes())
        return xz_refuse_memory(memory, err);
    if (memory > SHARED_MEMORY_BYTES)
        xz->stream.is_sequential = true;
    r = lzma_block_decoder(&xz->decoder, &xz->block);
    if (r != LZMA_OK)
        return xz_explain((int)r, offset, err);
    xz->decoder.next_in = xz->input + xz->block.header_size;
    xz->decoder.avail_in = len - xz->block.header_size;
    xz->in_end = offset + len;
    xz->out = xz->at.block.uncompressed_file_offset;
    xz->is_decoding = true;
    return 0;
}

static uint64_t block_end(const struct xz *xz)
{
    return xz->at.block.uncompressed_file_offset +
           xz->at.block.uncompressed_size;
}

/* One lzma_code(): up to len bytes into buf. */
static int decode_step(struct xz *xz, uint8_t *buf, size_t len, size_t *got,
                       struct error *err)
{
    size_t more = 0;
    lzma_ret r;

    if (xz->decoder.avail_in == 0) {
        if (read_input(xz, xz->in_end, &more, err) < 0)
            return -1;
        xz->decoder.next_in = xz->input;
        xz->decoder.avail_in = more;
        xz->in_end += more;
    }
    xz->decoder.next_out = buf;
    xz->decoder.avail_out = len;
    r = lzma_code(&xz->decoder, LZMA_RUN);
    *got = len - xz->decoder.avail_out;
    xz->out += *got;
    if (r == LZMA_STREAM_END) {
        /* The checksum was right; the index must agree on the size. */
        xz->is_decoding = false;
        xz->proven = xz->at.block.number_in_file;
        return xz->out == block_end(xz)
                   ? 0
                   : xz_explain(LZMA_DATA_ERROR, xz->in_end, err);
    }
    if (r == LZMA_OK && xz->out <= block_end(xz))
        return 0;
    return xz_explain(r == LZMA_OK ? LZMA_DATA_ERROR : (int)r, xz->in_end, err);
}

/* Decodes to the end of the block, where its checksum is. */
static int finish_block(struct xz *xz, struct error *err)
{
    size_t got;

    while (xz->is_decoding)
        if (decode_step(xz, xz->scratch, SCRATCH_BYTES, &got, err) < 0)
            return -1;
    return 0;
}

/* As finish_block(), but only once per block: the file does not change. */
static int prove_block(struct xz *xz, struct error *err)
{
    if (xz->proven == xz->at.block.number_in_file)
        return 0;
    return finish_block(xz, err);
}

/* Decodes len bytes of the block to buf, or discards them (buf NULL).  The
 * last bytes of the block prove its checksum. */
static int decode(struct xz *xz, uint8_t *buf, uint64_t len, struct error *err)
{
    while (len > 0) {
        size_t max = buf || len < SCRATCH_BYTES ? (size_t)len : SCRATCH_BYTES;
        size_t got;

        if (!xz->is_decoding)
            return xz_explain(LZMA_DATA_ERROR, xz->in_end, err);
        if (decode_step(xz, buf ? buf : xz->scratch, max, &got, err) < 0)
            return -1;
        len -= got;
        if (buf)
            buf += got;
    }
    return xz->out == block_end(xz) ? finish_block(xz, err) : 0;
}

/* Moves to offset: forward in this block, or from the start of another. */
static int seek(struct xz *xz, uint64_t offset, struct error *err)
{
    bool is_here = xz->is_decoding && offset < block_end(xz);

    if (is_here && offset >= xz->out)
        return decode(xz, NULL, offset - xz->out, err);
    if (xz->stream.is_sequential && offset < xz->out &&
        ++xz->rewinds > MAX_REWINDS)
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: its content lies too far out of order to be "
                         "read from large blocks; decompress it first, or "
                         "compress it with xz --block-size=16MiB");
    if (xz->stream.reads_in_part && prove_block(xz, err) < 0)
        return -1;
    if (lzma_index_iter_locate(&xz->at, offset))
        return xz_explain(LZMA_DATA_ERROR, xz->in_end, err);
    if (begin_block(xz, err) < 0)
        return -1;
    return decode(xz, NULL, offset - xz->out, err);
}

static int xz_read(struct stream *stream, void *buf, size_t len,
                   uint64_t offset, struct error *err)
{
    struct xz *xz = (struct xz *)stream;
    uint8_t *to = buf;

    while (len > 0) {
        uint64_t left;

        if ((!xz->is_decoding || offset != xz->out) &&
            seek(xz, offset, err) < 0)
            return -1;
        left = block_end(xz) - offset;
        if (left > len)
            left = len;
        if (decode(xz, to, left, err) < 0)
            return -1;
        to += left;
        len -= (size_t)left;
        offset += left;
    }
    return 0;
}

static ssize_t xz_next(struct stream *stream, void *buf, size_t len,
                       struct error *err)
{
    struct xz *xz = (struct xz *)stream;
    uint64_t left = stream->size_bytes - xz->next;

    if (left < len)
        len = (size_t)left;
    if (len > 0 && xz_read(stream, buf, len, xz->next, err) < 0)
        return -1;
    xz->next += len;
    return (ssize_t)len;
}

static int xz_prove(struct stream *stream, struct error *err)
{
    return prove_block((struct xz *)stream, err);
}

static void xz_close(struct stream *stream)
{
    struct xz *xz = (struct xz *)stream;

    lzma_end(&xz->decoder);
    free_filters(xz);
    lzma_index_end(xz->index, NULL);
    file_close(&xz->file);
    free(xz->input);
    free(xz->scratch);
    free(xz);
}

static const struct stream_ops xz_ops = {
    .read = xz_read,
    .next = xz_next,
    .prove = xz_prove,
    .close = xz_close,
};

/* The size of the largest block; 0: others than the last one differ in size. */
static uint64_t block_size(const lzma_index *index, uint64_t largest)
{
    lzma_index_iter iter;

    assert(largest > 0);
    lzma_index_iter_init(&iter, index);
    if (largest == 0)
        return 0;
    while (!lzma_index_iter_next(&iter, LZMA_INDEX_ITER_NONEMPTY_BLOCK))
        if (iter.block.uncompressed_file_offset % largest != 0)
            return 0;
    return largest;
}

static uint64_t largest_block(const lzma_index *index)
{
    lzma_index_iter iter;
    uint64_t largest = 0;

    lzma_index_iter_init(&iter, index);
    while (!lzma_index_iter_next(&iter, LZMA_INDEX_ITER_NONEMPTY_BLOCK))
        if (iter.block.uncompressed_size > largest)
            largest = iter.block.uncompressed_size;
    return largest;
}

static struct xz *create(struct file *file)
{
    struct xz *xz = calloc(1, sizeof(*xz));

    if (!xz) {
        file_close(file);
        return NULL;
    }
    xz->file = *file;
    *file = (struct file)FILE_CLOSED;
    source_file_read_cached(&xz->file);
    xz->stream.ops = &xz_ops;
    xz->stream.host_bytes = xz->file.size_bytes;
    xz->stream.mode = xz->file.mode;
    xz->filters[0].id = LZMA_VLI_UNKNOWN;
    xz->input = malloc(INPUT_BYTES);
    xz->scratch = malloc(SCRATCH_BYTES);
    if (xz->input && xz->scratch)
        return xz;
    xz_close(&xz->stream);
    return NULL;
}

/* Finds out how the file can be read, from the decoder of the first block. */
static int look_inside(struct xz *xz, struct error *err)
{
    uint64_t largest;

    if (read_index(xz, err) < 0)
        return -1;
    lzma_index_iter_init(&xz->at, xz->index);
    xz->stream.size_bytes = lzma_index_uncompressed_size(xz->index);
    if (xz->stream.size_bytes == 0)
        return 0;
    largest = largest_block(xz->index);
    xz->stream.is_sequential = largest > SHARED_BLOCK_BYTES;
    xz->stream.block_bytes = block_size(xz->index, largest);
    return seek(xz, 0, err);
}

int xz_open(struct file *file, struct stream **stream, struct error *err)
{
    struct xz *xz = create(file);

    if (!xz)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "xz: open");
    if (look_inside(xz, err) < 0) {
        xz_close(&xz->stream);
        return -1;
    }
    *stream = &xz->stream;
    return 0;
}
