#include "transfer/decompressor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "plan/chunk_grid.h"

void decompressor_close(struct decompressor *d)
{
    zstd_unpacker_close(d->zstd);
    free(d->room);
    *d = (struct decompressor){ .zstd = NULL };
}

/* A packed payload is shorter than a chunk: frame_decode() sees to that. */
static int open_unpacker(struct decompressor *d, struct error *err)
{
    if (!d->zstd)
        d->zstd = zstd_unpacker_open();
    if (!d->room)
        d->room = malloc(CHUNK_BYTES);
    if (d->zstd && d->room)
        return 0;
    return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack compressed data");
}

int decompressor_recv(struct decompressor *d, struct conn *conn,
                      const struct frame *frame, uint8_t *out,
                      struct error *err)
{
    if (open_unpacker(d, err) < 0 ||
        conn_recv(conn, d->room, frame->packed_bytes, err) < 0)
        return -1;
    if (zstd_unpack_exactly(d->zstd, d->room, frame->packed_bytes, out,
                            (size_t)frame->length))
        return 0;
    return error_set_at(err, ERROR_PROTOCOL, 0, frame->offset,
                        "frame of %" PRIu64 " bytes at %" PRIu64 ": %" PRIu32
                        " bytes of compressed data do not unpack "
                        "to that",
                        frame->length, frame->offset, frame->packed_bytes);
}
