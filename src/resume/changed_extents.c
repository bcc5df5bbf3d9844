#include "resume/changed_extents.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/jsonin.h"
#include "plan/chunk_grid.h"

#define MAX_BYTES (UINT64_C(64) << 20) /* of the file */

struct piece {
    uint64_t offset, length;
    bool is_clean;
};

struct list {
    struct piece *pieces; /* owned */
    size_t count, room;
};

static void auto_close_stream(FILE **stream)
{
    if (*stream)
        fclose(*stream);
}

static void auto_free_list(struct list *list)
{
    free(list->pieces);
}

/* ---- the JSON text ---- */

static int read_text(const char *path, char **text, struct error *err)
{
    AUTO(auto_close_stream) FILE *stream = fopen(path, "re");
    AUTO_FREE char *buf = NULL;
    size_t len = 0, room = 0, n;

    if (!stream)
        return error_set(err, ERROR_USAGE, errno, "read %s", path);
    do {
        if (len + 1 >= room) {
            char *more = realloc(buf, room = room * 2 + 65536);

            if (!more)
                return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
            buf = more;
        }
        n = fread(buf + len, 1, room - len - 1, stream);
        len += n;
    } while (n > 0 && len <= MAX_BYTES);
    if (ferror(stream))
        return error_set(err, ERROR_USAGE, errno, "read %s", path);
    buf[len] = '\0';
    if (len > MAX_BYTES || strlen(buf) != len)
        return error_set(err, ERROR_USAGE, 0,
                         "%s is not valid JSON, or is too long", path);
    *text = TAKE_PTR(buf);
    return 0;
}

/* Accepts "dirty" and "clean" only: others are not about changes. */
static bool take_description(struct jsonin *in, struct piece *piece)
{
    char text[16];

    if (!jsonin_text(in, text, sizeof(text)))
        return false;
    piece->is_clean = strcmp(text, "clean") == 0;
    return piece->is_clean || strcmp(text, "dirty") == 0;
}

static bool take_member(struct jsonin *in, struct piece *piece, unsigned *has)
{
    char key[16];

    if (!jsonin_text(in, key, sizeof(key)) || !jsonin_mark(in, ':'))
        return false;
    if (strcmp(key, "offset") == 0 && !(*has & 1)) {
        *has |= 1;
        return jsonin_number(in, &piece->offset);
    }
    if (strcmp(key, "length") == 0 && !(*has & 2)) {
        *has |= 2;
        return jsonin_number(in, &piece->length);
    }
    if (strcmp(key, "description") == 0)
        return take_description(in, piece);
    return strcmp(key, "type") == 0 && jsonin_skip(in);
}

static bool take_piece(struct jsonin *in, struct piece *piece)
{
    unsigned has = 0;

    *piece = (struct piece){ 0 };
    if (!jsonin_mark(in, '{'))
        return false;
    do
        if (!take_member(in, piece, &has))
            return false;
    while (jsonin_mark(in, ','));
    return has == 3 && jsonin_mark(in, '}');
}

static struct piece *new_piece(struct list *list)
{
    if (list->count == list->room) {
        size_t room = list->room * 2 + 64;
        struct piece *more = reallocarray(list->pieces, room, sizeof(*more));

        if (!more)
            return NULL;
        list->pieces = more;
        list->room = room;
    }
    return &list->pieces[list->count++];
}

static int parse(const char *path, const char *text, struct list *list,
                 struct error *err)
{
    struct jsonin in = { text };
    bool is_empty;

    if (!jsonin_mark(&in, '['))
        return error_set(err, ERROR_USAGE, 0, "%s is not a JSON list", path);
    is_empty = jsonin_mark(&in, ']');
    while (!is_empty) {
        struct piece *piece = new_piece(list);

        if (!piece)
            return error_set(err, ERROR_SYSTEM, ENOMEM, "read %s", path);
        if (!take_piece(&in, piece))
            return error_set(err, ERROR_USAGE, 0,
                             "%s: extent %zu of the list, about byte %td, is "
                             "not {\"offset\": BYTES, \"length\": BYTES}",
                             path, list->count, in.at - text);
        if (!jsonin_mark(&in, ','))
            break;
    }
    if ((is_empty || jsonin_mark(&in, ']')) && jsonin_end(&in))
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s: the list does not end after extent %zu", path,
                     list->count);
}

/* ---- the extents ---- */

static int by_offset(const void *a, const void *b)
{
    uint64_t left = ((const struct piece *)a)->offset;
    uint64_t right = ((const struct piece *)b)->offset;

    return (left > right) - (left < right);
}

static int check(const char *path, const struct piece *piece,
                 uint64_t virtual_bytes, uint64_t end, struct error *err)
{
    const char *why = NULL;

    if (piece->length == 0)
        why = "is empty";
    else if (piece->offset > virtual_bytes ||
             piece->length > virtual_bytes - piece->offset)
        why = "reaches beyond the end of the disk";
    else if (piece->offset < end)
        why = "overlaps the one before it";
    if (!why)
        return 0;
    return error_set_at(err, ERROR_USAGE, 0, piece->offset,
                        "%s: the extent of %" PRIu64 " bytes at %" PRIu64 " %s",
                        path, piece->length, piece->offset, why);
}

static void mark(struct chunk_bitmap *changed, const struct piece *piece)
{
    uint64_t first = piece->offset / CHUNK_BYTES;
    uint64_t last = (piece->offset + piece->length - 1) / CHUNK_BYTES;

    chunk_bitmap_add(changed, first, last - first + 1);
}

int changed_extents_read(const char *path, uint64_t virtual_bytes,
                         struct chunk_bitmap *changed, struct error *err)
{
    AUTO_FREE char *text = NULL;
    AUTO(auto_free_list) struct list list = { 0 };
    uint64_t end = 0;

    if (chunk_bitmap_init(changed, chunk_grid_count(virtual_bytes), err) < 0 ||
        read_text(path, &text, err) < 0 || parse(path, text, &list, err) < 0)
        return -1;
    if (list.count > 0)
        qsort(list.pieces, list.count, sizeof(*list.pieces), by_offset);
    for (size_t i = 0; i < list.count; i++) {
        const struct piece *piece = &list.pieces[i];

        if (check(path, piece, virtual_bytes, end, err) < 0)
            return -1;
        end = piece->offset + piece->length;
        if (!piece->is_clean)
            mark(changed, piece);
    }
    return 0;
}
