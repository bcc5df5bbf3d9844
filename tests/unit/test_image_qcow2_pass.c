/* One pass over a QCOW2: what comes in time, what comes too early, and what
 * no sound image has. */
#include <stdlib.h>

#include "helpers/tiny_qcow2.h"
#include "image/image.h"
#include "image/qcow2/chunk_assembly.h"
#include "image/qcow2/pending.h"
#include "image/qcow2/sequential_parser.h"
#include "plan/chunk_grid.h"
#include "unit.h"

#define COMPRESSED (UINT64_C(1) << 62)
#define SECTORS(n) ((uint64_t)(n) << (62 - (TINY_BITS - 8)))
#define AT(n)      ((n)*TINY_CLUSTER)

static struct tiny tiny;

/* ---- the image as a stream ---- */

struct memory {
    struct stream stream; /* first: what the pass holds */
    size_t at, len;
    size_t step; /* most given at once */
};

static int memory_step(struct stream *stream, uint8_t *buf, size_t len,
                       size_t *got, struct error *err)
{
    struct memory *memory = (struct memory *)stream;
    size_t left = memory->len - memory->at;

    (void)err;
    if (len > memory->step)
        len = memory->step;
    if (len > left)
        len = left;
    memcpy(buf, tiny.bytes + memory->at, len);
    memory->at += len;
    stream->has_ended = len == 0;
    *got = len;
    return 0;
}

static const struct stream_ops memory_ops = { .step = memory_step };

static struct memory memory;

static int open_pass(size_t len, size_t step, bool may_miss,
                     struct qcow2_parser **pass, struct error *err)
{
    struct qcow2_header header;

    memory = (struct memory){
        .stream = { .ops = &memory_ops, .size_bytes = STREAM_SIZE_UNKNOWN },
        .len = len,
        .step = step,
    };
    if (qcow2_header_read(&tiny.host, &header, err) < 0)
        return -1;
    return qcow2_parser_open(&memory.stream, &header, may_miss, pass, err);
}

/* The disk is one chunk.  1: it was named; 0: it was missed. */
static int read_disk(size_t len, size_t step, bool may_miss,
                     uint8_t disk[TINY_DISK], struct error *err)
{
    struct qcow2_parser *pass = NULL;
    uint64_t chunk = 7, missed;
    int r = open_pass(len, step, may_miss, &pass, err);

    memset(disk, 0, TINY_DISK);
    if (r == 0)
        r = qcow2_parser_next(pass, &chunk, err);
    if (r == 1) {
        assert_int_equal(chunk, 0);
        if (!qcow2_parser_is_zero(pass) &&
            qcow2_parser_read(pass, disk, err) < 0)
            r = -1;
    }
    if (r == 1) {
        r = qcow2_parser_next(pass, &chunk, err);
        r = r == 0 ? 1 : -1;
    }
    if (r >= 0 && qcow2_parser_drain(pass, err) < 0)
        r = -1;
    if (r >= 0) {
        missed = chunk_bitmap_count(qcow2_parser_missed(pass));
        assert_int_equal(missed, r == 0);
        assert_int_equal(memory.at, memory.len);
    }
    qcow2_parser_close(pass);
    return r;
}

/* A deflate stream of one stored block: last, length, its complement. */
static const uint8_t stored[] = { 1, 0x00, 0x40, 0xff, 0xbf };

/* Clusters 4, none, zero, 3 packed behind the rest, 5. */
static void make_mixed(uint8_t want[TINY_DISK])
{
    const size_t packed_at = AT(6) + 5;

    tiny_init(&tiny);
    for (size_t i = AT(3); i < TINY_BYTES; i++)
        tiny.bytes[i] = (uint8_t)(i * 7 + i / 509);
    tiny_l2(&tiny, 0, AT(4));
    tiny_l2(&tiny, 2, 1);
    tiny_l2(&tiny, 3, COMPRESSED | SECTORS(TINY_CLUSTER / 512) | packed_at);
    tiny_l2(&tiny, 4, AT(5));
    memcpy(tiny.bytes + packed_at, stored, sizeof(stored));

    memset(want, 0, TINY_DISK);
    memcpy(want, tiny.bytes + AT(4), TINY_CLUSTER);
    memcpy(want + AT(3), tiny.bytes + packed_at + sizeof(stored), TINY_CLUSTER);
    memcpy(want + AT(4), tiny.bytes + AT(5), TINY_CLUSTER - 512);
}

