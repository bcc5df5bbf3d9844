/*
 * nbd.c - reads an export without a thread of its own:
 *
 *   image_read() -> nbd_aio_pread() ... IO_POLL on the socket, in the I/O queue
 *   io_queue_reap() -> the poll completes -> libnbd reads replies
 *                   -> io_queue_post() what is whole, poll again
 */
#include "image/nbd/nbd.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/log.h"
#include "image/extent_gather.h"
#include "image/nbd/connection.h"
#include "image/nbd/library.h"
#include "plan/chunk_grid.h"

/* What one question about extents covers. */
#define ASK_BYTES   (UINT64_C(1) << 30)
#define DIRTY       1U /* a flag of qemu:dirty-bitmap */
#define SENDING_MS  1000
#define SENDING_MAX 60

struct nbd_image {
    struct image image; /* first: callers hold this */
    struct nbd_connection own;
    struct nbd_connection *connection; /* own, or that of the first image */
    struct io_queue *queue;            /* borrowed; NULL: map only */
    struct io poll;
    bool is_polling, is_closing;
    unsigned in_flight;       /* requests to the server */
    struct extent_list known; /* the last answer about extents */
};

/* A read, in as many requests as the server asks for. */
struct nbd_read {
    struct nbd_image *nbd;
    struct io *io;
    unsigned pending; /* requests, and one while they are made */
    unsigned holders; /* who refers to this */
    int result;
    size_t wanted, seen; /* bytes asked of the server; bytes it gave */
};

bool nbd_is_uri(const char *path)
{
    size_t len = strncmp(path, "nbds", 4) == 0  ? 4
                 : strncmp(path, "nbd", 3) == 0 ? 3
                                                : 0;

    if (len == 0)
        return false;
    path += len;
    if (strncmp(path, "+unix", 5) == 0)
        path += 5;
    else if (strncmp(path, "+vsock", 6) == 0)
        path += 6;
    return strncmp(path, "://", 3) == 0;
}

/* ---- the map ---- */

struct nbd_gather {
    struct extent_gather gather;
    uint64_t offset;
    struct error *err;
};

static int add_extent(void *opaque, uint64_t length, uint32_t flags)
{
    struct nbd_gather *g = opaque;
    struct extent piece = {
        .offset = g->offset,
        .length = length,
        .kind = (flags & LIBNBD_STATE_ZERO) != 0 ? EXTENT_ZERO : EXTENT_DATA,
    };

    g->offset += length;
    return extent_gather_add(&g->gather, &piece, g->err);
}

/* Asks for what follows offset.  A server that cannot say is read. */
static int learn_extents(struct nbd_image *n, uint64_t offset,
                         struct error *err)
{
    struct nbd_connection *c = n->connection;
    uint64_t length = c->size_bytes - offset;
    struct nbd_gather g = {
        .gather = { .out = &n->known, .virtual_bytes = n->image.virtual_bytes },
        .offset = offset,
        .err = err
    };
    const struct nbd_question question = {
        .context = LIBNBD_CONTEXT_BASE_ALLOCATION,
        .offset = offset,
        .length = length < ASK_BYTES ? length : ASK_BYTES,
        .each = add_extent,
        .opaque = &g,
    };

    length = question.length;
    extent_list_clear(&n->known);
    if (c->has_map && nbd_ask_extents(c, &question, err) < 0) {
        if (err->kind != ERROR_SOURCE_IO)
            return -1;
        log_warn("%s; reading holes too", err->text);
        c->has_map = false;
        g.offset = offset;
        extent_list_clear(&n->known);
        g.gather.zeros.length = 0;
    }
    if (!c->has_map)
        return extent_list_add(&n->known, offset, length, EXTENT_DATA, err);
    return extent_gather_end(&g.gather, err);
}

