/*
 * waiting_room.h - accepted connections whose client has not spoken yet.
 *
 * A TLS client speaks first, so a connection costs a descriptor and nothing
 * else until its first TLS record, the ClientHello, has come whole.  A full
 * room closes the oldest connection of the address that has most of them, so
 * that silent clients of one address cannot keep out another.  The address of
 * the running session's peer gives way last.  Not thread-safe.
 */
#ifndef CW_NET_WAITING_ROOM_H
#define CW_NET_WAITING_ROOM_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

#define WAITING_ROOM_SEATS     512U
#define WAITING_ROOM_SHARES    256U
#define WAITING_ROOM_SILENT_NS (2 * CLOCK_SECOND_NS)  /* to the first byte */
#define WAITING_ROOM_SLOW_NS   (10 * CLOCK_SECOND_NS) /* to the whole record */

/* Connections of the favoured address that give way last. */
#define WAITING_ROOM_RESERVED 64U

struct waiting_room {
    struct pollfd *fds; /* borrowed: WAITING_ROOM_SEATS, parallel to clients */
    struct waiting_client {
        uint64_t since_ns;
        bool has_spoken;
        uint64_t address; /* as waiting_room_address() */
    } clients[WAITING_ROOM_SEATS];
    unsigned count;
    uint64_t favoured;                    /* an address, or 0 */
    uint16_t shares[WAITING_ROOM_SHARES]; /* connections of each hash */
};

/*
 * The address of fd's peer without its port, as a number other than 0; of an
 * IPv6 client its /64, which it usually has as a whole.  0: it is not known.
 */
uint64_t waiting_room_address(int fd);

/* fds: for the caller's poll(2), of which the first room->count are in use. */
void waiting_room_open(struct waiting_room *room, struct pollfd *fds);

/* Takes fd (moved); closes another connection if the room is full. */
void waiting_room_add(struct waiting_room *room, int fd);

/* Milliseconds until a connection is overdue, for poll(2); -1: none waits. */
int waiting_room_timeout_ms(const struct waiting_room *room);

/*
 * After poll(2): the next connection whose record has come (or that does not
 * speak TLS), owned by the caller; -1: none.  Closes those that are overdue or
 * that the client has closed.
 */
int waiting_room_take(struct waiting_room *room);

/* Closes all connections. */
void waiting_room_close(struct waiting_room *room);

#endif
