#include "image/qcow2/sequential_parser.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "image/qcow2/chunk_assembly.h"
#include "image/qcow2/compressed.h"
#include "image/qcow2/map.h"
#include "image/qcow2/pending.h"
#include "image/qcow2/used_data.h"
#include "image/stream/lookahead.h"
#include "plan/chunk_grid.h"

#define MIN_WINDOW_BYTES (UINT64_C(256) << 10)
#define SECTOR_BYTES     UINT64_C(512)

/* Where the bytes of the last returned chunk are. */
enum named {
    NAMED_NONE,
    NAMED_ZERO,
    NAMED_HELD,
    NAMED_COMING, /* next in the current cluster */
};

struct qcow2_parser {
    struct qcow2_header header;
    bool may_miss;
    struct lookahead window;
    struct qcow2_pending wants;
    struct qcow2_map map;            /* over the tables in memory */
    uint8_t *l1;                     /* owned */
    const uint8_t *l2;               /* in the window, while it is parsed */
    uint64_t l2_host;                /* where in the file */
    struct qcow2_compressed *packed; /* owned; NULL until one is met */
    const uint8_t *packed_bytes;     /* in the window, while it is decoded */
    uint8_t *cluster;                /* owned; unpacked */
    uint64_t taken;                  /* host offset: lower ones are gone */
    struct chunk_assembly hold;
    uint16_t *missing;         /* owned; sectors to come, by chunk */
    struct chunk_bitmap whole; /* named */
    struct chunk_bitmap missed;
    struct qcow2_want current;    /* data being consumed; length: the rest */
    const uint8_t *current_bytes; /* decoded; NULL: from the window */
    uint64_t look_at, look_end;   /* chunks that may already be whole */
    bool is_last_look;            /* all tables have been read */
    enum named named;
    uint64_t named_chunk;
    struct used_data used; /* until something is missed */
};

/* ---- missed data ---- */

static int miss(struct qcow2_parser *pass, uint64_t guest, uint64_t length,
                const char *why, struct error *err)
{
    uint64_t first = guest / CHUNK_BYTES;
    uint64_t last = (guest + length - 1) / CHUNK_BYTES;

    if (!pass->may_miss)
        return error_set_at(err, ERROR_FORMAT, 0, guest,
                            "qcow2: one pass does not suffice, and a pipe "
                            "cannot be read again: %s (disk offset %" PRIu64
                            "); give scratch space, put it into a file, or "
                            "send what qemu-img convert -O qcow2 makes of it",
                            why, guest);
    if (pass->window.spool && spool_check(pass->window.spool, err) < 0)
        return error_wrap(err, "qcow2: one pass does not suffice");
    pass->used.spool = NULL;
    chunk_bitmap_add(&pass->missed, first, last - first + 1);
    for (uint64_t chunk = first; chunk <= last && pass->hold.count > 0; chunk++)
        chunk_assembly_drop(&pass->hold, chunk);
    return 0;
}

static bool is_missed(const struct qcow2_parser *pass, uint64_t chunk)
{
    return chunk_bitmap_has(&pass->missed, chunk);
}

/* ---- tables ---- */

/* Bytes of disk that one L2 table covers. */
static uint64_t reach(const struct qcow2_parser *pass)
{
    return pass->header.cluster_bytes * pass->header.l2_entries;
}

/* The same for L2 table index, cut to the disk. */
static uint64_t table_length(const struct qcow2_parser *pass, uint64_t index)
{
    uint64_t left = pass->header.virtual_bytes - index * reach(pass);

    return left < reach(pass) ? left : reach(pass);
}

/* For the map: the tables are in memory. */
static int read_tables(void *opaque, void *buf, size_t len, uint64_t offset,
                       struct error *err)
{
    const struct qcow2_parser *pass = opaque;
    uint64_t l1_bytes = (uint64_t)pass->header.l1_entries * 8;

    if (pass->l2 && offset >= pass->l2_host &&
        offset - pass->l2_host <= pass->header.cluster_bytes - len) {
        memcpy(buf, pass->l2 + (offset - pass->l2_host), len);
        return 0;
    }
    if (offset >= pass->header.l1_offset && len <= l1_bytes &&
        offset - pass->header.l1_offset <= l1_bytes - len) {
        memcpy(buf, pass->l1 + (offset - pass->header.l1_offset), len);
        return 0;
    }
    return error_set(err, ERROR_FORMAT, 0,
                     "qcow2: a table at %" PRIu64 " lies in another", offset);
}

