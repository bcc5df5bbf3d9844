#include <assert.h>
#include <errno.h>
#include <inttypes.h>

#include "image/stream/decoders.h"
#include "image/stream/xz_private.h"
#include "io/limits.h"

#define MIB (UINT64_C(1) << 20)

#define DECODER_MEMORY_BYTES (96 * MIB)

/*
 * liblzma needs 16 bytes of memory per block and some 200 per stream, and time
 * that grows faster than the number of streams: both are bounded by the size of
 * the file, which allows blocks of 16 KiB on average.
 */
#define INDEX_MEMORY_BYTES (16 * MIB)
#define INDEX_LEAST_BYTES  (1 * MIB)
#define INDEX_SHARE        1024U

/* Each lane has a decoder and discards what lies before its part of a block.
 * That pays for xz -6 -T (24 MiB, 9 MiB), not for much larger blocks. */
#define SHARED_BLOCK_BYTES  (64 * MIB)
#define SHARED_MEMORY_BYTES (18 * MIB)

/* Rewinds in large blocks before the read fails as hopeless. */
#define MAX_REWINDS 16U

struct xz {
    struct stream stream; /* first: callers hold this */
    lzma_index *index;    /* owned */
    lzma_index_iter at;   /* the block being decoded */
    lzma_stream decoder;
    lzma_block block;
    lzma_filter filters[LZMA_FILTERS_MAX + 1]; /* options owned */
    bool is_decoding; /* inside a block, before its end */
    uint64_t proven;  /* number of the last block decoded to its end */
    unsigned rewinds;
};

uint64_t xz_memory_bytes(void)
{
    return limits_decoder_bytes(DECODER_MEMORY_BYTES);
}

int xz_refuse_memory(uint64_t needed_bytes, struct error *err)
{
    uint64_t limit = limits_memory_bytes();
    uint64_t allowed = xz_memory_bytes();
    uint64_t needed = (needed_bytes + MIB - 1) / MIB;

    if (allowed == DECODER_MEMORY_BYTES)
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

int xz_explain(lzma_ret r, uint64_t at, struct error *err)
{
    const char *why = "damaged data";

    switch ((unsigned)r) { /* few of its values */
    case LZMA_MEM_ERROR:
        return error_set(err, ERROR_SYSTEM, ENOMEM, "xz: decode");
    case LZMA_MEMLIMIT_ERROR: why = "needs too much memory"; break;
    case LZMA_OPTIONS_ERROR: why = "needs options not supported"; break;
    case LZMA_BUF_ERROR: why = "cut off"; break;
    default: break;
    }
    return error_set(err, ERROR_FORMAT, 0, "xz: %s near byte %" PRIu64, why,
                     at);
}

lzma_ret xz_code(struct stream *stream, lzma_stream *decoder, uint8_t *buf,
                 size_t len, size_t *got)
{
    lzma_ret r;

    decoder->next_in = stream->at;
    decoder->avail_in = stream->left;
    decoder->next_out = buf;
    decoder->avail_out = len;
    r = lzma_code(decoder, stream->input_has_ended ? LZMA_FINISH : LZMA_RUN);
    stream->at = decoder->next_in;
    stream->left = decoder->avail_in;
    *got = len - decoder->avail_out;
    stream->out += *got;
    return r;
}

/*
 * Continues reading at offset, which mostly lies a little before the last one:
 * keeps the input that holds it, or reads some before it too.  So a file of the
 * shortest streams, of 32 bytes, is read twice and not once for each of them.
 */
static int seek_backwards(struct stream *stream, uint64_t offset,
                          struct error *err)
{
    size_t held = (size_t)(stream->at - stream->input) + stream->left;
    uint64_t begin = stream->at ? stream->in_end - held : UINT64_MAX;

    if (offset < begin || offset >= stream->in_end) {
        begin = offset > STREAM_INPUT_BYTES / 2
                    ? offset - STREAM_INPUT_BYTES / 2
                    : 0;
        stream_seek_input(stream, begin);
        if (stream_refill(stream, err) < 0)
            return -1;
    }
    if (offset >= stream->in_end) { /* the end, or it has become shorter */
        stream_seek_input(stream, offset);
        return 0;
    }
    stream->at = stream->input + (offset - begin);
    stream->left = (size_t)(stream->in_end - offset);
    stream->input_has_ended = false;
    return 0;
}

static uint64_t index_memory_bytes(const struct stream *stream)
{
    uint64_t bytes = INDEX_LEAST_BYTES + stream->file.size_bytes / INDEX_SHARE;

    return bytes < INDEX_MEMORY_BYTES ? bytes : INDEX_MEMORY_BYTES;
}

static int refuse_index(struct error *err)
{
    return error_set(err, ERROR_FORMAT, 0,
                     "xz: too many streams or blocks for a file of this size; "
                     "decompress it, or compress it again with xz");
}

/* Starts at the end of the file; liblzma asks for each offset. */
static int read_index(struct xz *xz, struct error *err)
{
    struct stream *stream = &xz->stream;
    lzma_stream reader = LZMA_STREAM_INIT;
    /* Where an index should be, until one points to another. */
    uint64_t place = stream->file.size_bytes;
    lzma_ret r = lzma_file_info_decoder(&reader, &xz->index,
                                        index_memory_bytes(stream),
                                        stream->file.size_bytes);
    int failed = 0;
    size_t none;

    while (r == LZMA_OK && failed == 0) {
        failed = stream_refill(stream, err);
        r = xz_code(stream, &reader, NULL, 0, &none);
        if (r == LZMA_SEEK_NEEDED) {
            place = reader.seek_pos;
            failed = failed < 0 ? -1 : seek_backwards(stream, place, err);
            r = LZMA_OK;
        }
    }
    lzma_end(&reader);
    if (failed < 0)
        return -1;
    if (r == LZMA_MEMLIMIT_ERROR)
        return refuse_index(err);
    if (r == LZMA_FORMAT_ERROR || r == LZMA_DATA_ERROR)
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: no index where one should be, near byte "
                         "%" PRIu64 ": cut off, damaged, or trailing garbage",
                         place);
    return r == LZMA_STREAM_END ? 0 : xz_explain(r, stream->in_end, err);
}

