/*
 * evil_source - a source with a good certificate that breaks the protocol:
 * evil_source SIN HOST:PORT CERT KEY CA.  "none" is an honest clone of a
 * 3 MiB disk of zeros: it shows that the others fail for their sin alone.
 *
 * Prints what the target answered on the control connection.
 */
#include "evil_source.h"

/* Where in a clone the sin is committed; everything before it is right. */
enum moment {
    AT_HELLO, /* in place of HELLO */
    AT_JOIN,  /* in place of the lane's JOIN */
    AT_DATA,  /* in place of the lane's frames */
    AT_FINISH /* in place of FINISH */
};

struct sin {
    const char *name;
    enum moment moment;
    unsigned lanes; /* that HELLO asks for */
    void (*commit)(struct evil *evil);
};

static struct conn *dial(struct evil *evil, enum conn_role role)
{
    struct conn_options options = {
        .role = role,
        .handshake_timeout_ms = 10000,
        .dead_peer_ms = 30000,
    };
    struct conn *conn;
    struct error err = { 0 };

    if (conn_dial(&evil->addr, evil->tls, &options, &conn, &err) < 0)
        evil_die("connect", &err);
    return conn;
}

struct message hello(unsigned lanes)
{
    return (struct message){
        .type = MESSAGE_HELLO,
        .hello = {
            .version = MESSAGE_VERSION,
            .lanes = (uint16_t)lanes,
            .chunk_bytes = CHUNK_BYTES,
            .digest = DIGEST_XXH3_128,
            .virtual_bytes = EVIL_DISK_BYTES,
            .job = "evil",
            .format = "raw",
            .software = "evil",
            .codecs = MESSAGE_CODEC_ZSTD,
            .takes_sums = true,
        },
    };
}

static void join(struct evil *evil, unsigned i, unsigned lane)
{
    struct message message = {
        .type = MESSAGE_JOIN,
        .join = { .lane = (uint16_t)lane },
    };

    memcpy(message.join.secret, evil->secret, MESSAGE_SECRET_BYTES);
    if (!evil->lanes[i])
        evil->lanes[i] = dial(evil, CONN_DATA);
    evil_say(evil->lanes[i], &message);
}

void frame(struct evil *evil, unsigned i, enum frame_type type, uint64_t offset,
           uint64_t length)
{
    static const uint8_t payload[2 * CHUNK_BYTES];
    struct frame frame = { .type = type, .offset = offset, .length = length };
    uint8_t header[FRAME_HEADER_BYTES];
    struct error err = { 0 };

    frame_encode(header, &frame);
    evil_send(evil->lanes[i], header, sizeof header);
    if (type == FRAME_PATCH)
        length = DIGEST_CHECKSUM_BYTES; /* a digest of zeros */
    else if (type != FRAME_DATA || length > sizeof payload)
        return;
    /* The sin is in the header: a peer that has seen it may hang up before the rest. */
    if (conn_send(evil->lanes[i], payload, length, &err) < 0 ||
        conn_flush(evil->lanes[i], &err) < 0)
        printf("not all of a frame was taken: %s\n", err.text);
}

static void whole_disk(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, EVIL_DISK_BYTES);
    frame(evil, 0, FRAME_END, 0, 0);
}

void finish(struct evil *evil)
{
    struct message message = { .type = MESSAGE_FINISH };

    evil_zero_root(EVIL_DISK_BYTES, message.finish.root);
    evil_say(evil->control, &message);
}

/* ---- at HELLO ---- */

static void unknown_message(struct evil *evil)
{
    evil_say_header(evil->control, 200, 0);
}

static void long_message(struct evil *evil)
{
    evil_say_header(evil->control, MESSAGE_HELLO, UINT32_MAX);
}

static void trailing_garbage(struct evil *evil)
{
    struct message message = hello(1);

    evil_say_more(evil->control, &message, 3);
}

static void short_message(struct evil *evil)
{
    evil_say_header(evil->control, MESSAGE_HELLO, 4);
    evil_send(evil->control, "\0\1\0\1", 4);
}

static void wrong_version(struct evil *evil)
{
    struct message message = hello(1);

    message.hello.version = 99;
    evil_say(evil->control, &message);
}

static void wrong_chunk(struct evil *evil)
{
    struct message message = hello(1);

    message.hello.chunk_bytes = 512;
    evil_say(evil->control, &message);
}

static void huge_disk(struct evil *evil)
{
    struct message message = hello(1);

    message.hello.virtual_bytes = UINT64_MAX - 5;
    evil_say(evil->control, &message);
}

