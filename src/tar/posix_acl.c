#include "tar/posix_acl.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/cleanup.h"

/* linux/posix_acl_xattr.h: a version, then entries, all little-endian. */
#define VERSION     2U
#define HEAD_BYTES  4U
#define ENTRY_BYTES 8U
#define MAX_BYTES   65536U /* of one attribute */
#define NO_ID       UINT32_MAX
#define PERMISSIONS 7U /* r 4, w 2, x 1, as libarchive has them */

const char *const posix_acl_names[POSIX_ACL_KINDS] = {
    "system.posix_acl_access", "system.posix_acl_default"
};

static const int types[POSIX_ACL_KINDS] = { ARCHIVE_ENTRY_ACL_TYPE_ACCESS,
                                            ARCHIVE_ENTRY_ACL_TYPE_DEFAULT };

/* In the order that the kernel requires. */
static const struct {
    uint16_t kernel;
    int libarchive;
} tags[] = {
    { 0x01, ARCHIVE_ENTRY_ACL_USER_OBJ },  { 0x02, ARCHIVE_ENTRY_ACL_USER },
    { 0x04, ARCHIVE_ENTRY_ACL_GROUP_OBJ }, { 0x08, ARCHIVE_ENTRY_ACL_GROUP },
    { 0x10, ARCHIVE_ENTRY_ACL_MASK },      { 0x20, ARCHIVE_ENTRY_ACL_OTHER },
};

#define TAGS (sizeof(tags) / sizeof(tags[0]))

static bool is_named(int tag)
{
    return tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
}

/* ---- to an archive ---- */

static int add_entry(struct archive_entry *to, enum posix_acl_kind kind,
                     const uint8_t *at)
{
    for (size_t i = 0; i < TAGS; i++) {
        int tag = tags[i].libarchive;

        if (tags[i].kernel != get_le16(at))
            continue;
        archive_entry_acl_add_entry(
            to, types[kind], get_le16(at + 2) & PERMISSIONS, tag,
            is_named(tag) ? (int)get_le32(at + 4) : -1, NULL);
        return 0;
    }
    return -EINVAL;
}

int posix_acl_add(struct archive_entry *to, enum posix_acl_kind kind,
                  const void *value, size_t len)
{
    const uint8_t *at = value;

    if (len < HEAD_BYTES || (len - HEAD_BYTES) % ENTRY_BYTES != 0 ||
        get_le32(at) != VERSION)
        return -EINVAL;
    for (size_t i = HEAD_BYTES; i < len; i += ENTRY_BYTES) {
        int r = add_entry(to, kind, at + i);

        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- from an archive ---- */

struct entry {
    int type, permset, tag, id;
    const char *name;
};

/* The next entry of the list that archive_entry_acl_reset() started. */
static bool next(struct archive_entry *from, enum posix_acl_kind kind,
                 struct entry *e)
{
    return archive_entry_acl_next(from, types[kind], &e->type, &e->permset,
                                  &e->tag, &e->id, &e->name) == ARCHIVE_OK;
}

static void put_acl_entry(uint8_t *at, uint16_t tag, const struct entry *e)
{
    put_le16(at, tag);
    put_le16(at + 2, (uint16_t)((unsigned)e->permset & PERMISSIONS));
    put_le32(at + 4, is_named(e->tag) ? (uint32_t)e->id : NO_ID);
}

static int fill(struct archive_entry *from, enum posix_acl_kind kind,
                uint8_t *value, size_t len)
{
    size_t at = HEAD_BYTES;
    struct entry e;

    put_le32(value, VERSION);
    for (size_t i = 0; i < TAGS; i++) {
        archive_entry_acl_reset(from, types[kind]);
        while (next(from, kind, &e)) {
            if (e.tag != tags[i].libarchive)
                continue;
            if (is_named(e.tag) && e.id < 0)
                return -ESRCH;
            if (at == len)
                return -EINVAL;
            put_acl_entry(value + at, tags[i].kernel, &e);
            at += ENTRY_BYTES;
        }
    }
    return at == len ? 0 : -EINVAL;
}

static int take(struct archive_entry *from, enum posix_acl_kind kind,
                struct acls *acls)
{
    size_t count = 0;
    struct entry e;

    archive_entry_acl_reset(from, types[kind]);
    while (next(from, kind, &e))
        count++;
    if (count == 0)
        return 0;
    if (count > (MAX_BYTES - HEAD_BYTES) / ENTRY_BYTES)
        return -EINVAL;
    acls->lens[kind] = HEAD_BYTES + count * ENTRY_BYTES;
    acls->values[kind] = malloc(acls->lens[kind]);
    if (!acls->values[kind])
        return -ENOMEM;
    return fill(from, kind, acls->values[kind], acls->lens[kind]);
}

int posix_acl_take(struct archive_entry *from, struct acls *acls)
{
    bool is_lost = false;

    *acls = (struct acls){ 0 };
    for (int kind = 0; kind < POSIX_ACL_KINDS; kind++) {
        int r = take(from, (enum posix_acl_kind)kind, acls);

        if (r < 0 && r != -ESRCH)
            return r;
        if (r == 0)
            continue;
        free(TAKE_PTR(acls->values[kind]));
        is_lost = true;
    }
    return is_lost ? -ESRCH : 0;
}

mode_t posix_acl_mode(struct archive_entry *from)
{
    mode_t mode = archive_entry_mode(from);
    struct entry e;

    archive_entry_acl_reset(from, types[POSIX_ACL_ACCESS]);
    while (next(from, POSIX_ACL_ACCESS, &e))
        if (e.tag == ARCHIVE_ENTRY_ACL_MASK)
            mode &= ~(mode_t)S_IRWXG |
                    (mode_t)((unsigned)e.permset & PERMISSIONS) << 3;
    return mode;
}

void posix_acl_fini(struct acls *acls)
{
    for (int kind = 0; kind < POSIX_ACL_KINDS; kind++)
        free(acls->values[kind]);
    *acls = (struct acls){ 0 };
}
