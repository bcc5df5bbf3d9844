#include "net/tcp_state.h"

/* The kernel's struct tcp_info: netinet/tcp.h has only its first part. */
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/clock.h"

/* No acknowledgement for this long, whatever the timeouts are. */
#define SILENT_NS (5 * CLOCK_SECOND_NS)

enum {
    TIMEOUTS_NEW = 5, /* of a connection that full segments have never passed */
    TIMEOUTS_OLD = 8,
    FEW_SEGMENTS = 4,    /* a handshake and at most the first message */
    SMALL_SEGMENT = 536, /* RFC 9293: passes every IPv4 path */
};

unsigned tcp_path_next_segment(const struct tcp_state *state)
{
    return state->segment_bytes > 1024 ? 1024 : 512;
}

void tcp_state_read(int fd, struct tcp_state *state)
{
    struct tcp_info info = { 0 };
    socklen_t len = sizeof(info);
    int queued = 0;

    *state = (struct tcp_state){ 0 };
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) < 0 ||
        ioctl(fd, SIOCOUTQ, &queued) < 0)
        return;
    state->acked_bytes = info.tcpi_bytes_acked;
    state->unacked_bytes = queued > 0 ? (uint64_t)queued : 0;
    state->segment_bytes = info.tcpi_snd_mss;
    state->timeouts = info.tcpi_retransmits;
    state->is_in_flight = info.tcpi_unacked > 0;
}

bool tcp_path_is_black_hole(struct tcp_path *path,
                            const struct tcp_state *state, bool is_peer_alive,
                            uint64_t now_ns)
{
    uint64_t few_bytes = (uint64_t)FEW_SEGMENTS * state->segment_bytes;

    if (path->moved_ns == 0 || state->acked_bytes != path->acked_bytes) {
        path->acked_bytes = state->acked_bytes;
        path->moved_ns = now_ns;
    }
    return is_peer_alive && state->is_in_flight &&
           state->segment_bytes > SMALL_SEGMENT &&
           now_ns - path->moved_ns >= SILENT_NS &&
           state->timeouts >=
               (state->acked_bytes < few_bytes ? TIMEOUTS_NEW : TIMEOUTS_OLD);
}