/* Registers [guest, guest+length) of the disk, stored from host on. */
static int want(struct qcow2_parser *pass, const struct qcow2_want *wanted,
                uint64_t guest, uint64_t length, struct error *err)
{
    if (wanted->host < pass->window.position)
        return miss(pass, guest, length,
                    "a table follows the data that it refers to", err);
    if (!qcow2_pending_add(&pass->wants, wanted))
        return miss(pass, guest, length,
                    "there are more scattered clusters than fit in memory",
                    err);
    return 0;
}

/* Counts sectors of the run that are still to come.  Chunks that share a table
 * with another one count that, too (see learn_l1()). */
static void expect(struct qcow2_parser *pass, uint64_t guest, uint64_t length)
{
    while (length > 0) {
        uint64_t chunk = guest / CHUNK_BYTES;
        uint64_t step = (chunk + 1) * CHUNK_BYTES - guest;

        if (step > length)
            step = length;
        pass->missing[chunk] = (uint16_t)(pass->missing[chunk] +
                                          step / SECTOR_BYTES);
        guest += step;
        length -= step;
    }
}

static int learn_run(struct qcow2_parser *pass, const struct qcow2_run *run,
                     struct error *err)
{
    struct qcow2_want wanted = {
        .host = run->host_offset,
        .guest = run->offset,
        .length = run->length,
        .packed_bytes = run->packed_bytes,
        .kind = run->kind == QCOW2_COMPRESSED ? QCOW2_WANT_PACKED
                                              : QCOW2_WANT_DATA,
    };

    if (run->kind == QCOW2_UNALLOCATED || run->kind == QCOW2_ZERO)
        return 0;
    expect(pass, run->offset, run->length);
    return want(pass, &wanted, run->offset, run->length, err);
}

/* Counts down what chunk still misses; returns whether it is whole now. */
static bool arrive(struct qcow2_parser *pass, uint64_t chunk, uint64_t things)
{
    pass->missing[chunk] = (uint16_t)(pass->missing[chunk] - things);
    return pass->missing[chunk] == 0 && !is_missed(pass, chunk);
}

/* Tables that cover less than a chunk: each counts as one missing item. */
static bool shares_chunk(const struct qcow2_parser *pass)
{
    return reach(pass) < CHUNK_BYTES;
}

static int learn_l2(struct qcow2_parser *pass, const struct qcow2_want *table,
                    struct error *err)
{
    uint64_t begin = table->guest * reach(pass);
    uint64_t end = begin + table_length(pass, table->guest);
    struct qcow2_run run;
    size_t got;
    int r = 0;

    if (lookahead_look(&pass->window, (size_t)table->length, &pass->l2, &got,
                       err) < 0)
        return -1;
    if (got < table->length)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: L2 table %" PRIu64 " at %" PRIu64
                         " ends beyond the file: truncated image?",
                         table->guest, table->host);
    pass->taken = table->host + table->length;
    pass->l2_host = table->host;
    for (uint64_t at = begin; at < end && r == 0; at += run.length) {
        r = qcow2_map_at(&pass->map, at, end, &run, err);
        if (r == 0)
            r = learn_run(pass, &run, err);
    }
    pass->l2 = NULL;
    if (r < 0)
        return -1;
    pass->look_at = begin / CHUNK_BYTES;
    pass->look_end = (end + CHUNK_BYTES - 1) / CHUNK_BYTES;
    if (shares_chunk(pass) && !arrive(pass, pass->look_at, 1))
        pass->look_end = pass->look_at;
    return lookahead_skip_to(&pass->window, pass->taken, err);
}

static int learn_l1(struct qcow2_parser *pass, const struct qcow2_want *table,
                    struct error *err)
{
    struct qcow2_want l2 = {
        .length = pass->header.cluster_bytes,
        .kind = QCOW2_WANT_L2,
    };
    size_t got;

