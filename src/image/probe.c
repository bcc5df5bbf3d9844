#include "image/probe.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "image/format.h"

/* ---- checks after a short magic ---- */

/* After "BZh": the level, and the magic of a block or of the end. */
static bool is_bzip2(const uint8_t *head, size_t len)
{
    return len >= 10 && head[3] >= '1' && head[3] <= '9' &&
           (memcmp(head + 4, "1AY&SY", 6) == 0 ||
            memcmp(head + 4, "\x17\x72\x45\x38\x50\x90", 6) == 0);
}

/*
 * The old LZMA format has no magic.  Of its 13 header bytes the first is 0x5d
 * with every common encoder; the dictionary is 2^n or 3 * 2^n bytes; the size
 * is unknown (all ones) or below 256 GiB.  The first byte of the data is 0.
 */
static bool is_lzma(const uint8_t *head, size_t len)
{
    uint32_t dictionary, power;
    uint64_t size;

    if (len < 14 || head[13] != 0)
        return false;
    dictionary = get_le32(head + 1);
    power = dictionary & (~dictionary + 1); /* lowest bit */
    size = get_le64(head + 5);
    return dictionary >= 4096 &&
           (dictionary == power || dictionary == 3 * power) &&
           (size == UINT64_MAX || (size > 0 && size >> 38 == 0));
}

static uint16_t get_16(const uint8_t *p, bool is_big)
{
    unsigned high = is_big ? p[0] : p[1], low = is_big ? p[1] : p[0];

    return (uint16_t)(high << 8 | low);
}

/* The old binary cpio: a known file type, and a name that ends exactly where
 * the header gives. */
static bool is_binary_cpio(const uint8_t *head, size_t len)
{
    bool is_big = head[0] == 0x71;
    unsigned type, name_len;

    if (len < 28)
        return false;
    type = get_16(head + 6, is_big) >> 12;
    name_len = get_16(head + 20, is_big);
    return (type == 4 || type == 8 || type == 10) && name_len >= 2 &&
           name_len <= len - 26 &&
           memchr(head + 26, '\0', name_len) == head + 26 + name_len - 1;
}

#define TAR_CHECKSUM_AT    148U
#define TAR_CHECKSUM_BYTES 8U

/* The number in the checksum field of a tar header, or -1 if there is none. */
static long tar_checksum(const uint8_t *head)
{
    const uint8_t *at = head + TAR_CHECKSUM_AT;
    const uint8_t *end = at + TAR_CHECKSUM_BYTES;
    long sum = -1;

    while (at < end && *at == ' ')
        at++;
    for (; at < end && *at >= '0' && *at <= '7'; at++)
        sum = (sum < 0 ? 0 : sum) * 8 + (*at - '0');
    return at < end && (*at == ' ' || *at == '\0') ? sum : -1;
}

/* A tar from before POSIX has no magic.  Every header has the octal sum of its
 * bytes, with the sum's own field counted as blanks. */
static bool is_tar(const uint8_t *head, size_t len)
{
    long sum = 0, other = 0; /* some programs counted signed bytes */
    long recorded;

    if (len < PROBE_HEAD_BYTES || head[0] == '\0')
        return false;
    recorded = tar_checksum(head);
    for (size_t i = 0; i < PROBE_HEAD_BYTES; i++) {
        bool is_own = i >= TAR_CHECKSUM_AT &&
                      i < TAR_CHECKSUM_AT + TAR_CHECKSUM_BYTES;

        sum += is_own ? ' ' : head[i];
        other += is_own ? ' ' : (int8_t)head[i];
    }
    return recorded >= 0 && (recorded == sum || recorded == other);
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 'a' - 'A') : c;
}

