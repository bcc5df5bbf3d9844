/*
 * The decision to pack, tried on a model of a lane: a disk, a codec, a
 * network with its buffer, and a disk at the other end.  All in whole
 * nanoseconds of its own clock.
 */
#include <stdbool.h>

#include "plan/compress_policy.h"
#include "unit.h"

#define MB        UINT64_C(1000000)
#define CHUNK     (UINT64_C(1) << 20)
#define BUFFER    (8 * CHUNK) /* of both sockets */
#define SECOND_NS UINT64_C(1000000000)

struct world {
    uint64_t net_rate;   /* bytes a second */
    uint64_t codec_rate; /* of plain bytes */
    uint64_t read_rate;  /* of the source's disk */
    uint64_t write_rate; /* of the target's disk, plain */
    unsigned percent;    /* of the plain bytes that packing leaves */
};

struct worker {
    struct compress_policy decision;
    uint64_t now_ns;
    uint64_t queued;  /* bytes in the buffers */
    uint64_t read_ns; /* when the next chunk is read */
    uint64_t moved, packed;
    unsigned changes;
};

static uint64_t ns_of(uint64_t bytes, uint64_t rate)
{
    return (uint64_t)((double)bytes * 1e9 / (double)rate);
}

/* What the other side takes of the bytes in the buffers. */
static uint64_t drain_rate(const struct world *w, bool is_packed)
{
    uint64_t writes = is_packed ? w->write_rate * w->percent / 100
                                : w->write_rate;

    return w->net_rate < writes ? w->net_rate : writes;
}

static void pass(const struct world *w, struct worker *l, uint64_t ns,
                 bool packed)
{
    uint64_t drained = (uint64_t)((double)ns * (double)drain_rate(w, packed) /
                                  1e9);

    l->now_ns += ns;
    l->queued -= drained < l->queued ? drained : l->queued;
}

/* Puts len bytes into the buffers; returns how long it waited. */
static uint64_t send_bytes(const struct world *w, struct worker *l,
                           uint64_t len, bool packed)
{
    uint64_t wait_ns = 0;

    if (l->queued + len > BUFFER)
        wait_ns = ns_of(l->queued + len - BUFFER, drain_rate(w, packed));
    pass(w, l, wait_ns, packed);
    l->queued += len;
    return wait_ns;
}

static void move_chunk(const struct world *w, struct worker *l)
{
    struct compress_policy_sent sent = { .plain_bytes = CHUNK,
                                         .sent_bytes = CHUNK };
    bool packed = compress_policy_wanted(&l->decision);
    uint64_t start_ns;

    if (l->now_ns < l->read_ns)
        pass(w, l, l->read_ns - l->now_ns, packed);
    l->read_ns = l->now_ns + ns_of(CHUNK, w->read_rate);
    start_ns = l->now_ns;
    if (packed) {
        sent.pack_ns = ns_of(CHUNK, w->codec_rate);
        sent.sent_bytes = CHUNK * w->percent / 100;
        pass(w, l, sent.pack_ns, packed);
        l->packed += CHUNK;
    }
    pass(w, l, ns_of(sent.sent_bytes, 3000 * MB), packed); /* TLS */
    sent.wait_ns = send_bytes(w, l, sent.sent_bytes, packed);
    /* A target says so where its disk takes less than comes. */
    sent.target_at_disk = drain_rate(w, packed) < w->net_rate &&
                          l->queued > BUFFER / 2;
    sent.now_ns = l->now_ns;
    sent.send_ns = l->now_ns - start_ns;
    l->moved += CHUNK;
    l->changes += compress_policy_note(&l->decision, &sent);
}

static void run_until(const struct world *w, struct worker *l, uint64_t end_ns)
{
    while (l->now_ns < end_ns)
        move_chunk(w, l);
}

static uint64_t moved_in(const struct world *w, enum compress_mode wish,
                         uint64_t ns)
{
    struct worker lane = { .decision.wish = wish };

    run_until(w, &lane, ns);
    return lane.moved;
}

/* ---- the tests ---- */

static void test_wishes(void **state)
{
    static const struct world slow = { 1 * MB, 300 * MB, 900 * MB, 900 * MB,
                                       40 };
    static const struct world fast = { 2000 * MB, 300 * MB, 900 * MB, 900 * MB,
                                       40 };
    struct worker off = { .decision.wish = COMPRESS_OFF };
    struct worker always = { .decision.wish = COMPRESS_ALWAYS };

    (void)state;
    run_until(&slow, &off, 60 * SECOND_NS);
    assert_int_equal(off.packed, 0);
    run_until(&fast, &always, 10 * SECOND_NS);
    assert_int_equal(always.packed, always.moved);
    assert_int_equal(always.changes + off.changes, 0);
}

