/*
 * evil_target - a target with a good certificate that breaks the protocol:
 * evil_target SIN CERT KEY CA.  It stores nothing.  "none"
 * behaves well towards a disk of zeros.
 *
 * Prints the address it listens on, then what the source answered.
 */
#include "evil.h"

#include <poll.h>
#include <sys/socket.h>

struct evil {
    struct tls *tls;
    int listening;
    struct conn *control;
    struct conn *lane;
    struct message_hello hello;
    bool keeps_silent; /* holds the connection and says nothing */
};

enum moment {
    AT_PLAN, /* in place of PLAN */
    AT_GO,   /* in place of GO */
    AT_LANE, /* while the lane's frames wait to be read */
    AT_DONE  /* in place of DONE */
};

struct sin {
    const char *name;
    enum moment moment;
    void (*commit)(struct evil *evil);
};

static struct conn *greet(struct evil *evil, enum conn_role role)
{
    struct conn_options options = {
        .role = role,
        .handshake_timeout_ms = 10000,
        .dead_peer_ms = 30000,
    };
    struct conn *conn;
    struct error err = { 0 };
    struct pollfd caller = { .fd = evil->listening, .events = POLLIN };
    int fd;

    poll(&caller, 1, -1);
    fd = accept(evil->listening, NULL, NULL);
    if (conn_accept(fd, evil->tls, &options, &conn, &err) < 0)
        evil_die("accept", &err);
    return conn;
}

static struct message plan(const struct evil *evil)
{
    struct message message = {
        .type = MESSAGE_PLAN,
        .plan = {
            .lanes = 1,
            .disk_bytes = evil->hello.virtual_bytes,
            .secret = "the secret of this session is no",
            .software = "evil",
        },
    };

    return message;
}

static void go(struct evil *evil)
{
    struct message message = { .type = MESSAGE_GO };

    evil_say(evil->control, &message);
}

/* ---- at PLAN ---- */

static void unknown_message(struct evil *evil)
{
    evil_say_header(evil->control, 200, 0);
}

static void long_message(struct evil *evil)
{
    evil_say_header(evil->control, MESSAGE_PLAN, UINT32_MAX);
}

static void trailing_garbage(struct evil *evil)
{
    struct message message = plan(evil);

    evil_say_more(evil->control, &message, 3);
}

static void too_many_lanes(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.lanes = (uint16_t)(evil->hello.lanes + 1);
    evil_say(evil->control, &message);
    go(evil);
}

static void smaller_disk(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.disk_bytes -= 512;
    evil_say(evil->control, &message);
    go(evil);
}

static void codecs_not_offered(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.codecs = MESSAGE_CODEC_ZSTD | 1U << 31;
    evil_say(evil->control, &message);
    go(evil);
}

static void go_first(struct evil *evil)
{
    go(evil);
}

static void silence(struct evil *evil)
{
    evil->keeps_silent = true;
}

static void control_characters(struct evil *evil)
{
    struct message message = {
        .type = MESSAGE_ERROR,
        .error = {
            .kind = ERROR_TARGET_IO,
            .offset = ERROR_NO_OFFSET,
            .text = "disk\nsource: all is well\033[2J",
        },
    };

    evil_say(evil->control, &message);
}

static void unknown_kind(struct evil *evil)
{
    struct message message = {
        .type = MESSAGE_ERROR,
        .error = {
            .kind = 99,
            .offset = ERROR_NO_OFFSET,
            .text = "a reason of the future",
        },
    };

    evil_say(evil->control, &message);
}

/* ---- at GO ---- */

static void have_outside(struct evil *evil)
{
    static const uint8_t digest[16];
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = {
            .first = chunk_grid_count(evil->hello.virtual_bytes),
            .count = 1,
            .digest_bytes = sizeof digest,
            .digests = digest,
        },
    };

    evil_say(evil->control, &message);
    go(evil);
}

static void plan_twice(struct evil *evil)
{
    struct message message = plan(evil);

    evil_say(evil->control, &message);
}

