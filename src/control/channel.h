/*
 * channel.h - whole messages over one connection.
 *
 * Used by one thread at a time, on the control connection and for the first
 * message of every connection.  Never takes a byte beyond the message it
 * reads, so that a lane can go on with frames behind JOIN.
 */
#ifndef CW_CONTROL_CHANNEL_H
#define CW_CONTROL_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "net/conn.h"
#include "wire/message.h"

struct chat {
    struct conn *conn; /* owned by whoever made the chat */
    uint64_t heard_ns; /* when the last byte came */
    uint64_t spoke_ns; /* when we last sent a message */
    size_t have;       /* bytes of in that are filled */
    uint8_t in[MESSAGE_BUFFER_BYTES];
};

/* Starts a chat over conn. */
void chat_init(struct chat *chat, struct conn *conn);

int chat_send(struct chat *chat, const struct message *message,
              struct error *err);

/* Sends err as an ERROR message; what goes wrong in that is ignored. */
void chat_send_error(struct chat *chat, const struct error *err);

/*
 * Takes the next message if it is all there.  1: *message (what it borrows
 * is valid until the next call); 0: not yet; -1: connection lost
 * (ERROR_TEMPORARY), refused (ERROR_TLS) or nonsense (ERROR_PROTOCOL).
 */
int chat_next(struct chat *chat, struct message *message, struct error *err);

/*
 * As chat_next(), but waits until deadline_ns or until cancel_fd (-1: none)
 * becomes readable: ERROR_TEMPORARY and ERROR_CANCELLED.
 */
int chat_wait(struct chat *chat, struct message *message, uint64_t deadline_ns,
              int cancel_fd, struct error *err);

/* The error that a peer's ERROR message stands for on our side. */
void chat_peer_error(const struct message_error *message, bool from_source,
                     struct error *err);

#endif
