#include "source/source.h"

#include "base/clock.h"
#include "base/log.h"

/* The peer sends heartbeats, which are small, twice a second. */
#define ALIVE_NS (2 * CLOCK_SECOND_NS)

/* Maximum size of a handshake and HELLO. */
#define BEGUN_BYTES 16384U

/* Converts bytes on the wire to bytes of the disk, by the compression ratio. */
static uint64_t unpacked(const struct progress *p, uint64_t wire_bytes)
{
    uint64_t to = progress_get(&p->compressed_to_bytes);

    return to == 0 ? wire_bytes
                   : (uint64_t)((double)wire_bytes / (double)to *
                                (double)progress_get(&p->compressed_bytes));
}

static void fail_black_hole(struct source *s, const struct tcp_state *state)
{
    struct error err;

    error_set(&err, ERROR_TEMPORARY, 0, TCP_BLACK_HOLE_TEXT,
              state->segment_bytes);
    s->plan.conn.segment_bytes = tcp_path_next_segment(state);
    job_state_fail(&s->job.state, &err);
}

void source_watch_control(struct source *s)
{
    struct tcp_state state;

    conn_get_tcp(s->session.channel.conn, &state);
    if (tcp_path_is_black_hole(&s->control_path, &state,
                               state.acked_bytes < BEGUN_BYTES,
                               clock_now_ns()) &&
        !job_state_stopping(&s->job.state))
        fail_black_hole(s, &state);
}

void source_watch_lanes(struct source *s)
{
    uint64_t now_ns = clock_now_ns(), acked = 0, unacked = 0;
    bool is_alive = now_ns - s->session.channel.last_rx_ns < ALIVE_NS;

    for (unsigned i = 0; i < s->job.resources.lanes; i++) {
        const struct conn *conn = atomic_load(&s->lanes[i].conn);
        struct tcp_state state;

        if (!conn)
            continue;
        conn_get_tcp(conn, &state);
        acked += state.acked_bytes;
        unacked += state.unacked_bytes;
        if (tcp_path_is_black_hole(&s->paths[i], &state, is_alive, now_ns) &&
            !job_state_stopping(&s->job.state))
            fail_black_hole(s, &state);
    }
    s->job.status.wire_bytes = acked;
    s->job.status.unacked_bytes = s->job.status.phase > CW_PHASE_COPYING
                                      ? 0
                                      : unpacked(&s->job.status.progress,
                                                 unacked);
}