    if (lookahead_take(&pass->window, pass->l1, (size_t)table->length, &got,
                       err) < 0)
        return -1;
    if (got < table->length)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: the L1 table at %" PRIu64
                         " ends beyond the file: truncated image?",
                         table->host);
    pass->taken = pass->window.position;
    for (; l2.guest * reach(pass) < pass->header.virtual_bytes; l2.guest++) {
        uint64_t begin = l2.guest * reach(pass);

        if (qcow2_map_l2_table(&pass->map, (uint32_t)l2.guest, &l2.host, err) <
            0)
            return -1;
        if (l2.host == 0)
            continue;
        if (shares_chunk(pass))
            pass->missing[begin / CHUNK_BYTES]++;
        if (want(pass, &l2, begin, table_length(pass, l2.guest), err) < 0)
            return -1;
    }
    return 0;
}

/* ---- clusters ---- */

static int read_window(void *opaque, void *buf, size_t len, uint64_t offset,
                       struct error *err)
{
    const struct qcow2_parser *pass = opaque;

    (void)offset;
    (void)err;
    memcpy(buf, pass->packed_bytes, len);
    return 0;
}

/* Decodes without consuming: the next cluster may begin in its last sector. */
static int unpack(struct qcow2_parser *pass, struct error *err)
{
    const struct qcow2_want *want = &pass->current;
    struct image_host host = { .read = read_window, .opaque = pass };
    struct qcow2_run run = {
        .offset = want->guest,
        .length = want->length,
        .kind = QCOW2_COMPRESSED,
        .host_offset = want->host,
    };
    size_t got;

    if (!pass->packed)
        pass->packed = qcow2_compressed_open(&pass->header);
    if (!pass->cluster)
        pass->cluster = malloc((size_t)pass->header.cluster_bytes);
    if (!pass->packed || !pass->cluster)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "unpack a cluster");
    if (lookahead_look(&pass->window, want->packed_bytes, &pass->packed_bytes,
                       &got, err) < 0)
        return -1;
    if (got == 0)
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: the compressed cluster of disk offset "
                         "%" PRIu64 " at %" PRIu64
                         " lies beyond the end of the file: truncated image?",
                         want->guest, want->host);
    run.packed_bytes = (uint32_t)got;
    if (want->host + got > pass->taken)
        pass->taken = want->host + got;
    pass->current_bytes = pass->cluster;
    if (qcow2_compressed_read(pass->packed, &host, &run, pass->cluster, err) <
        0)
        return -1;
    used_data_note(&pass->used, want->host,
                   qcow2_compressed_used(pass->packed));
    return 0;
}

/* Consumes len bytes of the current cluster into buf (NULL: discards them).
 * is_last: they are not needed again. */
static int take(struct qcow2_parser *pass, uint8_t *buf, size_t len,
                bool is_last, struct error *err)
{
    struct qcow2_want *current = &pass->current;
    size_t got = len;

    current->guest += len;
    current->length -= len;
    if (pass->current_bytes) {
        if (buf)
            memcpy(buf, pass->current_bytes, len);
        pass->current_bytes += len;
        return 0;
    }
    if (!is_last)
        used_data_note(&pass->used, current->host, len);
    current->host += len;
    pass->taken = current->host;
    if (!buf) {
        if (lookahead_skip_to(&pass->window, current->host, err) < 0)
            return -1;
        got = pass->window.position == current->host ? len : 0;
    } else if ((is_last ? lookahead_take_last : lookahead_take)(
                   &pass->window, buf, len, &got, err) < 0) {
        return -1;
    }
    if (got == len)
        return 0;
    return error_set_at(
        err, ERROR_FORMAT, 0, current->guest - len,
        "qcow2: the cluster of disk offset %" PRIu64 " at %" PRIu64
        " ends beyond the file (%" PRIu64 " bytes): truncated image?",
        current->guest - len, current->host - len, pass->window.position);
}

/* Holds a part of a chunk until the rest arrives. */
static int hold(struct qcow2_parser *pass, uint64_t chunk, size_t len,
                struct error *err)
{
    uint64_t guest = pass->current.guest;
    uint8_t *to = chunk_assembly_part(&pass->hold, chunk, guest % CHUNK_BYTES,
                                      len);

