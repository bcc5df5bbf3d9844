/*
 * tcp_state.h - what the kernel knows of the data that a socket sends: what
 * the peer has acknowledged, and whether segments are lost again and again.
 */
#ifndef CW_NET_TCP_STATE_H
#define CW_NET_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_state {
    uint64_t acked_bytes;   /* acknowledged by the peer's kernel */
    uint64_t unacked_bytes; /* in the send buffer: sent or to be sent */
    unsigned segment_bytes; /* MSS that is sent with */
    unsigned timeouts;      /* retransmission timeouts in a row, no ACK since */
    bool is_in_flight;      /* segments are sent and not acknowledged */
};

/* All zero where fd is not a TCP socket.  Any thread. */
void tcp_state_read(int fd, struct tcp_state *state);

/* From one look at a connection to the next.  Zeroed: not looked at yet. */
struct tcp_path {
    uint64_t acked_bytes;
    uint64_t moved_ns; /* when acked_bytes last changed (clock_now_ns) */
};

/*
 * Notes state and tells whether segments of its size are lost on the path
 * while smaller ones pass: a path-MTU black hole.  The caller knows from
 * elsewhere, is_peer_alive, that small ones pass.  Pure.
 *
 * A connection that has sent little needs five timeouts (6 s from an RTO of
 * 200 ms, the least of Linux), one that has worked before, and so may meet a
 * lossy link, eight (51 s).
 */
bool tcp_path_is_black_hole(struct tcp_path *path,
                            const struct tcp_state *state, bool is_peer_alive,
                            uint64_t now_ns);

/* What to say then; %u: segment_bytes.  The cause and both remedies. */
#define TCP_BLACK_HOLE_TEXT                                                \
    "path-MTU black hole: segments of %u bytes are lost on the way, "      \
    "smaller ones arrive; lower the MTU of the network interface, or set " \
    "net.ipv4.tcp_mtu_probing=1"

/* The size to try next: 1024 (the kernel's tcp_base_mss), then 512. */
unsigned tcp_path_next_segment(const struct tcp_state *state);

#endif
