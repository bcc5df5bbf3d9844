/* Any bytes as a snappy stream: however they are cut, the same comes out, and
 * what comes out goes in and out again. */
#include "fuzz.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "http/snappy_frame.h"

#define MAX_BLOCKS 64U

struct result {
    enum snappy_frame_result end;
    size_t blocks, bytes;
    uint64_t sum;
};

static void take(struct result *result, const uint8_t *out,
                 const struct snappy_frame_block *block)
{
    static struct snappy_frame_writer writer;
    struct snappy_frame_chunk chunk;

    assert(block->len > 0 && block->len <= SNAPPY_FRAME_BLOCK_BYTES);
    snappy_frame_write(&writer, block->is_zero ? NULL : out, block->len,
                       &chunk);
    assert(chunk.body_len <= block->len);
    for (size_t i = 0; i < block->len && !block->is_zero; i++)
        result->sum = result->sum * 31 + out[i];
    result->sum += block->is_zero ? block->len : 0;
    result->blocks++;
    result->bytes += block->len;
}

/* The chunk that has begun, if it is all there: put where it belongs. */
static size_t place(struct snappy_frame_reader *reader, const uint8_t *data,
                    size_t len, uint8_t *out, struct snappy_frame_block *block,
                    enum snappy_frame_result *result)
{
    size_t missing;
    uint8_t *to = snappy_frame_place(reader, out, &missing);

    if (!to || missing > len)
        return 0;
    memcpy(to, data, missing);
    *result = snappy_frame_placed(reader, out, block);
    if (*result == SNAPPY_FRAME_BLOCK && block->len == 0)
        *result = SNAPPY_FRAME_MORE;
    return missing;
}

/* step 0: all at once. */
static struct result read_all(const uint8_t *data, size_t len, size_t step,
                              bool is_straight)
{
    struct snappy_frame_reader *reader = malloc(sizeof(*reader));
    uint8_t *out = malloc(SNAPPY_FRAME_BLOCK_BYTES);
    struct result result = { SNAPPY_FRAME_MORE, 0, 0, 0 };

    assert(reader && out);
    snappy_frame_reader_init(reader);
    while (len > 0 && result.blocks < MAX_BLOCKS &&
           result.end <= SNAPPY_FRAME_BLOCK) {
        size_t n = step > 0 && step < len ? step : len, left = n;
        struct snappy_frame_block block = { 0, false };

        result.end = snappy_frame_read(reader, &data, &left, out, &block);
        len -= n - left;
        if (result.end == SNAPPY_FRAME_MORE && is_straight && left == 0) {
            size_t used = place(reader, data, len, out, &block, &result.end);

            data += used;
            len -= used;
        }
        if (result.end == SNAPPY_FRAME_BLOCK)
            take(&result, out, &block);
        else
            assert(result.end != SNAPPY_FRAME_MORE || left == 0);
    }
    if (result.end <= SNAPPY_FRAME_BLOCK && len == 0)
        result.end = snappy_frame_end(reader);
    free(out);
    free(reader);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    size_t step = len > 0 ? 1U + data[0] % 16U : 1U;
    struct result whole = read_all(data, len, 0, false);
    struct result cut = read_all(data, len, step, false);
    struct result straight = read_all(data, len, step, true);

    assert(whole.end == cut.end && whole.bytes == cut.bytes &&
           whole.blocks == cut.blocks && whole.sum == cut.sum);
    assert(whole.end == straight.end && whole.bytes == straight.bytes &&
           whole.blocks == straight.blocks && whole.sum == straight.sum);
    assert(*snappy_frame_text(whole.end) != '\0');
    return 0;
}
