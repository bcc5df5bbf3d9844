#include "transfer/decompressor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "plan/chunk_grid.h"

void decompressor_close(struct decompressor *u)
{
    zstd_unpacker_close(u->zstd);
    free(u->room);
    *u = (struct decompressor){ .zstd = NULL };
}

/* A packed payload is shorter than a chunk: frame_decode() sees to that. */
static int make_room(struct decompressor *u, struct error *err)
{
    if (!u->zstd)
        u->zstd = zstd_unpacker_open();
    if (!u->room)
        u->room = malloc(CHUNK_BYTES);
    if (u->zstd && u->room)
        return 0;
    return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack compressed data");
}

int decompressor_recv(struct decompressor *u, struct conn *conn,
                      const struct frame *frame, uint8_t *out,
                      struct error *err)
{
    if (make_room(u, err) < 0 ||
        conn_recv(conn, u->room, frame->packed_bytes, err) < 0)
        return -1;
    if (zstd_unpack_exactly(u->zstd, u->room, frame->packed_bytes, out,
                            (size_t)frame->length))
        return 0;
    return error_set_at(err, ERROR_PROTOCOL, 0, frame->offset,
                        "frame of %" PRIu64 " bytes at %" PRIu64 ": %" PRIu32
                        " bytes of compressed data do not unpack "
                        "to that",
                        frame->length, frame->offset, frame->packed_bytes);
}