/* A size that a file may have, and no volume has. */
static void absurd_disk(struct evil *evil)
{
    struct message message = hello(1);

    message.hello.virtual_bytes = UINT64_C(1) << 60;
    evil_say(evil->control, &message);
}

static void unknown_digest(struct evil *evil)
{
    struct message message = hello(1);

    message.hello.digest = 77;
    evil_say(evil->control, &message);
}

static void finish_first(struct evil *evil)
{
    struct message message = { .type = MESSAGE_FINISH };

    evil_say(evil->control, &message);
}

static void join_first(struct evil *evil)
{
    struct message message = { .type = MESSAGE_JOIN };

    memset(message.join.secret, 0x5a, sizeof(message.join.secret));
    evil_say(evil->control, &message);
}

/* ---- at JOIN ---- */

/* A lane that is turned away, and then the right one. */
static void strange_lane(struct evil *evil, const uint8_t *right)
{
    join(evil, 0, 0);
    printf("lane: ");
    evil_outcome(evil->lanes[0]);
    conn_close(evil->lanes[0]);
    evil->lanes[0] = NULL;

    memcpy(evil->secret, right, sizeof evil->secret);
    join(evil, 0, 0);
    whole_disk(evil);
    finish(evil);
}

/* The clone does not end for it: strangers can send the same. */
static void wrong_secret(struct evil *evil)
{
    uint8_t right[MESSAGE_SECRET_BYTES];

    memcpy(right, evil->secret, sizeof right);
    evil->secret[MESSAGE_SECRET_BYTES - 1] ^= 1;
    strange_lane(evil, right);
}

/* No sin: the connection is lost, and a lane of that session comes after the
 * next has begun. */
static void late_lane(struct evil *evil)
{
    struct message message = hello(1);

    conn_close(evil->control);
    evil->control = dial(evil, CONN_CONTROL);
    evil_say(evil->control, &message);
    evil_hear_until(evil->control, MESSAGE_PLAN, &message);
    evil_hear_until(evil->control, MESSAGE_GO, &(struct message){ 0 });
    strange_lane(evil, message.plan.secret);
}

static void lane_number(struct evil *evil)
{
    join(evil, 0, 63);
}

static void lane_twice(struct evil *evil)
{
    join(evil, 0, 0);
    join(evil, 1, 0);
}

static void hello_twice(struct evil *evil)
{
    struct message message = hello(1);

    evil_say(evil->control, &message);
}

/* ---- at the frames ---- */

static void frame_outside(struct evil *evil)
{
    frame(evil, 0, FRAME_DATA, EVIL_DISK_BYTES, CHUNK_BYTES);
}

static void frame_overflow(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, UINT64_MAX - 4095, CHUNK_BYTES);
}

static void frame_across(struct evil *evil)
{
    frame(evil, 0, FRAME_DATA, CHUNK_BYTES / 2, CHUNK_BYTES);
}

static void frame_empty(struct evil *evil)
{
    frame(evil, 0, FRAME_DATA, 0, 0);
}

static void frame_unknown(struct evil *evil)
{
    frame(evil, 0, (enum frame_type)9, 0, CHUNK_BYTES);
}

static void frame_garbage(struct evil *evil)
{
    evil_send(evil->lanes[0], "this is certainly no frame header", 33);
}

static void frame_damaged(struct evil *evil)
{
    struct frame zero = { FRAME_ZERO, 0, CHUNK_BYTES, 0 };
    uint8_t header[FRAME_HEADER_BYTES];

    frame_encode(header, &zero);
    header[9] ^= 1;
    evil_send(evil->lanes[0], header, sizeof header);
}

static void chunk_twice(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, CHUNK_BYTES);
    frame(evil, 0, FRAME_DATA, 0, CHUNK_BYTES);
}

/* The target has announced nothing that could be the same. */
static void same_not_held(struct evil *evil)
{
    frame(evil, 0, FRAME_SAME, 0, CHUNK_BYTES);
}

static void same_leaf(struct evil *evil)
{
    frame(evil, 0, FRAME_SAME, 0, LEAF_BYTES);
}

static void same_inside(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, 4096);
    frame(evil, 0, FRAME_SAME, 0, CHUNK_BYTES);
}

static void chunk_on_two_lanes(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, CHUNK_BYTES);
    join(evil, 1, 1);
    frame(evil, 1, FRAME_DATA, 0, CHUNK_BYTES);
}

static void chunk_gap(struct evil *evil)
{
    frame(evil, 0, FRAME_DATA, 0, 4096);
    frame(evil, 0, FRAME_DATA, 8192, 4096);
}

