/*
 * channel.h - whole messages over one connection.
 *
 * Used by one thread at a time, on the control connection and for the first
 * message of every connection.  Never takes a byte beyond the message it
 * reads, so that a lane can continue with frames after JOIN.
 */
#ifndef CW_CONTROL_CHANNEL_H
#define CW_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/conn.h"
#include "wire/message.h"

struct channel {
    struct conn *conn;   /* owned by the caller */
    uint64_t last_rx_ns; /* when the last byte was received */
    uint64_t last_tx_ns; /* when we last sent a message */
    size_t have;         /* bytes of in that are filled */
    uint8_t in[MESSAGE_BUFFER_BYTES];
};

/* Prepares channel for messages over conn (borrowed). */
void channel_init(struct channel *channel, struct conn *conn);

int channel_send(struct channel *channel, const struct message *message,
                 struct error *err);

/* Sends err as an ERROR message; ignores a failure to send. */
void channel_send_error(struct channel *channel, const struct error *err);

/*
 * Takes the next message if it is complete.  1: *message (borrowed data is
 * valid until the next call); 0: not yet; -1: connection lost
 * (ERROR_TEMPORARY), refused (ERROR_TLS) or bad message (ERROR_PROTOCOL).
 */
int channel_next(struct channel *channel, struct message *message,
                 struct error *err);

/*
 * As channel_next(), but waits until deadline_ns or until cancel_fd (-1: none)
 * becomes readable: ERROR_TEMPORARY and ERROR_CANCELLED.
 */
int channel_wait(struct channel *channel, struct message *message,
                 uint64_t deadline_ns, int cancel_fd, struct error *err);

/* Converts a peer's ERROR message to the local error. */
void channel_peer_error(const struct message_error *message, bool from_source,
                        struct error *err);

#endif