static void test_in_steps_of_any_size(void **state)
{
    static const size_t steps[] = { 1, 511, 4096, 70000, TINY_BYTES };
    static uint8_t disk[TINY_DISK], want[TINY_DISK];
    struct error err;

    (void)state;
    make_mixed(want);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        assert_int_equal(read_disk(TINY_BYTES, steps[i], false, disk, &err), 1);
        assert_memory_equal(disk, want, TINY_DISK);
    }
}

/* Nothing that is needed may be missing at the end, to the last byte. */
static void test_cut_anywhere(void **state)
{
    static uint8_t disk[TINY_DISK], want[TINY_DISK];
    const size_t needed = AT(6) + 5 + 5 + TINY_CLUSTER;
    struct error err;

    (void)state;
    make_mixed(want);
    for (size_t len = AT(1); len < TINY_BYTES; len += 509) {
        int r = read_disk(len, 4096, false, disk, &err);

        assert_int_equal(r, len < needed ? -1 : 1);
        if (r < 0)
            assert_int_equal(err.kind, ERROR_FORMAT);
        else
            assert_memory_equal(disk, want, TINY_DISK);
    }
    assert_int_equal(read_disk(needed - 1, 4096, false, disk, &err), -1);
    assert_int_equal(read_disk(needed, 4096, false, disk, &err), 1);
}

static void test_refused(void **state)
{
    static const struct {
        const char *name;
        uint64_t l1, l2, second; /* entries; second: of the next cluster */
        const char *want;
    } cases[] = {
        /* clang-format off */
        { "data twice",        AT(2), AT(4), AT(4),             "used twice" },
        { "data in packed",    AT(2), COMPRESSED | SECTORS(33) | (AT(4) - 600), AT(4), "used twice" },
        { "L1 as L2",          AT(1), 0, 0,                     "one pass does not suffice" },
        { "L2 as data",        AT(2), AT(2), 0,                 "used twice" },
        { "L1 as data",        AT(2), AT(1), 0,                 "one pass does not suffice" },
        { "L1 reserved",       AT(2) | 1, 0, 0,                 "reserved" },
        { "L2 not aligned",    AT(2), AT(3) | 1024, 0,          "not aligned" },
        { "L2 far beyond",     UINT64_C(1) << 55, 0, 0,         "beyond" },
        { "data beyond",       AT(2), AT(8), 0,                 "beyond" },
        { "data far beyond",   AT(2), UINT64_C(1) << 55, 0,     "beyond" },
        { "packed beyond",     AT(2), COMPRESSED | AT(8), 0,    "beyond" },
        { "packed in header",  AT(2), COMPRESSED | 64, 0,       "header" },
        { "packed is garbage", AT(2), COMPRESSED | SECTORS(1) | AT(4), 0, "does not unpack" },
        /* clang-format on */
    };
    static uint8_t disk[TINY_DISK];
    struct error err;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CASE(cases[i].name);
        tiny_init(&tiny);
        memset(tiny.bytes + AT(4), 0xff, TINY_CLUSTER);
        memcpy(tiny.bytes + AT(4) - 600, stored, sizeof(stored));
        tiny_l1(&tiny, 0, cases[i].l1);
        if (cases[i].l2)
            tiny_l2(&tiny, 0, cases[i].l2);
        if (cases[i].second)
            tiny_l2(&tiny, 1, cases[i].second);
        assert_int_equal(read_disk(TINY_BYTES, 4096, false, disk, &err), -1);
        assert_int_equal(err.kind, ERROR_FORMAT);
        if (!strstr(err.text, cases[i].want))
            fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].want);
    }
}