static void test_never_where_it_cannot_win(void **state)
{
    static const struct {
        const char *name;
        struct world world;
    } cases[] = {
        { "25 Gbit/s", { 3000 * MB, 400 * MB, 2000 * MB, 2000 * MB, 40 } },
        { "10 Gbit/s", { 1200 * MB, 400 * MB, 2000 * MB, 2000 * MB, 40 } },
        { "2.5 Gbit/s", { 295 * MB, 400 * MB, 2000 * MB, 2000 * MB, 40 } },
        { "a slow disk here", { 1200 * MB, 400 * MB, 20 * MB, 900 * MB, 40 } },
        { "a slower disk than network",
          { 118 * MB, 400 * MB, 50 * MB, 900 * MB, 40 } },
        { "a disk there of 200 MB/s",
          { 1200 * MB, 400 * MB, 900 * MB, 200 * MB, 40 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct worker lane = { .decision.wish = COMPRESS_AUTO };

        CASE(cases[i].name);
        run_until(&cases[i].world, &lane, 120 * SECOND_NS);
        assert_int_equal(lane.packed, 0);
        assert_int_equal(lane.changes, 0);
    }
}

/* In three minutes it gets within a tenth of the better of both. */
static void test_near_the_better_one(void **state)
{
    static const struct {
        const char *name;
        struct world world;
    } cases[] = {
        { "1 Gbit/s", { 118 * MB, 400 * MB, 900 * MB, 900 * MB, 35 } },
        { "200 Mbit/s", { 24 * MB, 400 * MB, 900 * MB, 900 * MB, 35 } },
        { "20 Mbit/s", { 2 * MB + MB / 2, 400 * MB, 900 * MB, 900 * MB, 35 } },
        { "nothing to gain", { 24 * MB, 900 * MB, 900 * MB, 900 * MB, 99 } },
        { "little to gain", { 24 * MB, 400 * MB, 900 * MB, 900 * MB, 90 } },
        { "a slow CPU", { 118 * MB, 60 * MB, 900 * MB, 900 * MB, 40 } },
        { "a slow CPU, slow link",
          { 24 * MB, 60 * MB, 900 * MB, 900 * MB, 40 } },
        { "a slow disk there", { 118 * MB, 400 * MB, 900 * MB, 30 * MB, 40 } },
        { "packed, too much for the disk there",
          { 24 * MB, 400 * MB, 900 * MB, 50 * MB, 35 } },
        { "all of it slow", { 24 * MB, 40 * MB, 60 * MB, 50 * MB, 40 } },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct world *w = &cases[i].world;
        uint64_t end_ns = 180 * SECOND_NS;
        uint64_t plain = moved_in(w, COMPRESS_OFF, end_ns);
        uint64_t packed = moved_in(w, COMPRESS_ALWAYS, end_ns);
        uint64_t best = plain > packed ? plain : packed;

        CASE(cases[i].name);
        assert_in_range(moved_in(w, COMPRESS_AUTO, end_ns), best * 9 / 10,
                        best * 11 / 10);
    }
}

/* A disk there that is the limit: packing saves nobody's time. */
static void test_a_slow_disk_there_costs_little(void **state)
{
    static const struct world world = { 118 * MB, 400 * MB, 900 * MB, 30 * MB,
                                        40 };
    struct worker lane = { .decision.wish = COMPRESS_AUTO };

    (void)state;
    run_until(&world, &lane, 300 * SECOND_NS);
    assert_int_equal(lane.packed, 0);
}

static void test_incompressible_is_tried_seldom(void **state)
{
    static const struct world world = { 24 * MB, 900 * MB, 900 * MB, 900 * MB,
                                        100 };
    struct worker lane = { .decision.wish = COMPRESS_AUTO };

    (void)state;
    run_until(&world, &lane, 300 * SECOND_NS);
    assert_in_range(lane.packed * 100 / lane.moved, 0, 5);
    assert_in_range(lane.changes, 2, 40);
}

/* The link gets faster, and later slow again. */
static void test_follows_the_link(void **state)
{
    struct world world = { 24 * MB, 400 * MB, 900 * MB, 900 * MB, 35 };
    struct worker lane = { .decision.wish = COMPRESS_AUTO };

    (void)state;
    run_until(&world, &lane, 60 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
    world.net_rate = 1200 * MB;
    run_until(&world, &lane, 100 * SECOND_NS);
    assert_false(compress_policy_wanted(&lane.decision));
    world.net_rate = 24 * MB;
    run_until(&world, &lane, 102 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
}

/* A link that stands still for a while is not a link that has changed. */
static void test_survives_an_outage(void **state)
{
    struct world world = { 24 * MB, 400 * MB, 900 * MB, 900 * MB, 35 };
    struct worker lane = { .decision.wish = COMPRESS_AUTO };

    (void)state;
    run_until(&world, &lane, 10 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
    lane.now_ns += 30 * SECOND_NS;
    run_until(&world, &lane, 50 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
}

/* Data that packs, then data that does not, then data that does. */
static void test_follows_the_data(void **state)
{
    struct world world = { 24 * MB, 400 * MB, 900 * MB, 900 * MB, 35 };
    struct worker lane = { .decision.wish = COMPRESS_AUTO };

    (void)state;
    run_until(&world, &lane, 10 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
    world.percent = 100;
    run_until(&world, &lane, 40 * SECOND_NS);
    assert_in_range(lane.changes, 2, 20);
    world.percent = 35;
    run_until(&world, &lane, 80 * SECOND_NS);
    assert_true(compress_policy_wanted(&lane.decision));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wishes),
        cmocka_unit_test(test_never_where_it_cannot_win),
        cmocka_unit_test(test_near_the_better_one),
        cmocka_unit_test(test_a_slow_disk_there_costs_little),
        cmocka_unit_test(test_incompressible_is_tried_seldom),
        cmocka_unit_test(test_follows_the_link),
        cmocka_unit_test(test_survives_an_outage),
        cmocka_unit_test(test_follows_the_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