    if (!to && miss(pass, guest, len,
                    "its clusters lie too far out of order to hold them until "
                    "their chunk is complete",
                    err) < 0)
        return -1;
    if (take(pass, to, len, false, err) < 0)
        return -1;
    if (!arrive(pass, chunk, len / SECTOR_BYTES))
        return 0;
    pass->named = NAMED_HELD;
    pass->named_chunk = chunk;
    return 1;
}

/* Consumes the next piece.  Returns 1 when a chunk has become whole. */
static int take_piece(struct qcow2_parser *pass, struct error *err)
{
    uint64_t chunk = pass->current.guest / CHUNK_BYTES;
    uint64_t len = (chunk + 1) * CHUNK_BYTES - pass->current.guest;

    if (len > pass->current.length)
        len = pass->current.length;
    if (is_missed(pass, chunk)) {
        arrive(pass, chunk, len / SECTOR_BYTES);
        return take(pass, NULL, (size_t)len, false, err);
    }
    if (len < chunk_grid_length(pass->header.virtual_bytes, chunk))
        return hold(pass, chunk, (size_t)len, err);
    arrive(pass, chunk, len / SECTOR_BYTES);
    pass->named = NAMED_COMING;
    pass->named_chunk = chunk;
    return 1;
}

/* ---- the pass ---- */

/* Releases the last returned chunk. */
static int forget_named(struct qcow2_parser *pass, struct error *err)
{
    enum named named = pass->named;
    uint64_t bytes;

    pass->named = NAMED_NONE;
    if (named == NAMED_HELD)
        chunk_assembly_drop(&pass->hold, pass->named_chunk);
    if (pass->hold.count == 0)
        used_data_free(&pass->used, pass->window.position);
    if (named != NAMED_COMING)
        return 0;
    bytes = chunk_grid_length(pass->header.virtual_bytes, pass->named_chunk);
    return take(pass, NULL, (size_t)bytes, true, err); /* it was not read */
}

/* Finds the next chunk, of those to check, that has no data to come. */
static bool find_whole(struct qcow2_parser *pass)
{
    for (; pass->look_at < pass->look_end; pass->look_at++) {
        uint64_t chunk = pass->look_at;

        if (pass->missing[chunk] > 0 || is_missed(pass, chunk) ||
            chunk_bitmap_has(&pass->whole, chunk))
            continue;
        pass->look_at++;
        pass->named = chunk_assembly_get(&pass->hold, chunk) ? NAMED_HELD
                                                             : NAMED_ZERO;
        pass->named_chunk = chunk;
        return true;
    }
    return false;
}

/* Moves to the next pending item and processes it.  Returns 0 if there is
 * none. */
static int advance(struct qcow2_parser *pass, struct error *err)
{
    struct qcow2_want next;

    if (!qcow2_pending_take(&pass->wants, &next))
        return 0;
    /* Compressed clusters may share a sector; all else is exclusive. */
    if (next.host < pass->window.position ||
        (next.host < pass->taken && next.kind != QCOW2_WANT_PACKED))
        return error_set(err, ERROR_FORMAT, 0,
                         "qcow2: the host cluster at %" PRIu64
                         " is used twice: corrupt image",
                         next.host);
    if (lookahead_skip_to(&pass->window, next.host, err) < 0)
        return -1;
    switch (next.kind) {
    case QCOW2_WANT_L1: return learn_l1(pass, &next, err) < 0 ? -1 : 1;
    case QCOW2_WANT_L2: return learn_l2(pass, &next, err) < 0 ? -1 : 1;
    case QCOW2_WANT_DATA:
        pass->current = next;
        pass->current_bytes = NULL;
        return 1;
    case QCOW2_WANT_PACKED:
        pass->current = next;
        return unpack(pass, err) < 0 ? -1 : 1;
    }
    abort(); /* a want is of one of the four kinds */
}

int qcow2_parser_next(struct qcow2_parser *pass, uint64_t *chunk,
                      struct error *err)
{
    int r = 0;