/* Adds what is known of [offset, end).  Returns where that ends. */
static int add_known(const struct nbd_image *n, uint64_t *offset, uint64_t end,
                     struct extent_list *out, struct error *err)
{
    for (size_t i = 0; i < n->known.count && *offset < end; i++) {
        const struct extent *e = &n->known.items[i];
        uint64_t last = e->offset + e->length < end ? e->offset + e->length
                                                    : end;

        if (e->offset > *offset || last <= *offset)
            continue;
        if (extent_list_add(out, *offset, last - *offset, e->kind, err) < 0)
            return -1;
        *offset = last;
    }
    return 0;
}

static int nbd_map(struct image *img, uint64_t offset, uint64_t length,
                   struct extent_list *out, struct error *err)
{
    struct nbd_image *n = (struct nbd_image *)img;
    uint64_t size_bytes = img->virtual_bytes - img->padding_bytes;
    uint64_t end = offset + length, limit = end < size_bytes ? end : size_bytes;

    while (offset < limit) {
        uint64_t from = offset;

        if (add_known(n, &offset, limit, out, err) < 0 ||
            (offset == from && learn_extents(n, offset, err) < 0))
            return -1;
    }
    /* The padding belongs to the last bytes, which are read. */
    return extent_list_add(out, offset, end - offset, EXTENT_DATA, err);
}

struct nbd_changes {
    struct chunk_bitmap *changed;
    uint64_t offset;
};

static int add_changed(void *opaque, uint64_t length, uint32_t flags)
{
    struct nbd_changes *changes = opaque;
    uint64_t first = changes->offset / CHUNK_BYTES;
    uint64_t last = (changes->offset + length - 1) / CHUNK_BYTES;

    if ((flags & DIRTY) != 0)
        chunk_bitmap_add(changes->changed, first, last - first + 1);
    changes->offset += length;
    return 0;
}

static int nbd_changed(struct image *img, struct chunk_bitmap *changed,
                       struct error *err)
{
    struct nbd_connection *c = ((struct nbd_image *)img)->connection;
    struct nbd_changes changes = { changed, 0 };