/* L1 behind L2, and data in front of both. */
static void test_too_early(void **state)
{
    static uint8_t disk[TINY_DISK];
    struct error err;

    (void)state;
    tiny_init(&tiny);
    put_be64(tiny.bytes + 40, AT(3)); /* L1 */
    put_be64(tiny.bytes + AT(3), AT(2));
    tiny_l2(&tiny, 0, AT(4));
    assert_int_equal(read_disk(TINY_BYTES, 4096, false, disk, &err), -1);
    assert_non_null(strstr(err.text, "put it into a file"));
    assert_int_equal(read_disk(TINY_BYTES, 4096, true, disk, &err), 0);

    tiny_init(&tiny);
    tiny_l1(&tiny, 0, AT(5));
    put_be64(tiny.bytes + AT(5), AT(4));
    put_be64(tiny.bytes + AT(5) + 8, AT(6));
    assert_int_equal(read_disk(TINY_BYTES, 4096, false, disk, &err), -1);
    assert_int_equal(read_disk(TINY_BYTES, 4096, true, disk, &err), 0);
}

static void test_wants_come_in_order(void **state)
{
    struct qcow2_pending wants = { 0 };
    struct qcow2_want want = { .length = 1 };
    unsigned seed = 1;
    uint64_t last = 0;

    (void)state;
    for (unsigned i = 0; i < 5000; i++) {
        want.host = (uint64_t)rand_r(&seed) % 1000;
        assert_true(qcow2_pending_add(&wants, &want));
        if (i % 3 == 2)
            assert_true(qcow2_pending_take(&wants, &want));
    }
    for (size_t left = wants.count; left > 0; left--) {
        assert_true(qcow2_pending_take(&wants, &want));
        assert_true(want.host >= last);
        last = want.host;
    }
    assert_false(qcow2_pending_take(&wants, &want));
    for (uint32_t i = 0; i < QCOW2_PENDING_MAX; i++)
        assert_true(qcow2_pending_add(&wants, &want));
    assert_false(qcow2_pending_add(&wants, &want));
    qcow2_pending_fini(&wants);
}

static void test_hold_has_a_bound(void **state)
{
    struct chunk_assembly hold = { 0 };
    const uint64_t whole = CHUNK_ASSEMBLY_BYTES / CHUNK_BYTES;
    uint8_t *at;

    (void)state;
    for (uint64_t i = whole; i > 0; i--) {
        at = chunk_assembly_part(&hold, i * 3, 0, CHUNK_BYTES);
        assert_non_null(at);
        at[5] = (uint8_t)i;
    }
    assert_null(chunk_assembly_part(&hold, 1, 512, 512));
    assert_null(chunk_assembly_get(&hold, 1));
    for (uint64_t i = 1; i <= whole; i++)
        assert_int_equal(chunk_assembly_get(&hold, i * 3)[5], i);
    chunk_assembly_drop(&hold, 2); /* never held */
    chunk_assembly_drop(&hold, 6);
    assert_null(chunk_assembly_get(&hold, 6));
    /* Two sectors of one page count as two pages, but never more than all. */
    at = chunk_assembly_part(&hold, 1, 512, 512);
    assert_ptr_equal(chunk_assembly_part(&hold, 1, 4608, 512), at + 4096);
    assert_int_equal(at[0], 0);
    for (size_t i = 0; i < CHUNK_BYTES; i += 512)
        assert_non_null(chunk_assembly_part(&hold, 1, i, 512));
    assert_int_equal(hold.bytes, CHUNK_ASSEMBLY_BYTES);
    chunk_assembly_fini(&hold);
    assert_int_equal(hold.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_steps_of_any_size),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_too_early),
        cmocka_unit_test(test_wants_come_in_order),
        cmocka_unit_test(test_hold_has_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
