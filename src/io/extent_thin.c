/*
 * extent_thin.c - the XML of thin_dump and thin_delta (thin-provisioning-tools).
 * All numbers are of blocks, whose size the root element names in sectors.
 */
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "io/extent_text.h"

#define SECTOR_BYTES 512U

struct thin {
    struct extent_text *text;
    uint64_t block_bytes; /* 0: not known yet */
    uint64_t devices;     /* elements <device> or <diff> so far */
    bool is_delta;
    bool differs; /* the part of a thin_delta: not <same> */
    bool is_done;
};

/* ---- one tag ---- */

static bool is_element(const struct extent_text *text, const char *name)
{
    size_t len = strlen(name);

    return strncmp(text->item, name, len) == 0 &&
           (text->item[len] == '\0' || strchr(" /\t\r\n", text->item[len]));
}

/* The number of attribute name.  false: there is none. */
static bool take_attribute(const struct extent_text *text, const char *name,
                           uint64_t *number)
{
    char digits[24];
    const char *at = text->item;
    size_t len = strlen(name), count;

    while ((at = strstr(at, name)) != NULL) {
        bool is_whole = at > text->item && strchr(" \t\r\n", at[-1]) &&
                        strncmp(at + len, "=\"", 2) == 0;

        at += len;
        if (!is_whole)
            continue;
        at += 2;
        count = strspn(at, "0123456789");
        if (count == 0 || count >= sizeof(digits) || at[count] != '"')
            return false;
        memcpy(digits, at, count);
        digits[count] = '\0';
        return parse_count(digits, number);
    }
    return false;
}

/* ---- the elements ---- */

static int take_root(struct thin *thin, struct error *err)
{
    uint64_t sectors;

    if (thin->block_bytes > 0 ||
        !take_attribute(thin->text, "data_block_size", &sectors) ||
        sectors == 0 || sectors > UINT32_MAX)
        return extent_text_refuse(
            thin->text, "stands before a <superblock> with a data_block_size",
            err);
    thin->block_bytes = sectors * SECTOR_BYTES;
    return 0;
}

static int take_device(struct thin *thin, bool is_delta, struct error *err)
{
    bool wants_delta = thin->text->options->purpose == EXTENT_FILE_CHANGED;

    thin->is_delta = is_delta;
    thin->text->options->format = is_delta ? "thin_delta" : "thin_dump";
    if (++thin->devices > 1)
        return extent_text_refuse(thin->text,
                                  "is of a second device; dump one, with "
                                  "thin_dump --dev-id",
                                  err);
    if (is_delta == wants_delta)
        return 0;
    return error_set(err, ERROR_USAGE, 0, "%s is the output of %s, which %s",
                     thin->text->options->path, thin->text->options->format,
                     is_delta ? "does not tell what is data; use thin_dump"
                              : "does not tell what changed; use thin_delta");
}

/* The last block may reach beyond the end of the disk. */
static int take_blocks(struct thin *thin, uint64_t first, uint64_t count,
                       struct error *err)
{
    struct extent_text *text = thin->text;
    uint64_t disk = text->options->disk_bytes;
    uint64_t offset, length, end;

    if (thin->block_bytes == 0 || thin->devices == 0 ||
        __builtin_mul_overflow(first, thin->block_bytes, &offset) ||
        __builtin_mul_overflow(count, thin->block_bytes, &length) ||
        __builtin_add_overflow(offset, length, &end))
        return extent_text_refuse(
            text, "stands outside of a device, or is too large", err);
    if (offset < disk && end > disk && end - disk < thin->block_bytes)
        length = disk - offset;
    return extent_text_entry(text, offset, length,
                             !thin->is_delta || thin->differs, err);
}

static int take_range(struct thin *thin, const char *begin, bool has_length,
                      struct error *err)
{
    uint64_t first, count = 1;

    if (!take_attribute(thin->text, begin, &first) ||
        (has_length && !take_attribute(thin->text, "length", &count)))
        return extent_text_refuse(thin->text, "lacks its begin or length", err);
    return take_blocks(thin, first, count, err);
}

/* A part of a delta: the range itself or, if verbose, around its ranges. */
static int take_part(struct thin *thin, bool differs, struct error *err)
{
    uint64_t first;

    thin->differs = differs;
    if (!take_attribute(thin->text, "begin", &first))
        return 0;
    return take_range(thin, "begin", true, err);
}

static int take_element(struct thin *thin, struct error *err)
{
    const struct extent_text *text = thin->text;

    if (is_element(text, "superblock"))
        return take_root(thin, err);
    if (is_element(text, "device") || is_element(text, "diff"))
        return take_device(thin, is_element(text, "diff"), err);
    if (is_element(text, "single_mapping"))
        return take_range(thin, "origin_block", false, err);
    if (is_element(text, "range_mapping"))
        return take_range(thin, "origin_begin", true, err);
    if (is_element(text, "same"))
        return take_part(thin, false, err);
    if (is_element(text, "different") || is_element(text, "left_only") ||
        is_element(text, "right_only"))
        return take_part(thin, true, err);
    if (is_element(text, "range") && thin->is_delta)
        return take_range(thin, "begin", true, err);
    thin->is_done = is_element(text, "/superblock");
    if (text->item[0] == '/')
        return 0;
    return extent_text_refuse(text,
                              "is an element that thin_dump and thin_delta of "
                              "one device do not write",
                              err);
}

int extent_thin_read(struct extent_text *text, struct error *err)
{
    struct thin thin = { .text = text };

    while (!thin.is_done) {
        if (!extent_text_tag(text))
            return error_set(err, ERROR_USAGE, 0,
                             "%s is cut off after entry %" PRIu64
                             ", or is not the XML of thin_dump or thin_delta",
                             text->options->path, text->options->entries);
        if (take_element(&thin, err) < 0)
            return -1;
    }
    if (thin.devices == 1 && extent_text_peek(text) == EOF)
        return 0;
    return error_set(err, ERROR_USAGE, 0,
                     "%s is not the XML of one thin device",
                     text->options->path);
}
