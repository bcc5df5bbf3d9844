#include "cdi/snappy_encoder.h"

#include <string.h>

#include "base/clock.h"
#include "base/iszero.h"

#define BLOCK       SNAPPY_FRAME_BLOCK_BYTES
#define TRIAL_BYTES (UINT64_C(8) << 20)
#define TRUST_BYTES (UINT64_C(512) << 20)
#define GIB         (UINT64_C(1) << 30)

int snappy_encoder_open(struct snappy_encoder *encoder,
                        struct upload_client *client, struct error *err)
{
    encoder->client = client;
    encoder->rest_len = 0;
    encoder->data_bytes = encoder->zero_bytes = encoder->began_at = 0;
    encoder->is_trying = true;
    encoder->ends_at = TRIAL_BYTES;
    encoder->began_ns = clock_now_ns();
    snappy_frame_writer_init(&encoder->writer);
    return upload_client_put(client, snappy_frame_name,
                             sizeof(snappy_frame_name), "", 0, err);
}

/* Ends a stretch: tries the other mode, or chooses the better one.  If they are
 * equal (the network is slower than both), fewer bytes on the wire win. */
static void choose(struct snappy_encoder *f)
{
    uint64_t now_ns = clock_now_ns();
    bool stores = f->writer.stores;

    f->cost[stores] = (now_ns - f->began_ns) * (GIB / TRIAL_BYTES);
    if (f->is_trying && !stores) {
        f->writer.stores = true;
        f->ends_at = f->data_bytes + TRIAL_BYTES;
    } else if (f->is_trying) {
        f->is_trying = false;
        f->writer.stores = f->cost[1] < f->cost[0] - f->cost[0] / 16;
        f->ends_at = f->data_bytes + TRUST_BYTES;
    } else {
        f->is_trying = true;
        f->writer.stores = false;
        f->ends_at = f->data_bytes + TRIAL_BYTES;
    }
    f->began_at = f->data_bytes;
    f->began_ns = now_ns;
}

/* Sends at most one block. */
static int put_block(struct snappy_encoder *f, const uint8_t *data, size_t len,
                     struct error *err)
{
    struct snappy_frame_chunk chunk;

    if (data && iszero(data, len))
        data = NULL;
    snappy_frame_write(&f->writer, data, len, &chunk);
    if (data)
        f->data_bytes += len;
    else
        f->zero_bytes += len;
    if (f->data_bytes >= f->ends_at)
        choose(f);
    return upload_client_put(f->client, chunk.head, sizeof(chunk.head),
                             chunk.body, chunk.body_len, err);
}

static int put_rest(struct snappy_encoder *f, struct error *err)
{
    size_t len = f->rest_len;

    f->rest_len = 0;
    return len > 0 ? put_block(f, f->rest, len, err) : 0;
}

/* Sends whole blocks directly and gathers the rest. */
int snappy_encoder_put(struct snappy_encoder *encoder, const uint8_t *data,
                       uint64_t len, struct error *err)
{
    int r = 0;

    while (r == 0 && len >= BLOCK) {
        r = put_rest(encoder, err);
        if (r == 0)
            r = put_block(encoder, data, BLOCK, err);
        if (data)
            data += BLOCK;
        len -= BLOCK;
    }
    if (r == 0 && len > BLOCK - encoder->rest_len)
        r = put_rest(encoder, err);
    if (r != 0 || len == 0)
        return r;
    if (data)
        memcpy(encoder->rest + encoder->rest_len, data, (size_t)len);
    else
        memset(encoder->rest + encoder->rest_len, 0, (size_t)len);
    encoder->rest_len += (size_t)len;
    return 0;
}

int snappy_encoder_finish(struct snappy_encoder *encoder, struct error *err)
{
    return put_rest(encoder, err);
}