static void drain(struct conn *lane)
{
    static uint8_t payload[CHUNK_BYTES];
    uint8_t header[FRAME_HEADER_BYTES];
    struct frame frame = { .type = FRAME_DATA };
    struct error err = { 0 };

    while (frame.type != FRAME_END) {
        if (conn_recv(lane, header, sizeof header, &err) < 0)
            evil_die("receive a frame", &err);
        if (frame_decode(header, sizeof header, INT64_MAX, &frame) != FRAME_OK)
            evil_die("decode a frame", &err);
        if (frame.type == FRAME_DATA &&
            conn_recv(lane, payload, frame.length, &err) < 0)
            evil_die("receive data", &err);
    }
}

static void wrong_root(struct evil *evil)
{
    struct message message = {
        .type = MESSAGE_DONE,
        .done = { .disk_bytes = evil->hello.virtual_bytes },
    };

    evil_say(evil->control, &message);
}

/* count chunks from first that read as zero. */
static void have_zeros(struct evil *evil, uint64_t first, unsigned count)
{
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = { .first = first, .count = (uint16_t)count },
    };

    evil_say(evil->control, &message);
}

static void have_twice(struct evil *evil)
{
    have_zeros(evil, 0, 2);
    have_zeros(evil, 1, 1);
}

static void have_other_kind(struct evil *evil)
{
    static const uint8_t digest[7] = { 1 };
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = { .count = 1, .digest_bytes = 7, .digests = digest },
    };

    evil_say(evil->control, &message);
}

/* It holds everything, so it says. */
static void claims_all(struct evil *evil)
{
    uint64_t chunks = chunk_grid_count(evil->hello.virtual_bytes);
    uint8_t digests[64 * 16];
    struct message message = {
        .type = MESSAGE_HAVE,
        .have = { .count = (uint16_t)(chunks < 64 ? chunks : 64),
                  .digest_bytes = 16,
                  .digests = digests },
    };

    memset(digests, 0xaa, sizeof digests);
    evil_say(evil->control, &message);
    go(evil);
    evil->lane = greet(evil, CONN_DATA);
    evil_hear_until(evil->lane, MESSAGE_JOIN, &message);
    drain(evil->lane);
    evil_hear_until(evil->control, MESSAGE_FINISH, &message);
    wrong_root(evil);
}

static void leaves(struct evil *evil, uint64_t first)
{
    static uint8_t digests[MESSAGE_LEAVES_MAX * MESSAGE_CHUNK_LEAVES * 16];
    struct message message = {
        .type = MESSAGE_LEAVES,
        .leaves = { .first = first,
                    .count = MESSAGE_LEAVES_MAX,
                    .digest_bytes = 16,
                    .digests = digests },
    };

    memset(digests, 0xaa, sizeof digests);
    evil_say(evil->control, &message);
}

static void leaves_unasked(struct evil *evil)
{
    go(evil);
    leaves(evil, 0);
}

/* Of partial chunks, which may be announced before GO. */
static void parts_twice(struct evil *evil)
{
    leaves(evil, 0);
    leaves(evil, 0);
}

/* More than a source agreed to keep: no lane is let in to use them up. */
static void leaves_ahead(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.surveys = true;
    evil_say(evil->control, &message);
    go(evil);
    for (uint64_t at = 0; at <= MESSAGE_LEAVES_AHEAD; at += MESSAGE_LEAVES_MAX)
        leaves(evil, at);
}

/* LEAVES were to have sums. */
static void leaves_bare(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.surveys = message.plan.has_sums = true;
    evil_say(evil->control, &message);
    go(evil);
    leaves(evil, 0);
}

static void sums_of_nothing(struct evil *evil)
{
    struct message message = plan(evil);

    message.plan.has_sums = true;
    evil_say(evil->control, &message);
}

static void hang_up(struct evil *evil)
{
    conn_close(evil->control);
    evil->control = NULL;
}

/* ---- with a lane open, and at DONE ---- */

static void done(struct evil *evil)
{
    struct message message = {
        .type = MESSAGE_DONE,
        .done = { .disk_bytes = evil->hello.virtual_bytes },
    };

    evil_zero_root(evil->hello.virtual_bytes, message.done.root);
    evil_say(evil->control, &message);
}

