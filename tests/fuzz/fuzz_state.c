/*
 * What a process finds on its disk from an earlier one.  Any bytes as a
 * checkpoint, a receipt or a finish record: refused.  A true checkpoint with
 * bytes of it changed: refused, too.
 *
 * Input: a count n, n changes (offset, 2 bytes; what to flip, 1 byte), a
 * bitmap of the chunks held; and all of it as a file.
 */
#include "fuzz.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "plan/chunk_grid.h"
#include "record/checkpoint_file.h"
#include "record/receipt.h"

#define MIB       (UINT64_C(1) << 20)
#define CHUNKS    100U
#define DISK      (CHUNKS * MIB)
#define MAX_BYTES 65536U

struct state {
    struct chunk_bitmap held;
    struct digest *digest;
};

static const struct checkpoint_head bound = {
    .job = "job-1",
    .sink = "file 77",
    .chunk_bytes = (uint32_t)MIB,
    .digest = DIGEST_XXH3_128,
    .virtual_bytes = DISK,
    .disk_bytes = DISK,
};

static void open_state(struct state *s)
{
    struct error err;

    memset(s, 0, sizeof(*s));
    assert(chunk_bitmap_init(&s->held, CHUNKS, &err) == 0);
    assert(digest_open(DIGEST_XXH3_128, DISK, &s->digest, &err) == 0);
}

static void close_state(struct state *s)
{
    chunk_bitmap_fini(&s->held);
    digest_close(s->digest);
}

/* Head and page of a record; returns their length. */
static size_t make_record(uint8_t *out, const uint8_t *bits, size_t len)
{
    struct state s;
    size_t page;

    open_state(&s);
    for (unsigned i = 0; i < CHUNKS && i / 8 < len; i++)
        if (bits[i / 8] >> (i % 8) & 1) {
            uint8_t value[DIGEST_MAX_BYTES] = { 1, bits[i / 8], (uint8_t)i };

            chunk_bitmap_add(&s.held, i, 1);
            digest_set(s.digest, i, value);
        }
    checkpoint_encode_head(out, &bound);
    page = checkpoint_encode_page(out + CHECKPOINT_HEAD_BYTES, out, 0, &s.held,
                                  s.digest);
    close_state(&s);
    return CHECKPOINT_HEAD_BYTES + page;
}

/* Is it taken?  Whatever is, has come whole. */
static bool takes(const uint8_t *record, size_t len)
{
    const uint8_t *page = record + CHECKPOINT_HEAD_BYTES;
    struct checkpoint_head head;
    struct state s;
    bool is_taken;

    open_state(&s);
    len -= CHECKPOINT_HEAD_BYTES;
    is_taken = checkpoint_decode_head(record, &head) &&
               head.virtual_bytes == DISK &&
               checkpoint_page_bytes(page, digest_each(s.digest)) == len &&
               checkpoint_decode_page(page, len, record, 0, &s.held, s.digest);
    close_state(&s);
    return is_taken;
}

static void change_record(const uint8_t *data, size_t len)
{
    static uint8_t record[CHECKPOINT_HEAD_BYTES + CHECKPOINT_PAGE_BYTES];
    static uint8_t was[sizeof(record)];
    size_t changes = data[0], at = 1, size;

    if (len < 1 + 3 * changes)
        return;
    size = make_record(record, data + 1 + 3 * changes, len - 1 - 3 * changes);
    memcpy(was, record, size);
    for (; changes > 0; changes--, at += 3)
        record[get_le16(data + at) % size] ^= data[at + 2];
    assert(takes(record, size) == (memcmp(record, was, size) == 0));
}

/* ---- as a file ---- */

static char directory[] = "/dev/shm/fuzz-state-XXXXXX";
static char path[64];

static void remove_directory(void)
{
    unlink(path);
    rmdir(directory);
}

static void put_file(const uint8_t *data, size_t len)
{
    FILE *file;

    if (path[0] == '\0') {
        assert(mkdtemp(directory));
        snprintf(path, sizeof(path), "%s/record", directory);
        atexit(remove_directory);
    }
    file = fopen(path, "wb");
    assert(file && fwrite(data, 1, len, file) == len);
    fclose(file);
}

static void read_file(void)
{
    struct checkpoint_head head, wanted = bound;
    struct receipt receipt;
    struct state s;
    struct error err;
    bool is_authentic;

    checkpoint_file_look(path, &head);
    open_state(&s);
    checkpoint_file_load(path, &wanted, &s.held, s.digest, NULL, &is_authentic);
    close_state(&s);
    if (receipt_read(path, &receipt, &err) < 0)
        return;
    assert(memchr(receipt.job, '\0', sizeof(receipt.job)));
    assert(memchr(receipt.chunk_file, '\0', sizeof(receipt.chunk_file)));
    assert(!strchr(receipt.chunk_file, '/'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    if (len == 0 || len > MAX_BYTES)
        return 0;
    change_record(data, len);
    put_file(data, len);
    read_file();
    return 0;
}
