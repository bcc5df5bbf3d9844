/*
 * extent_json.c - the lists in JSON.  An object is read member by member: one
 * that contains an array is a page of entries, another one is an entry.
 */
#include <inttypes.h>
#include <string.h>

#include "base/jsonin.h"
#include "io/extent_text.h"

/* The members of an entry or a page. */
enum member {
    OFFSET,
    LENGTH,
    DESCRIPTION,
    TYPE,
    START,
    DEPTH,
    ZERO,
    EXISTS,
    BYTE_OFFSET,
    SIZE_BYTES,
    CAPACITY,
    NEXT_OFFSET,
    OTHER, /* known and not used */
    BLOCKS,
    EXTENTS,
};

static const struct {
    const char *name;
    enum member member;
} names[] = {
    { "offset", OFFSET },
    { "length", LENGTH },
    { "description", DESCRIPTION },
    { "type", TYPE },
    { "start", START },
    { "depth", DEPTH },
    { "zero", ZERO },
    { "exists", EXISTS },
    { "byte_offset", BYTE_OFFSET },
    { "byteOffset", BYTE_OFFSET },
    { "size_bytes", SIZE_BYTES },
    { "sizeBytes", SIZE_BYTES },
    { "volume_capacity_bytes", CAPACITY },
    { "volumeCapacityBytes", CAPACITY },
    { "next_offset", NEXT_OFFSET },
    { "nextOffset", NEXT_OFFSET },
    { "data", OTHER },
    { "present", OTHER },
    { "compressed", OTHER },
    { "filename", OTHER },
    { "flags", OTHER },
    { "block_metadata_type", OTHER },
    { "blockMetadataType", OTHER },
    { "block_metadata", BLOCKS },
    { "blockMetadata", BLOCKS },
    { "extents", EXTENTS },
};

#define HAS(member) (1U << (unsigned)(member))
/* protojson writes integers of 64 bits as strings. */
#define MAY_BE_QUOTED \
    (HAS(BYTE_OFFSET) | HAS(SIZE_BYTES) | HAS(CAPACITY) | HAS(NEXT_OFFSET))
#define IS_PAGE (HAS(BLOCKS) | HAS(EXTENTS) | HAS(CAPACITY) | HAS(NEXT_OFFSET))

struct entry {
    unsigned has;            /* HAS() of each member but OTHER */
    uint64_t numbers[OTHER]; /* of the members that are numbers */
    char description[32];
    bool is_zero, exists;
};

/* A format: which members an entry must have, and which it may have. */
struct json_format {
    const char *name;
    unsigned must, may;
    enum member offset, length;
    bool is_complete; /* its entries are adjacent, from 0 to the disk's end */
};

/* In the order in which they are tried. */
static const struct json_format formats[] = {
    { "qemu-img map", HAS(START) | HAS(LENGTH) | HAS(DEPTH) | HAS(ZERO),
      HAS(OFFSET), START, LENGTH, true },
    { "rbd diff", HAS(OFFSET) | HAS(LENGTH) | HAS(EXISTS), 0, OFFSET, LENGTH,
      false },
    { "nbdinfo", HAS(OFFSET) | HAS(LENGTH) | HAS(TYPE) | HAS(DESCRIPTION), 0,
      OFFSET, LENGTH, true },
    { "ours", HAS(OFFSET) | HAS(LENGTH), HAS(DESCRIPTION) | HAS(TYPE), OFFSET,
      LENGTH, false },
};

/* protojson leaves a 0 out. */
static const struct json_format csi = { "csi metadata",   HAS(SIZE_BYTES),
                                        HAS(BYTE_OFFSET), BYTE_OFFSET,
                                        SIZE_BYTES,       false };
static const struct json_format kubevirt = {
    "kubevirt map", HAS(LENGTH), HAS(OFFSET) | HAS(DESCRIPTION) | HAS(TYPE),
    OFFSET,         LENGTH,      false
};

struct json_list {
    struct extent_text *text;
    const struct json_format *format; /* NULL: not known yet */
    uint64_t next_offset;             /* of the last page; 0: it is the last */
    bool in_page;
};

/* ---- one member ---- */

static bool take_member_name(struct extent_text *text, enum member *member)
{
    struct jsonin in = { text->item };
    char name[32];

    if (!extent_text_scalar(text) || !jsonin_text(&in, name, sizeof(name)) ||
        !extent_text_mark(text, ':'))
        return false;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i].name, name) == 0) {
            *member = names[i].member;
            return true;
        }
    return false;
}