static void chunk_half(struct evil *evil)
{
    frame(evil, 0, FRAME_DATA, 0, 4096);
    frame(evil, 0, FRAME_ZERO, CHUNK_BYTES, CHUNK_BYTES);
}

static void after_end(struct evil *evil)
{
    whole_disk(evil);
    frame(evil, 0, FRAME_ZERO, 0, CHUNK_BYTES);
    finish(evil);
}

static void half_frame(struct evil *evil)
{
    struct frame data = { FRAME_DATA, 0, CHUNK_BYTES, 0 };
    uint8_t header[FRAME_HEADER_BYTES];

    frame_encode(header, &data);
    evil_send(evil->lanes[0], header, sizeof header);
    evil_send(evil->lanes[0], header, sizeof header);
    conn_close(evil->lanes[0]);
    evil->lanes[0] = NULL;
}

static void lane_without_end(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, EVIL_DISK_BYTES);
    conn_close(evil->lanes[0]);
    evil->lanes[0] = NULL;
}

/* ---- at the frames, of a chunk that is changed in grains ---- */

static void patch_unagreed(struct evil *evil)
{
    frame(evil, 0, FRAME_PATCH, 0, CHUNK_BYTES);
}

/* The target has an older copy, and has announced its first chunk. */
static void await_told(struct evil *evil)
{
    evil_hear_until(evil->control, MESSAGE_LEAVES, &(struct message){ 0 });
}

static void patch_missing(struct evil *evil)
{
    await_told(evil);
    frame(evil, 0, FRAME_DATA, 0, 4096);
    frame(evil, 0, FRAME_SAME, 4096, CHUNK_BYTES - 4096);
}

static void begin_patch(struct evil *evil)
{
    await_told(evil);
    patch_unagreed(evil); /* it is, now */
}

static void patch_inside(struct evil *evil)
{
    begin_patch(evil);
    patch_unagreed(evil);
}

/* The rest of its chunk, and a chunk more. */
static void patch_across(struct evil *evil)
{
    begin_patch(evil);
    frame(evil, 0, FRAME_ZERO, 0, 2 * CHUNK_BYTES);
}

static void patch_of_nothing(struct evil *evil)
{
    begin_patch(evil);
    frame(evil, 0, FRAME_SAME, 0, CHUNK_BYTES);
}

/* It foretells a digest that no such chunk has.  END: the target looks at a
 * read that has completed when the next frame comes. */
static void patch_lies(struct evil *evil)
{
    begin_patch(evil);
    frame(evil, 0, FRAME_DATA, 0, 4096);
    frame(evil, 0, FRAME_SAME, 4096, CHUNK_BYTES - 4096);
    frame(evil, 0, FRAME_END, 0, 0);
}

/* ---- at FINISH ---- */

static void wrong_root(struct evil *evil)
{
    struct message message = { .type = MESSAGE_FINISH };

    evil_zero_root(EVIL_DISK_BYTES, message.finish.root);
    message.finish.root[0] ^= 1;
    evil_say(evil->control, &message);
}

static void chunk_missing(struct evil *evil)
{
    frame(evil, 0, FRAME_ZERO, 0, 2 * CHUNK_BYTES);
    frame(evil, 0, FRAME_END, 0, 0);
    finish(evil);
}

