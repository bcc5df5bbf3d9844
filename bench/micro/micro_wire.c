/* micro_wire.c - the codec: a header for every run of data, both ways. */
#include "micro.h"

#include <stdio.h>

#include "plan/grid.h"
#include "wire/frame.h"
#include "wire/message.h"

#define DISK_BYTES (UINT64_C(1) << 40)

struct headers {
    uint8_t bytes[FRAME_HEADER_BYTES];
    struct frame frame;
    unsigned wrong;
};

static void encode_frame(void *opaque)
{
    struct headers *h = opaque;

    h->frame.offset = (h->frame.offset + GRID_CHUNK_BYTES) & (DISK_BYTES - 1);
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

int main(int argc, char **argv)
{
    static struct messages progress = {
        .message = { .type = MESSAGE_PROGRESS },
    };
    struct headers headers = {
        .frame = { .type = FRAME_DATA, .length = GRID_CHUNK_BYTES },
    };

    micro_begin(argc, argv);
    encode_frame(&headers);
    micro_run("wire.frame-encode", 0, encode_frame, &headers);
    micro_run("wire.frame-decode", 0, decode_frame, &headers);
    micro_run("wire.progress-both", 0, code_progress, &progress);
    micro_require(headers.wrong == 0 && progress.wrong == 0,
                  "the codec refused its own bytes");
    return 0;
}