static bool take_number(struct extent_text *text, bool may_be_quoted,
                        uint64_t *number)
{
    struct jsonin in = { text->item };
    char digits[24];

    if (may_be_quoted && text->item[0] == '"') {
        if (!jsonin_text(&in, digits, sizeof(digits)) || !jsonin_end(&in))
            return false;
        in.at = digits;
    }
    return jsonin_number(&in, number) && jsonin_end(&in);
}

/* true, false, "true" or "false". */
static bool take_bool(struct extent_text *text, bool *value)
{
    const char *item = text->item;

    *value = strcmp(item, "true") == 0 || strcmp(item, "\"true\"") == 0;
    return *value || strcmp(item, "false") == 0 ||
           strcmp(item, "\"false\"") == 0;
}

static bool take_value(struct extent_text *text, enum member member,
                       struct entry *entry)
{
    struct jsonin in = { text->item };

    if (!extent_text_scalar(text))
        return false;
    if (member == DESCRIPTION)
        return jsonin_text(&in, entry->description,
                           sizeof(entry->description)) &&
               jsonin_end(&in);
    if (member == ZERO)
        return take_bool(text, &entry->is_zero);
    if (member == EXISTS)
        return take_bool(text, &entry->exists);
    if (member == OTHER)
        return jsonin_skip(&in) && jsonin_end(&in);
    if (member == NEXT_OFFSET && strcmp(text->item, "null") == 0)
        return true;
    return take_number(text, HAS(member) & MAY_BE_QUOTED,
                       &entry->numbers[member]);
}

/* ---- one entry ---- */

static bool fits(const struct json_format *format, const struct entry *entry)
{
    return (entry->has & format->must) == format->must &&
           (entry->has & ~(format->must | format->may)) == 0;
}

static const struct json_format *find_format(const struct entry *entry)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
        if (fits(&formats[i], entry))
            return &formats[i];
    return NULL;
}

/* A description is of a bitmap or of an allocation.  What is a hole, but not
 * said to be zero, may read as anything. */
static const char *described(const struct json_list *list,
                             const struct entry *entry, bool *is_listed)
{
    bool is_changed = strcmp(entry->description, "dirty") == 0;
    bool is_about_changes = is_changed ||
                            strcmp(entry->description, "clean") == 0;
    bool is_zero = strstr(entry->description, "zero") != NULL;
    bool is_about_data = is_zero || strcmp(entry->description, "data") == 0 ||
                         strcmp(entry->description, "hole") == 0;

    if (list->text->options->purpose == EXTENT_FILE_CHANGED) {
        *is_listed = is_changed;
        return is_about_changes ? NULL
                                : "does not tell what changed: its "
                                  "description is neither dirty nor clean";
    }
    *is_listed = !is_zero;
    return is_about_data ? NULL
                         : "does not tell what is data: its description is "
                           "not of base:allocation";
}

/* NULL, or why the entry is refused.  An extent of depth 0 lies in the top
 * layer of an image, so it is what changed since its backing file. */
static const char *is_entry_listed(const struct json_list *list,
                                   const struct entry *entry, bool *is_listed)
{
    bool wants_data = list->text->options->purpose == EXTENT_FILE_DATA;

    *is_listed = true;
    if (entry->has & HAS(DESCRIPTION))
        return described(list, entry, is_listed);
    if (entry->has & HAS(ZERO))
        *is_listed = wants_data ? !entry->is_zero : entry->numbers[DEPTH] == 0;
    if (entry->has & HAS(EXISTS))
        *is_listed = !wants_data || entry->exists;
    return NULL;
}

static int add_entry(struct json_list *list, const struct entry *entry,
                     struct error *err)
{
    struct extent_text *text = list->text;
    const char *why;
    uint64_t offset;
    bool is_listed;

    if (!list->format)
        list->format = find_format(entry);
    if (!list->format || !fits(list->format, entry))
        return extent_text_refuse(
            text,
            list->format ? "does not have the members of the first entry"
                         : "is not an extent of any format that is known; "
                           "{\"offset\": BYTES, \"length\": BYTES} is one",
            err);
    why = is_entry_listed(list, entry, &is_listed);
    if (why)
        return extent_text_refuse(text, why, err);
    offset = entry->numbers[list->format->offset];
    if (list->format->is_complete && offset > text->end)
        return extent_text_refuse(text,
                                  "does not begin where the one in front of "
                                  "it ends: entries are missing",
                                  err);
    return extent_text_entry(text, offset, entry->numbers[list->format->length],
                             is_listed, err);
}

/* ---- pages ---- */

/* NOLINTBEGIN(misc-no-recursion): a page has no pages in it */

static int take_entries(struct json_list *list, struct error *err);

/* The array of a page: entries, or null, as Go writes an empty one. */
static int take_page(struct json_list *list, enum member member,
                     struct error *err)
{
    const struct json_format *format = member == BLOCKS ? &csi : &kubevirt;
    int r;

