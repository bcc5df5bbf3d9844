#include "net/waiting_room.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"

/* RFC 8446, 5.1: type, legacy version, length of at most 2^14 bytes. */
#define RECORD_HEAD_BYTES 5U
#define RECORD_HANDSHAKE  22U
#define RECORD_MAX_BYTES  (1U << 14)

void waiting_room_open(struct waiting_room *room, struct pollfd *fds)
{
    *room = (struct waiting_room){ .fds = fds };
}

uint64_t waiting_room_address(int fd)
{
    union {
        struct sockaddr sa;
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } peer = { 0 };
    socklen_t len = sizeof(peer);

    if (getpeername(fd, &peer.sa, &len) < 0)
        return 0;
    if (peer.sa.sa_family == AF_INET)
        return ntohl(peer.in.sin_addr.s_addr);
    if (IN6_IS_ADDR_V4MAPPED(&peer.in6.sin6_addr))
        return get_be32(peer.in6.sin6_addr.s6_addr + 12);
    return get_be64(peer.in6.sin6_addr.s6_addr);
}

static uint8_t share_of(uint64_t address)
{
    uint64_t hash = address * UINT64_C(0x9e3779b97f4a7c15);

    return (uint8_t)(hash >> 56);
}

/* The last connection takes its seat.  The caller owns the descriptor. */
static int leave(struct waiting_room *room, unsigned seat)
{
    int fd = room->fds[seat].fd;

    room->shares[share_of(room->clients[seat].address)]--;
    room->count--;
    room->fds[seat] = room->fds[room->count];
    room->clients[seat] = room->clients[room->count];
    return fd;
}

/* How many connections its address has; of the favoured address, only those
 * beyond its reserve. */
static int crowd_of(const struct waiting_room *room,
                    const struct waiting_client *client)
{
    int crowd = room->shares[share_of(client->address)];

    return room->favoured != 0 && client->address == room->favoured
               ? crowd - (int)WAITING_ROOM_RESERVED
               : crowd;
}

/* The oldest of the address that has most connections. */
static unsigned find_victim(const struct waiting_room *room)
{
    unsigned victim = 0;

    for (unsigned i = 1; i < room->count; i++) {
        const struct waiting_client *a = &room->clients[i];
        const struct waiting_client *b = &room->clients[victim];
        int more = crowd_of(room, a) - crowd_of(room, b);

        if (more > 0 || (more == 0 && a->since_ns < b->since_ns))
            victim = i;
    }
    return victim;
}

void waiting_room_add(struct waiting_room *room, int fd)
{
    struct waiting_client client = { .since_ns = clock_now_ns(),
                                     .address = waiting_room_address(fd) };

    if (room->count == WAITING_ROOM_SEATS)
        close(leave(room, find_victim(room)));
    room->fds[room->count] = (struct pollfd){ .fd = fd,
                                              .events = POLLIN | POLLRDHUP };
    room->clients[room->count++] = client;
    room->shares[share_of(client.address)]++;
}

static uint64_t overdue_ns(const struct waiting_client *client)
{
    return client->since_ns +
           (client->has_spoken ? WAITING_ROOM_SLOW_NS : WAITING_ROOM_SILENT_NS);
}

int waiting_room_timeout_ms(const struct waiting_room *room)
{
    uint64_t first_ns = UINT64_MAX;

    for (unsigned i = 0; i < room->count; i++)
        if (overdue_ns(&room->clients[i]) < first_ns)
            first_ns = overdue_ns(&room->clients[i]);
    return first_ns == UINT64_MAX ? -1 : clock_until_ms(first_ns);
}

/* Has poll(2) wait until len bytes can be read. */
static void await_bytes(int fd, int len)
{
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &len, sizeof(len));
}

/* Returns 1: the record has come, or it is not TLS; 0: wait; -1: the client has
 * left. */
static int inspect(struct waiting_client *client, int fd, bool has_left)
{
    uint8_t in[RECORD_HEAD_BYTES + RECORD_MAX_BYTES];
    ssize_t n = recv(fd, in, sizeof(in), MSG_PEEK | MSG_DONTWAIT);
    size_t want = RECORD_HEAD_BYTES;

    if (n <= 0)
        return -1;
    client->has_spoken = true;
    if (in[0] != RECORD_HANDSHAKE)
        return 1;
    if ((size_t)n >= want)
        want += get_be16(in + 3);
    if ((size_t)n >= want || want > sizeof(in))
        return 1;
    await_bytes(fd, (int)want);
    return has_left ? -1 : 0;
}

int waiting_room_take(struct waiting_room *room)
{
    uint64_t now_ns = clock_now_ns();
    unsigned seat = 0;

    while (seat < room->count) {
        struct pollfd *poll = &room->fds[seat];
        bool has_left = (poll->revents & ~POLLIN) != 0;
        int r = poll->revents
                    ? inspect(&room->clients[seat], poll->fd, has_left)
                    : 0;

        poll->revents = 0;
        if (r == 0 && now_ns >= overdue_ns(&room->clients[seat]))
            r = -1;
        if (r > 0) {
            await_bytes(poll->fd, 1);
            return leave(room, seat);
        }
        if (r < 0)
            close(leave(room, seat));
        else
            seat++;
    }
    return -1;
}

void waiting_room_close(struct waiting_room *room)
{
    while (room->count > 0)
        close(leave(room, 0));
}