static void cut_lane(struct evil *evil)
{
    conn_shutdown(evil->lane);
}

static const struct sin sins[] = {
    /* clang-format off */
    { "none",               AT_DONE, done },
    { "unknown-message",    AT_PLAN, unknown_message },
    { "long-message",       AT_PLAN, long_message },
    { "trailing-garbage",   AT_PLAN, trailing_garbage },
    { "too-many-lanes",     AT_PLAN, too_many_lanes },
    { "smaller-disk",       AT_PLAN, smaller_disk },
    { "codecs-not-offered", AT_PLAN, codecs_not_offered },
    { "go-first",           AT_PLAN, go_first },
    { "silence",            AT_PLAN, silence },
    { "control-characters", AT_PLAN, control_characters },
    { "unknown-kind",       AT_PLAN, unknown_kind },
    { "have-outside",       AT_GO,   have_outside },
    { "have-twice",         AT_GO,   have_twice },
    { "have-other-kind",    AT_GO,   have_other_kind },
    { "claims-all",         AT_GO,   claims_all },
    { "leaves-unasked",     AT_GO,   leaves_unasked },
    { "parts-twice",        AT_GO,   parts_twice },
    { "leaves-ahead",       AT_PLAN, leaves_ahead },
    { "leaves-bare",        AT_PLAN, leaves_bare },
    { "sums-of-nothing",    AT_PLAN, sums_of_nothing },
    { "plan-twice",         AT_GO,   plan_twice },
    { "hang-up",            AT_GO,   hang_up },
    { "done-early",         AT_LANE, done },
    { "cut-lane",           AT_LANE, cut_lane },
    { "wrong-root",         AT_DONE, wrong_root },
    /* clang-format on */
};

static const struct sin *find_sin(const char *name)
{
    for (size_t i = 0; i < sizeof sins / sizeof sins[0]; i++)
        if (strcmp(sins[i].name, name) == 0)
            return &sins[i];
    fprintf(stderr, "evil_target: no such sin: %s\n", name);
    exit(2);
}

static void serve_and_sin(struct evil *evil, const struct sin *sin)
{
    struct message message;

    evil_hear_until(evil->control, MESSAGE_HELLO, &message);
    evil->hello = message.hello;
    if (sin->moment > AT_PLAN) {
        message = plan(evil);
        evil_say(evil->control, &message);
    }
    if (sin->moment > AT_GO) {
        go(evil);
        evil->lane = greet(evil, CONN_DATA);
        evil_hear_until(evil->lane, MESSAGE_JOIN, &message);
    }
    if (sin->moment > AT_LANE) {
        drain(evil->lane);
        evil_hear_until(evil->control, MESSAGE_FINISH, &message);
    }
    sin->commit(evil);
}

static int listen_anywhere(void)
{
    struct addr addr = { .host = "127.0.0.1", .port = "0" };
    struct sockaddr_storage where;
    socklen_t where_len = sizeof where;
    char text[64];
    int fd;
    struct error err = { 0 };

    if (conn_listen(&addr, NULL, &fd, 1, &err) < 0 ||
        getsockname(fd, (struct sockaddr *)&where, &where_len) < 0)
        evil_die("listen", &err);
    printf("listening on %s\n", addr_format((struct sockaddr *)&where,
                                            where_len, text, sizeof text));
    fflush(stdout);
    return fd;
}

int main(int argc, char **argv)
{
    struct evil evil = { 0 };

    if (argc != 5) {
        fprintf(stderr, "usage: evil_target SIN CERT KEY CA\n");
        return 2;
    }
    evil.tls = evil_identity(argv + 2, true);
    evil.listening = listen_anywhere();
    evil.control = greet(&evil, CONN_CONTROL);
    serve_and_sin(&evil, find_sin(argv[1]));
    if (evil.control && !evil.keeps_silent)
        evil_outcome(evil.control);
    if (evil.keeps_silent)
        pause();

    conn_close(evil.lane);
    conn_close(evil.control);
    close(evil.listening);
    tls_close(evil.tls);
    return 0;
}