    if (list->in_page || (list->format && list->format != format))
        return extent_text_refuse(list->text, "is a page between entries", err);
    list->format = format;
    if (extent_text_peek(list->text) != '[') {
        if (extent_text_scalar(list->text) &&
            strcmp(list->text->item, "null") == 0)
            return 0;
        return extent_text_refuse(list->text, "is not in a JSON list", err);
    }
    list->in_page = true;
    r = take_entries(list, err);
    list->in_page = false;
    return r;
}

static int take_member(struct json_list *list, struct entry *entry,
                       struct error *err)
{
    struct extent_text *text = list->text;
    enum member member;

    if (!take_member_name(text, &member))
        return extent_text_refuse(text,
                                  "has a member that no known format has, or "
                                  "is cut off",
                                  err);
    if (member != OTHER && (entry->has & HAS(member)))
        return extent_text_refuse(text, "has a member twice", err);
    if (member != OTHER)
        entry->has |= HAS(member);
    if (member == BLOCKS || member == EXTENTS)
        return take_page(list, member, err);
    if (take_value(text, member, entry))
        return 0;
    return extent_text_refuse(
        text, "has a value of the wrong kind, or is cut off", err);
}

static int end_page(struct json_list *list, const struct entry *page,
                    struct error *err)
{
    struct extent_file_options *options = list->text->options;

    if (page->has & ~IS_PAGE)
        return extent_text_refuse(list->text, "is an extent and a page at once",
                                  err);
    if (!list->format)
        list->format = page->has & HAS(CAPACITY) ? &csi : &kubevirt;
    list->next_offset = page->numbers[NEXT_OFFSET];
    if (!(page->has & HAS(CAPACITY)) ||
        page->numbers[CAPACITY] >= options->disk_bytes)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s is a list of another disk: its volume has %" PRIu64
                     " bytes, and the disk %" PRIu64,
                     options->path, page->numbers[CAPACITY],
                     options->disk_bytes);
}

/* An entry, or outside of pages a page. */
static int take_object(struct json_list *list, struct error *err)
{
    struct extent_text *text = list->text;
    struct entry entry = { 0 };

    if (!extent_text_mark(text, '{'))
        return extent_text_refuse(text, "is not a JSON object", err);
    do
        if (take_member(list, &entry, err) < 0)
            return -1;
    while (extent_text_mark(text, ','));
    if (!extent_text_mark(text, '}'))
        return extent_text_refuse(text, "is cut off", err);
    return !list->in_page && (entry.has & IS_PAGE)
               ? end_page(list, &entry, err)
               : add_entry(list, &entry, err);
}

/* The array that begins here, of entries or of pages. */
static int take_entries(struct json_list *list, struct error *err)
{
    struct extent_text *text = list->text;

    extent_text_mark(text, '[');
    if (extent_text_mark(text, ']'))
        return 0;
    do
        if (take_object(list, err) < 0)
            return -1;
    while (extent_text_mark(text, ','));
    if (extent_text_mark(text, ']'))
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s is cut off after entry %" PRIu64 ", at byte %" PRIu64,
                     text->options->path, text->options->entries, text->at);
}

/* NOLINTEND(misc-no-recursion) */

/* ---- the list ---- */

static int check_end(const struct json_list *list, struct error *err)
{
    const struct extent_text *text = list->text;
    const struct extent_file_options *options = text->options;

    if (list->next_offset > 0 && list->next_offset < options->disk_bytes)
        return error_set(err, ERROR_USAGE, 0,
                         "%s is cut off after entry %" PRIu64
                         ": its last page names a next one, from offset "
                         "%" PRIu64,
                         options->path, options->entries, list->next_offset);
    if (list->format && list->format->is_complete &&
        text->end < options->disk_bytes)
        return error_set(
            err, ERROR_USAGE, 0,
            "%s is cut off, or of another disk: entry %" PRIu64
            ", its last, ends at %" PRIu64 ", and the disk at %" PRIu64,
            options->path, options->entries, text->end, options->disk_bytes);
    return 0;
}

int extent_json_read(struct extent_text *text, struct error *err)
{
    struct json_list list = { .text = text };
    int r;

    if (extent_text_peek(text) == '[')
        r = take_entries(&list, err);
    else
        do
            r = take_object(&list, err);
        while (r == 0 && extent_text_peek(text) == '{');
    if (r < 0)
        return -1;
    if (list.format)
        text->options->format = list.format->name;
    if (extent_text_peek(text) != EOF)
        return extent_text_refuse(text, "is after the end of the list", err);
    return check_end(&list, err);
}
