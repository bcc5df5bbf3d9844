/* Indexes of a directory, and what is wrong with them. */
#include "../evil_source.h"
#include "base/zstd.h"
#include "tar/tree_index.h"

#define INDEX_MAX (1U << 20)

struct evil_index {
    uint8_t bytes[INDEX_MAX];
    size_t len;
    uint64_t disk_bytes; /* that it makes */
};

/* Packs ./index.tar, or bytes that no index has. */
static void read_index(struct evil_index *index)
{
    static uint8_t plain[INDEX_MAX];
    FILE *file = fopen("index.tar", "r");
    size_t len = file ? fread(plain, 1, sizeof plain, file) : 0;
    struct zstd_packer *packer = zstd_packer_open();
    struct tree_index *known;
    struct error err = { 0 };
    uint8_t *copy = malloc(INDEX_MAX);

    if (file)
        fclose(file);
    index->len = zstd_pack(packer, plain, len, index->bytes, INDEX_MAX);
    zstd_packer_close(packer);
    memcpy(copy, index->bytes, index->len);
    index->disk_bytes = EVIL_DISK_BYTES;
    if (tree_index_read(copy, index->len, &known, &err) == 0)
        index->disk_bytes = known->virtual_bytes;
    tree_index_free(known);
}

static void announce(struct evil *evil, uint64_t disk_bytes, uint64_t len,
                     uint16_t version)
{
    struct message message = hello(1);

    message.hello.version = version;
    message.hello.virtual_bytes = disk_bytes;
    message.hello.tree_bytes = len;
    evil_say(evil->control, &message);
}

static void send_part(struct evil *evil, const uint8_t *bytes, uint64_t offset,
                      size_t len)
{
    struct message message = {
        .type = MESSAGE_TREE,
        .tree = { .offset = offset, .len = (uint16_t)len, .bytes = bytes },
    };

    evil_say(evil->control, &message);
}

static struct evil_index index_sent;

void tree_index_evil(struct evil *evil)
{
    read_index(&index_sent);
    announce(evil, index_sent.disk_bytes, index_sent.len, MESSAGE_VERSION_TREE);
    send_part(evil, index_sent.bytes, 0, index_sent.len);
}

void tree_other_disk(struct evil *evil)
{
    read_index(&index_sent);
    announce(evil, index_sent.disk_bytes + 4096, index_sent.len,
             MESSAGE_VERSION_TREE);
    send_part(evil, index_sent.bytes, 0, index_sent.len);
}

void tree_damaged(struct evil *evil)
{
    announce(evil, EVIL_DISK_BYTES, 300, MESSAGE_VERSION_TREE);
    send_part(evil, index_sent.bytes, 0, 300);
}

void tree_long(struct evil *evil)
{
    announce(evil, EVIL_DISK_BYTES, MESSAGE_TREE_BYTES + 1,
             MESSAGE_VERSION_TREE);
}

void tree_gap(struct evil *evil)
{
    announce(evil, EVIL_DISK_BYTES, 300, MESSAGE_VERSION_TREE);
    send_part(evil, index_sent.bytes, 1, 100);
}

/* For a disk, no index is asked for. */
void tree_unasked(struct evil *evil)
{
    announce(evil, EVIL_DISK_BYTES, 0, MESSAGE_VERSION);
    send_part(evil, index_sent.bytes, 0, 100);
}

/* As a source that knows directories would never say it. */
void tree_version(struct evil *evil)
{
    announce(evil, EVIL_DISK_BYTES, 300, MESSAGE_VERSION);
}
