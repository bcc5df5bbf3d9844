/*
 * tcp_state.h - the kernel's state of the data that a socket sends: how much
 * the peer has acknowledged, and whether segments are lost repeatedly.
 */
#ifndef CW_NET_TCP_STATE_H
#define CW_NET_TCP_STATE_H

#include <stdbool.h>
#include <stdint.h>

struct tcp_state {
    uint64_t acked_bytes;   /* acknowledged by the peer's kernel */
    uint64_t unacked_bytes; /* in the send buffer: sent or unsent */
    unsigned segment_bytes; /* the MSS for sending */
    unsigned timeouts; /* consecutive retransmission timeouts without an ACK */
    bool is_in_flight; /* segments are sent but not acknowledged */
};

/* All zero if fd is not a TCP socket.  Any thread. */
void tcp_state_read(int fd, struct tcp_state *state);

/* State between two looks at a connection.  Zeroed: no look yet. */
struct tcp_path {
    uint64_t acked_bytes;
    uint64_t moved_ns; /* when acked_bytes last changed (clock_now_ns) */
};

/*
 * Records state and returns whether the path loses segments of its size while
 * smaller ones pass: a path-MTU black hole.  is_peer_alive: the caller knows
 * by other means that small ones pass.  Pure.
 *
 * A connection that has sent little needs five timeouts (6 s from an RTO of
 * 200 ms, the minimum of Linux); one that has worked before, and so may be on
 * a lossy link, needs eight (51 s).
 */
bool tcp_path_is_black_hole(struct tcp_path *path,
                            const struct tcp_state *state, bool is_peer_alive,
                            uint64_t now_ns);

/* The error text, with cause and both remedies; %u: segment_bytes. */
#define TCP_BLACK_HOLE_TEXT                                                \
    "path-MTU black hole: segments of %u bytes are lost on the way, "      \
    "smaller ones arrive; lower the MTU of the network interface, or set " \
    "net.ipv4.tcp_mtu_probing=1"

/* The segment size to try next: 1024 (the kernel's tcp_base_mss), then 512. */
unsigned tcp_path_next_segment(const struct tcp_state *state);

#endif
