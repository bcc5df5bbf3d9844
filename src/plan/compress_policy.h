/*
 * compress_policy.h - should a lane compress what it sends?  Pure.
 *
 * A lane sends data uncompressed until it mostly waits for the network and
 * moves less than half of what zstd could: then compression can win all that
 * it saves.  The policy measures whether it does: compression continues only
 * if a window of time with it moved a quarter more than the previous window
 * without it.  From time to time the lane sends uncompressed again, to notice
 * a link that became faster.
 *
 *        waits for the network, slow            no gain / not the network
 *   AS IT IS ---------------------------> PACKED -----------------> AS IT IS
 *                                                 (for a pause, that doubles)
 *
 * On a fast link it never compresses, and costs a few additions per chunk.
 */
#ifndef CW_PLAN_COMPRESS_POLICY_H
#define CW_PLAN_COMPRESS_POLICY_H

#include <stdbool.h>
#include <stdint.h>

enum compress_mode {
    COMPRESS_AUTO,
    COMPRESS_OFF,
    COMPRESS_ALWAYS,
};

/* State of a lane.  Zeroed, with its wish set; then only
 * compress_policy_note() writes it. */
struct compress_policy {
    enum compress_mode wish;
    bool is_packing; /* AUTO: the current answer */
    bool
        is_settling; /* buffers that compression emptied refill: not measured */

    /* The current window. */
    uint64_t start_ns; /* 0: none */
    uint64_t plain_bytes, sent_bytes;
    uint64_t pack_ns, send_ns, wait_ns;
    bool target_at_disk; /* latest value reported */

    /* Measured values. */
    uint64_t raw_rate;  /* bytes per second, uncompressed */
    uint64_t pack_rate; /* bytes per second of the codec; 0: unknown */
    uint64_t again_ns;  /* no compression before */
    uint64_t look_ns;   /* no measurement without compression before */
    uint64_t pause_ns;  /* the last pause */
};

/* The cost of one chunk. */
struct compress_policy_sent {
    uint64_t now_ns;
    uint64_t plain_bytes; /* data in the chunk */
    uint64_t sent_bytes;  /* bytes sent for it */
    uint64_t pack_ns;     /* spent compressing */
    uint64_t send_ns;     /* total of compressing, encrypting and sending */
    uint64_t wait_ns;     /* part of it, waiting for the network */
    /* That wait is for the target's disk: compression would win nothing and
     * is not tried. */
    bool target_at_disk;
};

/* Should the lane compress the next chunk? */
bool compress_policy_wanted(const struct compress_policy *c);

/* Records the cost of a chunk.  Returns true if the answer changed. */
bool compress_policy_note(struct compress_policy *c,
                          const struct compress_policy_sent *sent);

#endif