    while (changes.offset < c->size_bytes) {
        uint64_t left = c->size_bytes - changes.offset;
        const struct nbd_question question = {
            .context = c->bitmap,
            .offset = changes.offset,
            .length = left < ASK_BYTES ? left : ASK_BYTES,
            .each = add_changed,
            .opaque = &changes,
        };

        if (nbd_ask_extents(c, &question, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- reads ---- */

static struct io *take_replies(struct io *poll);

/* Waits in the queue for the next reply. */
static void await_reply(struct nbd_image *n)
{
    if (n->is_polling || n->in_flight == 0)
        return;
    n->is_polling = true;
    n->poll = (struct io){
        .op = IO_POLL,
        .file = &n->connection->socket,
        .len = 1,
        .owner = n,
        .complete = take_replies,
    };
    io_queue_submit(n->queue, &n->poll);
}

static struct io *take_replies(struct io *poll)
{
    struct nbd_image *n = poll->owner;

    n->is_polling = false;
    /* A lost connection completes all requests, with ENOTCONN. */
    while (n->connection->nbd && libnbd.poll(n->connection->nbd, 0) > 0)
        ;
    await_reply(n);
    return NULL;
}

/* Records why a read has failed, if an errno does not say it. */
static void explain(struct nbd_image *n, const struct nbd_read *read)
{
    const struct io *io = read->io;
    struct error err;

    if (n->image.failure.kind != ERROR_NONE)
        return;
    if (nbd_is_loss(n->connection, -read->result))
        error_set_at(&err, ERROR_TEMPORARY, 0, io->offset,
                     "lost the NBD server while reading %zu bytes at %" PRIu64,
                     io->len, io->offset);
    else if (read->result == -EPROTO)
        error_set_at(&err, ERROR_SOURCE_IO, 0, io->offset,
                     "read %zu bytes at %" PRIu64 ": the NBD server gave %zu "
                     "of %zu bytes",
                     io->len, io->offset, read->seen, read->wanted);
    else
        return;
    image_fail(&n->image, &err);
}

static void nbd_settle(struct nbd_read *read)
{
    struct nbd_image *n = read->nbd;

    if (--read->pending > 0 || n->is_closing)
        return;
    /* libnbd takes an answer with gaps. */
    if (read->result == 0 && read->seen != read->wanted)
        read->result = -EPROTO;
    if (read->result < 0)
        explain(n, read);
    io_queue_post(n->queue, read->io, read->result);
}

static int take_bytes(void *opaque, const void *bytes, size_t count,
                      uint64_t offset, unsigned status, int *errnum)
{
    struct nbd_read *read = opaque;

    (void)bytes;
    (void)offset;
    (void)errnum;
    if (status != LIBNBD_READ_ERROR)
        read->seen += count;
    return 0;
}

static int take_reply(void *opaque, int *errnum)
{
    struct nbd_read *read = opaque;

    read->nbd->in_flight--;
    if (*errnum != 0 && read->result == 0)
        read->result = -*errnum;
    nbd_settle(read);
    return 1;
}

static void drop_read(void *opaque)
{
    struct nbd_read *read = opaque;

    if (--read->holders == 0)
        free(read);
}

static void request_part(struct nbd_read *read, uint8_t *buf, size_t len,
                         uint64_t offset)
{
    struct nbd_image *n = read->nbd;
    nbd_chunk_callback more = { take_bytes, read, NULL };
    nbd_completion_callback done = { take_reply, read, drop_read };

    read->wanted += len;
    read->pending++;
    read->holders++;
    n->in_flight++;
    if (n->connection->nbd &&
        libnbd.aio_pread_structured(n->connection->nbd, buf, len, offset, more,
                                    done, 0) >= 0)
        return;
    if (read->result == 0)
        read->result = -ENOTCONN;
    if (!n->connection->nbd)
        drop_read(read);
    n->in_flight--;
    read->pending--;
}

/* A full socket: the poll waits for replies only. */
static void send_requests(const struct nbd_image *n)
{
    struct nbd_handle *nbd = n->connection->nbd;

    for (unsigned i = 0; nbd && i < SENDING_MAX; i++)
        if ((libnbd.aio_get_direction(nbd) & LIBNBD_AIO_DIRECTION_WRITE) == 0 ||
            libnbd.poll(nbd, SENDING_MS) < 0)
            break;
}

static void nbd_read(struct image *img, struct io *io)
{
    struct nbd_image *n = (struct nbd_image *)img;
    struct nbd_connection *c = n->connection;
    uint64_t left = c->size_bytes - io->offset;
    size_t len = io->len < left ? io->len : (size_t)left, part;
    struct nbd_read *read = malloc(sizeof(*read));

    if (!read) {
        io_queue_post(n->queue, io, -ENOMEM);
        return;
    }
    *read = (struct nbd_read){ .nbd = n, .io = io, .pending = 1, .holders = 1 };
    memset(io->buf + len, 0, io->len - len);
    for (size_t at = 0; at < len; at += part) {
        part = len - at < c->max_bytes ? len - at : c->max_bytes;
        request_part(read, io->buf + at, part, io->offset + at);
    }
    send_requests(n);
    nbd_settle(read);
    drop_read(read);
    await_reply(n);
}

/* ---- opening and closing ---- */

static int nbd_check(const struct image *img, struct error *err)
{
    return nbd_reconnect(((const struct nbd_image *)img)->connection, err);
}

static void nbd_image_close(struct image *img)
{
    struct nbd_image *n = (struct nbd_image *)img;

    n->is_closing = true;
    /* Requests in flight refer to buffers that may be gone. */
    if (n->connection == &n->own || n->in_flight > 0)
        nbd_disconnect(n->connection);
    extent_list_fini(&n->known);
    free(n);
}

static const struct image_ops nbd_ops = {
    .name = "nbd",
    .map = nbd_map,
    .read = nbd_read,
    .check = nbd_check,
    .changed = nbd_changed,
    .close = nbd_image_close,
};

static int check_wish(const struct image_options *options, struct error *err)
{
    if (options->format != CW_FORMAT_AUTO && options->format != CW_FORMAT_RAW)
        return error_set(err, ERROR_USAGE, 0,
                         "%s: an NBD export is a raw disk: leave --format out, "
                         "and give the format to the server (qemu-nbd "
                         "--format)",
                         options->path);
    if (options->compression != IMAGE_COMPRESSION_AUTO &&
        options->compression != IMAGE_COMPRESSION_NONE)
        return error_set(err, ERROR_USAGE, 0,
                         "%s: an NBD export is not a compressed file: leave "
                         "--compression out",
                         options->path);
    if (options->stream_bytes > 0)
        return error_set(err, ERROR_USAGE, 0,
                         "%s: the server gives the size of the disk: leave "
                         "--size out",
                         options->path);
    return 0;
}

/* Connects, or shares the connection of the first image. */
static int nbd_attach(struct nbd_image *n, const struct image_options *options,
                      struct error *err)
{
    struct nbd_connection *c = &n->own;

    n->connection = c;
    *c = (struct nbd_connection){ .uri = options->path,
                                  .login = options->login,
                                  .stop_fd = options->stop_fd,
                                  .socket = FILE_CLOSED };
    if (options->like && options->like->is_one_lane) {
        n->connection = ((const struct nbd_image *)options->like)->connection;
        return 0;
    }
    if (options->bitmap && !options->like &&
        snprintf(c->bitmap, sizeof(c->bitmap), "qemu:dirty-bitmap:%s",
                 options->bitmap) >= (int)sizeof(c->bitmap))
        return error_set(err, ERROR_USAGE, 0, "--bitmap: the name is too long");
    if (nbd_connect(c, err) == 0)
        return 0;
    if (options->like && err->kind == ERROR_SOURCE_IO)
        err->kind = ERROR_TEMPORARY; /* it was there a moment ago */
    return -1;
}

static int check_blocks(const struct nbd_connection *c, struct error *err)
{
    if (c->min_bytes <= BLOCK_BYTES && BLOCK_BYTES % c->min_bytes == 0 &&
        c->max_bytes >= BLOCK_BYTES && c->max_bytes % c->min_bytes == 0)
        return 0;
    return error_set(err, ERROR_SOURCE_IO, 0,
                     "%s: the server takes requests of %u to %u bytes: it must "
                     "take 4096 (nbdkit --filter=blocksize)",
                     c->uri, c->min_bytes, c->max_bytes);
}

static void nbd_fill(struct nbd_image *n, const struct image_options *options)
{
    const struct nbd_connection *c = n->connection;
    struct image *img = &n->image;

    img->format = CW_FORMAT_RAW;
    img->compression = IMAGE_COMPRESSION_NONE;
    img->padding_bytes = chunk_grid_padding(c->size_bytes);
    img->virtual_bytes = c->size_bytes + img->padding_bytes;
    img->host_bytes = c->size_bytes;
    img->is_one_lane = !c->is_shared;
    img->reads_holes = !c->has_map;
    snprintf(img->format_text, sizeof(img->format_text), "raw over nbd");
    n->queue = options->queue;
    if (!options->like)
        log_info("%s: %" PRIu64 " bytes, %s, %s", c->uri, c->size_bytes,
                 c->has_map ? "with a map of its holes"
                            : "without a map of holes: all of it is read",
                 c->is_shared ? "a connection for each lane"
                              : "one connection, as the server allows no more");
}

int nbd_image_open(const struct image_options *options, struct image **img,
                   struct error *err)
{
    struct nbd_image *n;

    *img = NULL;
    if (check_wish(options, err) < 0)
        return -1;
    n = calloc(1, sizeof(*n));
    if (!n)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "open %s", options->path);
    n->image.ops = &nbd_ops;
    n->image.path = options->path;
    if (nbd_attach(n, options, err) < 0 || check_blocks(n->connection, err) < 0)
        goto fail;
    nbd_fill(n, options);
    if (options->like &&
        options->like->virtual_bytes != n->image.virtual_bytes) {
        error_set(err, ERROR_CHANGED, 0,
                  "%s: its size changed between two opens", options->path);
        goto fail;
    }
    *img = &n->image;
    return 0;
fail:
    nbd_image_close(&n->image);
    return -1;
}