/* Does the text begin with word (in lower case), after any blanks? */
static bool begins_with(const uint8_t *head, size_t len, const char *word)
{
    size_t at = len >= 3 && memcmp(head, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

    while (at < len && memchr(" \t\r\n", head[at], 4))
        at++;
    for (; *word; word++, at++)
        if (at >= len || lower(head[at]) != (uint8_t)*word)
            return false;
    return true;
}

static bool is_html(const uint8_t *head, size_t len)
{
    return begins_with(head, len, "<!doctype html") ||
           begins_with(head, len, "<html");
}

static bool is_xml(const uint8_t *head, size_t len)
{
    return begins_with(head, len, "<?xml ");
}

/* ---- the formats that are refused ---- */

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

struct foreign {
    const char *name;
    struct signature by;
    const char *qemu; /* as in struct probe */
};

/*
 * The first matching row wins.  A real disk matches none: a magic of 4 bytes
 * or more at offset 0 is neither code that a boot sector begins with (a jump,
 * or an instruction that clears a register) nor the magic of a filesystem.
 * Shorter magics and text have a confirm().  Zeros match nothing.
 */
static const struct foreign heads[] = {
    /* clang-format off */
    { "QCOW version 1",    { 0,  8, "QFI\xfb\0\0\0\1", NULL }, "qcow" },

    /* Disk formats of other programs. */
    { "VMDK (COWD)",       { 0,  4, "COWD", NULL }, "vmdk" },
    { "VMDK (SESparse)",   { 0,  8, "\xbe\xba\xfe\xca\0\0\0\0", NULL }, "vmdk" },
    { "VMDK descriptor",   { 0, 21, "# Disk DescriptorFile", NULL }, "vmdk" },
    { "QED",               { 0,  4, "QED\0", NULL }, "qed" },
    { "Parallels",         { 0, 16, "WithoutFreeSpace", NULL }, "parallels" },
    { "Parallels",         { 0, 16, "WithouFreSpacExt", NULL }, "parallels" },
    { "Bochs",             { 0, 22, "Bochs Virtual HD Image", NULL }, "bochs" },
    { "Proxmox VMA",       { 0,  8, "VMA\0\0\0\0\1", NULL }, NULL },
    { "Android sparse",    { 0,  6, "\x3a\xff\x26\xed\1\0", NULL }, NULL },
    { "rbd export",        { 0, 11, "rbd image v", NULL }, NULL },
    { "rbd export-diff",   { 0, 10, "rbd diff v", NULL }, NULL },
    { "E01 (EWF)",         { 0,  8, "EVF\x09\x0d\x0a\xff\0", NULL }, NULL },
    { "Ex01 (EWF)",        { 0,  8, "EVF2\x0d\x0a\x81\0", NULL }, NULL },
    { "L01 (EWF)",         { 0,  8, "LVF\x09\x0d\x0a\xff\0", NULL }, NULL },
    { "AFF",               { 0,  7, "AFF10\r\n", NULL }, NULL },
    { "encrypted DMG",     { 0,  8, "encrcdsa", NULL }, NULL },
    { "WIM",               { 0,  8, "MSWIM\0\0\0", NULL }, NULL },
    { "partclone",         { 0, 15, "partclone-image", NULL }, NULL },
    { "ntfsclone",         { 0, 16, "\0ntfsclone-image", NULL }, NULL },

    /* Compressed. */
    { "bzip2",             { 0,  3, "BZh", is_bzip2 }, NULL },
    { "lz4",               { 0,  4, "\x04\x22\x4d\x18", NULL }, NULL },
    { "lz4 (legacy)",      { 0,  4, "\x02\x21\x4c\x18", NULL }, NULL },
    { "lzma",              { 0,  1, "\x5d", is_lzma }, NULL },
    { "lzip",              { 0,  5, "LZIP\1", NULL }, NULL },
    { "lzip",              { 0,  5, "LZIP\0", NULL }, NULL },
    { "lzop",              { 0,  9, "\x89LZO\0\r\n\x1a\n", NULL }, NULL },
    { "snappy",            { 0, 10, "\xff\6\0\0sNaPpY", NULL }, NULL },

    /* Archives. */
    { "7-Zip",             { 0,  6, "7z\xbc\xaf\x27\x1c", NULL }, NULL },
    { "rar",               { 0,  6, "Rar!\x1a\7", NULL }, NULL },
    { "zip",               { 0,  4, "PK\3\4", NULL }, NULL },
    { "zip (empty)",       { 0,  4, "PK\5\6", NULL }, NULL },
    { "zip (spanned)",     { 0,  8, "PK\7\x8PK\3\4", NULL }, NULL },
    { "zip (spanned)",     { 0,  8, "PK00PK\3\4", NULL }, NULL },
    { "tar (OVA)",       { 257,  5, "ustar", NULL }, NULL },
    { "tar",               { 0,  0, "", is_tar }, NULL },
    { "cpio",              { 0,  6, "070701", NULL }, NULL },
    { "cpio",              { 0,  6, "070702", NULL }, NULL },
    { "cpio",              { 0,  6, "070707", NULL }, NULL },
    { "cpio",              { 0,  2, "\xc7\x71", is_binary_cpio }, NULL },
    { "cpio",              { 0,  2, "\x71\xc7", is_binary_cpio }, NULL },

    /* What a failed download leaves in place of a disk. */
    { "HTML",              { 0,  0, "", is_html }, NULL },
    { "XML",               { 0,  0, "", is_xml }, NULL },
    { "Git LFS pointer",   { 0, 35, "version https://git-lfs.github.com/", NULL }, NULL },
    /* clang-format on */
};

/* In the last 512 bytes. */
static const struct foreign tails[] = {
    /* Version 4, and the length of the footer. */
    { "DMG", { 0, 12, "koly\0\0\0\4\0\0\2\0", NULL }, "dmg" },
};

/* ---- the search ---- */

static bool matches(const struct signature *s, const uint8_t *bytes, size_t len)
{
    return s->magic && len > 0 && (size_t)s->at + s->len <= len &&
           memcmp(bytes + s->at, s->magic, s->len) == 0 &&
           (!s->confirm || s->confirm(bytes, len));
}

static bool find_foreign(const struct foreign *rows, size_t count,
                         const uint8_t *bytes, size_t len, struct probe *found)
{
    for (size_t i = 0; i < count; i++) {
        if (!matches(&rows[i].by, bytes, len))
            continue;
        found->kind = PROBE_FOREIGN;
        found->name = rows[i].name;
        found->qemu = rows[i].qemu;
        return true;
    }
    return false;
}

static bool find_format(bool is_tail, const uint8_t *bytes, size_t len,
                        struct probe *found)
{
    for (const struct format *f = formats; f->name; f++) {
        const struct signature *by = is_tail ? &f->tail : f->heads;
        size_t count = is_tail ? 1 : ROWS(f->heads);

        for (size_t i = 0; i < count; i++) {
            if (!matches(&by[i], bytes, len))
                continue;
            found->kind = PROBE_IMAGE;
            found->name = f->title;
            found->format = f->id;
            return true;
        }
    }
    return false;
}

static bool find_compression(const uint8_t *head, size_t len,
                             struct probe *found)
{
    for (const struct compression *c = compressions; c->name; c++) {
        if (!matches(&c->head, head, len))
            continue;
        found->kind = PROBE_COMPRESSED;
        found->name = c->name;
        found->compression = c->id;
        return true;
    }
    return false;
}

static bool find_head(const uint8_t *head, size_t len, struct probe *found)
{
    return find_compression(head, len, found) ||
           find_foreign(heads, ROWS(heads), head, len, found);
}

/*
 * zstd and lz4 share skippable frames (pzstd begins with one): one of 16
 * magics, a length in 4 bytes, that many bytes.  The frame that follows
 * decides the format, if it is within head.
 */
static bool find_after_skippable(const uint8_t *head, size_t len,
                                 struct probe *found)
{
    const struct probe unknown = { .kind = PROBE_FOREIGN,
                                   .name = "zstd or lz4" };
    uint64_t at = 0;

    while (at < len && len - at >= 8 &&
           (get_le32(head + at) & ~15U) == 0x184d2a50)
        at += 8 + (uint64_t)get_le32(head + at + 4);
    if (at == 0)
        return false;
    if (at >= len || !find_head(head + at, len - (size_t)at, found) ||
        (found->compression != IMAGE_COMPRESSION_ZSTD &&
         strncmp(found->name, "lz4", 3) != 0))
        *found = unknown;
    return true;
}

struct probe probe_content(const uint8_t *head, size_t head_len,
                           const uint8_t *tail, size_t tail_len)
{
    struct probe found = { .kind = PROBE_RAW, .name = "raw" };

    if (find_format(false, head, head_len, &found) ||
        find_head(head, head_len, &found) ||
        find_after_skippable(head, head_len, &found) ||
        tail_len < PROBE_TAIL_BYTES ||
        find_format(true, tail, tail_len, &found))
        return found;
    find_foreign(tails, ROWS(tails), tail, tail_len, &found);
    return found;
}
