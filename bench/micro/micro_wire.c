/* micro_wire.c - the codec: a header for every run of data, both ways; and
 * the checksum of a chunk of snappy's framing format. */
#include "micro.h"

#include <stdio.h>

#include "plan/chunk_grid.h"
#include "wire/crc32c.h"
#include "wire/frame.h"
#include "wire/message.h"

#define DISK_BYTES  (UINT64_C(1) << 40)
#define CHECK_BYTES UINT64_C(65536)

struct headers {
    uint8_t bytes[FRAME_HEADER_BYTES];
    struct frame frame;
    unsigned wrong;
};

static void encode_frame(void *opaque)
{
    struct headers *h = opaque;

    h->frame.offset = (h->frame.offset + CHUNK_BYTES) & (DISK_BYTES - 1);
    frame_encode(h->bytes, &h->frame);
}

static void decode_frame(void *opaque)
{
    struct headers *h = opaque;
    struct frame frame;

    h->wrong += frame_decode(h->bytes, sizeof(h->bytes), DISK_BYTES, &frame) !=
                FRAME_OK;
}

struct messages {
    uint8_t bytes[MESSAGE_BUFFER_BYTES];
    struct message message;
    unsigned wrong;
};

static void code_progress(void *opaque)
{
    struct messages *m = opaque;
    size_t len = message_encode(m->bytes, &m->message);
    struct message out;

    m->wrong += message_decode(m->message.type, m->bytes + MESSAGE_HEADER_BYTES,
                               len - MESSAGE_HEADER_BYTES, &out) != MESSAGE_OK;
}

struct checked {
    uint8_t *bytes;
    uint32_t crc;
};

static void check_bytes(void *opaque)
{
    struct checked *c = opaque;

    c->crc = crc32c(c->crc, c->bytes, CHECK_BYTES);
}

int main(int argc, char **argv)
{
    static struct messages progress = {
        .message = { .type = MESSAGE_PROGRESS },
    };
    struct headers headers = {
        .frame = { .type = FRAME_DATA, .length = CHUNK_BYTES },
    };

    struct checked checked = { .bytes = micro_memory(CHECK_BYTES) };

    micro_begin(argc, argv);
    micro_fill(checked.bytes, CHECK_BYTES);
    encode_frame(&headers);
    micro_run("wire.frame-encode", 0, encode_frame, &headers);
    micro_run("wire.frame-decode", 0, decode_frame, &headers);
    micro_run("wire.progress-both", 0, code_progress, &progress);
    micro_run("wire.crc32c-64k", CHECK_BYTES, check_bytes, &checked);
    micro_require(headers.wrong == 0 && progress.wrong == 0,
                  "the codec refused its own bytes");
    return 0;
}
