#include "control/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

void channel_init(struct channel *channel, struct conn *conn)
{
    channel->conn = conn;
    channel->have = 0;
    channel->last_rx_ns = channel->last_tx_ns = clock_now_ns();
}

int channel_send(struct channel *channel, const struct message *message,
                 struct error *err)
{
    AUTO_FREE uint8_t *out = malloc(MESSAGE_BUFFER_BYTES);
    size_t len;

    if (!out)
        return error_set(err, ERROR_SYSTEM, ENOMEM, "send %s",
                         message_type_name(message->type));
    len = message_encode(out, message);
    if (conn_send(channel->conn, out, len, err) < 0 ||
        conn_flush(channel->conn, err) < 0)
        return -1;
    channel->last_tx_ns = clock_now_ns();
    return 0;
}

void channel_send_error(struct channel *channel, const struct error *err)
{
    struct message message = { .type = MESSAGE_ERROR };
    struct error ignored;

    message.error.kind = (uint32_t)err->kind;
    message.error.errnum = (uint32_t)err->errnum;
    message.error.offset = err->offset;
    snprintf(message.error.text, sizeof(message.error.text), "%s", err->text);
    message.error.has_space = err->space.need_bytes != 0;
    message.error.space[0] = err->space.need_bytes;
    message.error.space[1] = err->space.have_bytes;
    message.error.space[2] = err->space.usable_bytes;
    message.error.space[3] = err->space.shortfall_bytes;
    message.error.space[4] = err->space.volume_bytes;
    channel_send(channel, &message, &ignored);
}

/* Fills channel->in up to want bytes.  1: complete; 0: not yet; -1: lost. */
static int fill(struct channel *channel, size_t want, struct error *err)
{
    while (channel->have < want) {
        int n = conn_recv_some(channel->conn, channel->in + channel->have,
                               want - channel->have, err);

        if (n <= 0)
            return n;
        channel->have += (size_t)n;
        channel->last_rx_ns = clock_now_ns();
    }
    return 1;
}

static int bad_message(struct error *err, enum message_result result)
{
    return error_set(err, ERROR_PROTOCOL, 0, "bad message: %s",
                     message_result_text(result));
}

int channel_next(struct channel *channel, struct message *message,
                 struct error *err)
{
    enum message_type type;
    enum message_result result;
    uint32_t payload_bytes;
    int r = fill(channel, MESSAGE_HEADER_BYTES, err);

    if (r <= 0)
        return r;
    result = message_decode_header(channel->in, &type, &payload_bytes);
    if (result != MESSAGE_OK)
        return bad_message(err, result);

    r = fill(channel, MESSAGE_HEADER_BYTES + payload_bytes, err);
    if (r <= 0)
        return r;
    channel->have = 0;
    result = message_decode(type, channel->in + MESSAGE_HEADER_BYTES,
                            payload_bytes, message);
    if (result != MESSAGE_OK) {
        bad_message(err, result);
        return error_wrap(err, "%s", message_type_name(type));
    }
    return 1;
}

int channel_wait(struct channel *channel, struct message *message,
                 uint64_t deadline_ns, int cancel_fd, struct error *err)
{
    for (;;) {
        struct pollfd fds[] = {
            { .fd = conn_fd(channel->conn), .events = POLLIN },
            { .fd = cancel_fd, .events = POLLIN },
        };
        int r = channel_next(channel, message, err);
        uint64_t now_ns = clock_now_ns();

        if (r != 0)
            return r;
        if (now_ns >= deadline_ns)
            return error_set(err, ERROR_TEMPORARY, 0,
                             "no word from the peer in time");
        poll(fds, 2, (int)((deadline_ns - now_ns) / CLOCK_MS_NS) + 1);
        if (fds[1].revents != 0)
            return error_set(err, ERROR_CANCELLED, 0, "stopped");
    }
}

void channel_peer_error(const struct message_error *message, bool from_source,
                        struct error *err)
{
    enum error_kind kind = ERROR_PEER;

    /* ERROR_CANCELLED says nothing about this end: report it as ERROR_PEER. */
    if (error_kind_is_known(message->kind) && message->kind != ERROR_CANCELLED)
        kind = (enum error_kind)message->kind;

    error_set_at(err, kind, 0, message->offset, "%s: %s",
                 from_source ? "source" : "target", message->text);
    err->errnum = (int)message->errnum;
    err->space = (struct error_space){
        .need_bytes = message->space[0],
        .have_bytes = message->space[1],
        .usable_bytes = message->space[2],
        .shortfall_bytes = message->space[3],
        .volume_bytes = message->space[4],
    };
    err->from_peer = true;
}