    if (forget_named(pass, err) < 0)
        return -1;
    while (r == 0 && !find_whole(pass)) {
        if (pass->current.length > 0) {
            r = take_piece(pass, err);
            continue;
        }
        r = advance(pass, err);
        if (r == 0 && pass->is_last_look)
            return 0;
        if (r == 0) {
            pass->is_last_look = true;
            pass->look_at = 0;
            pass->look_end = chunk_grid_count(pass->header.virtual_bytes);
        }
        r = r < 0 ? -1 : 0;
    }
    if (r < 0)
        return -1;
    assert(pass->named != NAMED_NONE);
    chunk_bitmap_add(&pass->whole, pass->named_chunk, 1);
    *chunk = pass->named_chunk;
    return 1;
}

bool qcow2_parser_is_zero(const struct qcow2_parser *pass)
{
    return pass->named == NAMED_ZERO;
}

int qcow2_parser_read(struct qcow2_parser *pass, uint8_t *buf,
                      struct error *err)
{
    uint64_t chunk = pass->named_chunk;
    size_t len = (size_t)chunk_grid_length(pass->header.virtual_bytes, chunk);
    bool is_coming = pass->named == NAMED_COMING;

    assert(is_coming || pass->named == NAMED_HELD);
    if (is_coming) {
        pass->named = NAMED_NONE;
        return take(pass, buf, len, true, err);
    }
    memcpy(buf, chunk_assembly_get(&pass->hold, chunk), len);
    return 0;
}

int qcow2_parser_drain(struct qcow2_parser *pass, struct error *err)
{
    return lookahead_skip_to(&pass->window, UINT64_MAX, err);
}

const struct chunk_bitmap *qcow2_parser_missed(const struct qcow2_parser *pass)
{
    return &pass->missed;
}

/* ---- before and after ---- */

void qcow2_parser_spool(struct qcow2_parser *pass, struct spool *spool)
{
    pass->window.spool = pass->used.spool = spool;
}

void qcow2_parser_close(struct qcow2_parser *pass)
{
    if (!pass)
        return;
    lookahead_fini(&pass->window);
    qcow2_pending_fini(&pass->wants);
    qcow2_map_fini(&pass->map);
    qcow2_compressed_close(pass->packed);
    chunk_assembly_fini(&pass->hold);
    chunk_bitmap_fini(&pass->whole);
    chunk_bitmap_fini(&pass->missed);
    free(pass->l1);
    free(pass->cluster);
    free(pass->missing);
    free(pass);
}

static int fill(struct qcow2_parser *pass, struct stream *stream,
                struct error *err)
{
    const struct qcow2_header *header = &pass->header;
    uint64_t chunks = chunk_grid_count(header->virtual_bytes);
    uint64_t window_bytes = 2 * header->cluster_bytes;
    struct qcow2_want l1 = {
        .host = header->l1_offset,
        .length = (uint64_t)header->l1_entries * 8,
        .kind = QCOW2_WANT_L1,
    };
    struct image_host tables = {
        .read = read_tables,
        .opaque = pass,
        /* The size of the file is known only at its end. */
        .size_bytes = stream->size_bytes < INT64_MAX ? stream->size_bytes
                                                     : INT64_MAX,
    };

    if (window_bytes < MIN_WINDOW_BYTES)
        window_bytes = MIN_WINDOW_BYTES;
    if (lookahead_init(&pass->window, stream, (size_t)window_bytes, err) < 0 ||
        qcow2_map_init(&pass->map, &tables, header, err) < 0 ||
        chunk_bitmap_init(&pass->whole, chunks, err) < 0 ||
        chunk_bitmap_init(&pass->missed, chunks, err) < 0)
        return -1;
    pass->taken = header->header_bytes;
    pass->l1 = malloc((size_t)l1.length + 1);
    pass->missing = calloc((size_t)chunks + 1, sizeof(*pass->missing));
    if (!pass->l1 || !pass->missing ||
        (l1.length > 0 && !qcow2_pending_add(&pass->wants, &l1)))
        return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: open");
    return 0;
}

int qcow2_parser_open(struct stream *stream, const struct qcow2_header *header,
                      bool may_miss, struct qcow2_parser **pass,
                      struct error *err)
{
    *pass = calloc(1, sizeof(**pass));
    if (!*pass)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "qcow2: open");
    (*pass)->header = *header;
    (*pass)->may_miss = may_miss;
    if (fill(*pass, stream, err) == 0)
        return 0;
    qcow2_parser_close(*pass);
    *pass = NULL;
    return -1;
}