static void free_filters(struct xz *xz)
{
    lzma_filters_free(xz->filters, NULL);
}

static lzma_ret parse_block_header(struct xz *xz, const uint8_t *header)
{
    lzma_ret r;

    free_filters(xz);
    r = lzma_block_header_decode(&xz->block, NULL, header);
    if (r == LZMA_OK)
        r = lzma_block_compressed_size(&xz->block, xz->at.block.unpadded_size);
    return r;
}

/* Reads the header of the block xz->at and makes a decoder for it. */
static int begin_block(struct xz *xz, struct error *err)
{
    uint64_t offset = xz->at.block.compressed_file_offset;
    struct stream *stream = &xz->stream;
    uint64_t memory;
    lzma_ret r;

    xz->is_decoding = false;
    stream_seek_input(stream, offset);
    if (stream_refill(stream, err) < 0)
        return -1;
    xz->block = (lzma_block){
        .version = 1,
        .check = xz->at.stream.flags->check,
        .filters = xz->filters,
    };
    if (stream->left == 0 || stream->at[0] == 0)
        return xz_explain(LZMA_DATA_ERROR, offset, err);
    xz->block.header_size = lzma_block_header_size_decode(stream->at[0]);
    if (xz->block.header_size > stream->left)
        return xz_explain(LZMA_BUF_ERROR, offset, err);
    r = parse_block_header(xz, stream->at);
    if (r != LZMA_OK)
        return xz_explain(r, offset, err);
    memory = lzma_raw_decoder_memusage(xz->filters);
    if (memory > xz_memory_bytes())
        return xz_refuse_memory(memory, err);
    if (memory > SHARED_MEMORY_BYTES)
        stream->is_sequential = true;
    r = lzma_block_decoder(&xz->decoder, &xz->block);
    if (r != LZMA_OK)
        return xz_explain(r, offset, err);
    stream->at += xz->block.header_size;
    stream->left -= xz->block.header_size;
    stream->out = xz->at.block.uncompressed_file_offset;
    xz->is_decoding = true;
    return 0;
}

/* Begins the block that holds offset of the disk. */
static int begin_block_of(struct xz *xz, uint64_t offset, struct error *err)
{
    if (lzma_index_iter_locate(&xz->at, offset))
        return xz_explain(LZMA_DATA_ERROR, xz->stream.in_end, err);
    return begin_block(xz, err);
}

