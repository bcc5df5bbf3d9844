/*
 * progress.h - counters that lanes add to and the main thread reads.
 *
 * Each counter only grows; a snapshot is not one moment but never goes back.
 */
#ifndef CW_RECORD_PROGRESS_H
#define CW_RECORD_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

struct progress {
    _Atomic uint64_t data_bytes;    /* data sent (source), written (target) */
    _Atomic uint64_t zero_bytes;    /* zeros neither sent nor written */
    _Atomic uint64_t zeroed_bytes;  /* zeros the sink had to make */
    _Atomic uint64_t handled_bytes; /* of the mapped data: sent or skipped */
    _Atomic uint64_t wire_bytes;    /* TLS bytes of connections that ended */
    _Atomic uint64_t compressed_bytes;    /* of data_bytes, that was packed */
    _Atomic uint64_t compressed_to_bytes; /* and how many it became */
    _Atomic uint64_t wait_disk_ns;        /* lanes waiting for the disk */
    _Atomic uint64_t wait_net_ns;         /* lanes waiting for the network */
    _Atomic uint64_t paced_ns;       /* of it, to keep below a rate asked for */
    _Atomic uint64_t resumed_bytes;  /* data the target held from before */
    _Atomic uint64_t unread_bytes;   /* of it, what the source did not read */
    _Atomic uint64_t surveyed_bytes; /* target: looked at, what it holds */
    /* Held by the target as a record says, and not read again. */
    _Atomic uint64_t unverified_bytes;
    _Atomic uint64_t
        is_mixed;          /* 1: the image changed while it was read, so that
                                * the copy is not of one moment */
    _Atomic uint64_t pass; /* the current one of --follow; 0: none */
    _Atomic uint64_t cutover_ns; /* expected time of the last one; 0: unknown */

    _Atomic uint64_t retries;         /* source: failed connection attempts */
    _Atomic uint64_t reconnects;      /* new connections after a loss */
    _Atomic uint64_t sessions;        /* target: sources served */
    _Atomic uint64_t failed_sessions; /* target: of them, ended early */
    _Atomic uint64_t verified_bytes;  /* read back from the finished disk */
    _Atomic uint64_t verify_failures; /* digests differed at the end */
};

static inline void progress_add(_Atomic uint64_t *counter, uint64_t amount)
{
    atomic_fetch_add_explicit(counter, amount, memory_order_relaxed);
}

static inline uint64_t progress_get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

#endif
