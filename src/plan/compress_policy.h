/*
 * compress_policy.h - is it worth packing what a lane sends?  Pure.
 *
 * A lane sends as it is until it finds that it mostly waits for the network
 * and moves less than half of what zstd could: then packing can win all
 * that it saves.  Whether it does is measured, not believed: it goes on only
 * if a window of time with packing moved a quarter more than the one before
 * it without.  A link that became faster is noticed by looking again, now and
 * then, how fast sending as it is would be.
 *
 *        waits for the network, slow            no gain / not the network
 *   AS IT IS ---------------------------> PACKED -----------------> AS IT IS
 *                                                 (for a pause, that doubles)
 *
 * So on a fast link it never packs, and costs a few additions a chunk.
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

/* Of a lane.  Zeroed, with its wish set; then only compress_policy_note() writes. */
struct compress_policy {
    enum compress_mode wish;
    bool is_packing;  /* AUTO: the present answer */
    bool is_settling; /* buffers that packing left empty fill up: no measure */

    /* The window under way. */
    uint64_t start_ns; /* 0: none */
    uint64_t plain_bytes, sent_bytes;
    uint64_t pack_ns, send_ns, wait_ns;
    bool target_at_disk; /* as it was told last */

    /* What was learned. */
    uint64_t raw_rate;  /* bytes a second when sent as they are */
    uint64_t pack_rate; /* bytes a second that the codec takes; 0: unknown */
    uint64_t again_ns;  /* no packing before */
    uint64_t look_ns;   /* no look at how fast it would go without before */
    uint64_t pause_ns;  /* the last one */
};

/* What a chunk took. */
struct compress_policy_sent {
    uint64_t now_ns;
    uint64_t plain_bytes; /* of its data */
    uint64_t sent_bytes;  /* that they became */
    uint64_t pack_ns;     /* spent packing */
    uint64_t send_ns;     /* packing, encrypting and sending, all of it */
    uint64_t wait_ns;     /* of it, waiting for the network */
    bool target_at_disk;  /* or rather for the disk behind it: then packing is
                           * not tried, as it would win nothing */
};

/* Shall the next chunk be packed? */
bool compress_policy_wanted(const struct compress_policy *c);

/* Takes in what a chunk took.  True when the answer has changed. */
bool compress_policy_note(struct compress_policy *c,
                          const struct compress_policy_sent *sent);

#endif