static const struct sin sins[] = {
    /* clang-format off */
    { "none",               AT_FINISH, 1, finish },
    { "unknown-message",    AT_HELLO,  1, unknown_message },
    { "long-message",       AT_HELLO,  1, long_message },
    { "short-message",      AT_HELLO,  1, short_message },
    { "trailing-garbage",   AT_HELLO,  1, trailing_garbage },
    { "wrong-version",      AT_HELLO,  1, wrong_version },
    { "wrong-chunk",        AT_HELLO,  1, wrong_chunk },
    { "huge-disk",          AT_HELLO,  1, huge_disk },
    { "absurd-disk",        AT_HELLO,  1, absurd_disk },
    { "unknown-digest",     AT_HELLO,  1, unknown_digest },
    { "finish-first",       AT_HELLO,  1, finish_first },
    { "join-first",         AT_HELLO,  1, join_first },
    { "tree",               AT_HELLO,  1, tree_index_evil },
    { "tree-disk",          AT_HELLO,  1, tree_other_disk },
    { "tree-damaged",       AT_HELLO,  1, tree_damaged },
    { "tree-long",          AT_HELLO,  1, tree_long },
    { "tree-gap",           AT_HELLO,  1, tree_gap },
    { "tree-unasked",       AT_HELLO,  1, tree_unasked },
    { "tree-version",       AT_HELLO,  1, tree_version },
    { "wrong-secret",       AT_JOIN,   1, wrong_secret },
    { "late-lane",          AT_JOIN,   1, late_lane },
    { "lane-number",        AT_JOIN,   1, lane_number },
    { "lane-twice",         AT_JOIN,   2, lane_twice },
    { "hello-twice",        AT_JOIN,   1, hello_twice },
    { "frame-outside",      AT_DATA,   1, frame_outside },
    { "frame-overflow",     AT_DATA,   1, frame_overflow },
    { "frame-across",       AT_DATA,   1, frame_across },
    { "frame-empty",        AT_DATA,   1, frame_empty },
    { "frame-unknown",      AT_DATA,   1, frame_unknown },
    { "frame-garbage",      AT_DATA,   1, frame_garbage },
    { "frame-damaged",      AT_DATA,   1, frame_damaged },
    { "chunk-twice",        AT_DATA,   1, chunk_twice },
    { "same-not-held",      AT_DATA,   1, same_not_held },
    { "same-leaf",          AT_DATA,   1, same_leaf },
    { "same-inside",        AT_DATA,   1, same_inside },
    { "chunk-on-two-lanes", AT_DATA,   2, chunk_on_two_lanes },
    { "chunk-gap",          AT_DATA,   1, chunk_gap },
    { "chunk-half",         AT_DATA,   1, chunk_half },
    { "chunk-missing",      AT_DATA,   1, chunk_missing },
    { "after-end",          AT_DATA,   1, after_end },
    { "half-frame",         AT_DATA,   1, half_frame },
    { "lane-without-end",   AT_DATA,   1, lane_without_end },
    { "patch-unagreed",     AT_DATA,   1, patch_unagreed },
    { "patch-missing",      AT_DATA,   1, patch_missing },
    { "patch-inside",       AT_DATA,   1, patch_inside },
    { "patch-across",       AT_DATA,   1, patch_across },
    { "patch-of-nothing",   AT_DATA,   1, patch_of_nothing },
    { "patch-lies",         AT_DATA,   1, patch_lies },
    { "zstd",               AT_DATA,   1, zstd_honest },
    { "zstd-garbage",       AT_DATA,   1, zstd_garbage },
    { "zstd-longer",        AT_DATA,   1, zstd_longer },
    { "zstd-shorter",       AT_DATA,   1, zstd_shorter },
    { "zstd-damaged",       AT_DATA,   1, zstd_damaged },
    { "zstd-two-frames",    AT_DATA,   1, zstd_two_frames },
    { "zstd-no-gain",       AT_DATA,   1, zstd_no_gain },
    { "zstd-across",        AT_DATA,   1, zstd_across },
    { "wrong-root",         AT_FINISH, 1, wrong_root },
    /* clang-format on */
};

static const struct sin *find_sin(const char *name)
{
    for (size_t i = 0; i < sizeof sins / sizeof sins[0]; i++)
        if (strcmp(sins[i].name, name) == 0)
            return &sins[i];
    fprintf(stderr, "evil_source: no such sin: %s\n", name);
    exit(2);
}

/* Does the right thing up to the sin's moment, then the sin. */
static void clone_and_sin(struct evil *evil, const struct sin *sin)
{
    struct message message = hello(sin->lanes);

    if (sin->moment > AT_HELLO) {
        evil_say(evil->control, &message);
        evil_hear_until(evil->control, MESSAGE_PLAN, &message);
        memcpy(evil->secret, message.plan.secret, MESSAGE_SECRET_BYTES);
        evil_hear_until(evil->control, MESSAGE_GO, &message);
    }
    if (sin->moment > AT_JOIN)
        join(evil, 0, 0);
    if (sin->moment > AT_DATA)
        whole_disk(evil);
    sin->commit(evil);
}

int main(int argc, char **argv)
{
    struct evil evil = { 0 };
    struct error err = { 0 };

    if (argc != 6) {
        fprintf(stderr, "evil_source SIN HOST:PORT CERT KEY CA\n");
        return 2;
    }
    if (addr_parse(argv[2], &evil.addr, &err) < 0)
        evil_die("address", &err);
    evil.tls = evil_identity(argv + 3, false);
    evil.control = dial(&evil, CONN_CONTROL);
    clone_and_sin(&evil, find_sin(argv[1]));
    evil_outcome(evil.control);

    conn_close(evil.lanes[0]);
    conn_close(evil.lanes[1]);
    conn_close(evil.control);
    tls_close(evil.tls);
    return 0;
}