static uint64_t block_end(const struct xz *xz)
{
    return xz->at.block.uncompressed_file_offset +
           xz->at.block.uncompressed_size;
}

/* Decodes up to len bytes of the block into buf. */
static int decode_in_block(struct xz *xz, uint8_t *buf, size_t len, size_t *got,
                           struct error *err)
{
    struct stream *stream = &xz->stream;
    lzma_ret r;

    if (stream_refill(stream, err) < 0)
        return -1;
    r = xz_code(stream, &xz->decoder, buf, len, got);
    if (r == LZMA_STREAM_END) {
        /* The checksum was right; the index must agree on the size. */
        xz->is_decoding = false;
        xz->proven = xz->at.block.number_in_file;
        r = stream->out == block_end(xz) ? LZMA_OK : LZMA_DATA_ERROR;
    }
    if (r == LZMA_OK && stream->out > block_end(xz))
        r = LZMA_DATA_ERROR;
    return r == LZMA_OK ? 0 : xz_explain(r, stream->in_end, err);
}

/* The last bytes of a block prove its checksum. */
static int xz_step(struct stream *stream, uint8_t *buf, size_t len, size_t *got,
                   struct error *err)
{
    struct xz *xz = (struct xz *)stream;
    size_t more;

    *got = 0;
    if (!xz->is_decoding && begin_block_of(xz, stream->out, err) < 0)
        return -1;
    if (decode_in_block(xz, buf, len, got, err) < 0)
        return -1;
    while (xz->is_decoding && stream->out == block_end(xz))
        if (decode_in_block(xz, stream->scratch, STREAM_SCRATCH_BYTES, &more,
                            err) < 0)
            return -1;
    stream->has_ended = !xz->is_decoding && stream->out == stream->size_bytes;
    return 0;
}

/* Decodes to the end of the block, where its checksum is, but only once per
 * block: the file does not change. */
static int xz_prove(struct stream *stream, struct error *err)
{
    struct xz *xz = (struct xz *)stream;
    size_t got;

    while (xz->is_decoding && xz->proven != xz->at.block.number_in_file)
        if (decode_in_block(xz, stream->scratch, STREAM_SCRATCH_BYTES, &got,
                            err) < 0)
            return -1;
    return 0;
}

static int xz_seek(struct stream *stream, uint64_t offset, struct error *err)
{
    struct xz *xz = (struct xz *)stream;

    if (xz->is_decoding && offset >= stream->out && offset < block_end(xz))
        return 0;
    if (stream->is_sequential && offset < stream->out &&
        ++xz->rewinds > MAX_REWINDS)
        return error_set(err, ERROR_FORMAT, 0,
                         "xz: its content lies too far out of order to be "
                         "read from large blocks; decompress it first, or "
                         "compress it with xz --block-size=16MiB");
    if (stream->reads_in_part && xz_prove(stream, err) < 0)
        return -1;
    return begin_block_of(xz, offset, err);
}

static void xz_close(struct stream *stream)
{
    struct xz *xz = (struct xz *)stream;

    lzma_end(&xz->decoder);
    free_filters(xz);
    lzma_index_end(xz->index, NULL);
}

static const struct stream_ops xz_ops = {
    .name = "xz: ",
    .step = xz_step,
    .seek = xz_seek,
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

/* Finds out how the file can be read, from the decoder of the first block. */
static int read_layout(struct xz *xz, struct error *err)
{
    uint64_t largest;

    if (read_index(xz, err) < 0)
        return -1;
    lzma_index_iter_init(&xz->at, xz->index);
    xz->stream.size_bytes = lzma_index_uncompressed_size(xz->index);
    xz->stream.has_ended = xz->stream.size_bytes == 0;
    if (xz->stream.has_ended)
        return 0;
    largest = largest_block(xz->index);
    xz->stream.is_sequential = largest > SHARED_BLOCK_BYTES;
    xz->stream.block_bytes = block_size(xz->index, largest);
    return begin_block_of(xz, 0, err);
}

int xz_open(struct file *file, struct stream **stream, struct error *err)
{
    struct xz *xz = stream_create(sizeof(*xz), &xz_ops, file, NULL, err);

    if (!xz)
        return -1;
    xz->filters[0].id = LZMA_VLI_UNKNOWN;
    if (read_layout(xz, err) == 0) {
        *stream = &xz->stream;
        return 0;
    }
    stream_close(&xz->stream);
    return -1;
}
