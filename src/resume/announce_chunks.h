/*
 * announce_chunks.h - announces to the source which chunks the target holds:
 * before the lanes start, those of earlier sessions; later, those that a scan
 * finds on the disk.
 */
#ifndef CW_RESUME_ANNOUNCE_CHUNKS_H
#define CW_RESUME_ANNOUNCE_CHUNKS_H

#include "control/session.h"
#include "plan/chunk_bitmap.h"
#include "record/digest.h"
#include "resume/leaf_cache.h"

/* Sends HAVE messages for every chunk in on_disk.  -1: the job failed. */
int announce_chunks_held(struct session *session,
                         const struct chunk_bitmap *on_disk,
                         const struct digest *digest);

/* Sends LEAVES for the chunks in the cache, which came in part.  Returns the
 * number of their leaves that are held, or -1: the job failed. */
int announce_chunks_parts(struct session *session, struct leaf_cache *leaves,
                          size_t digest_bytes);

/* Announces that the target holds nothing of the chunks that are not in set.
 * -1: the job failed. */
int announce_chunks_missing(struct session *session,
                            const struct chunk_bitmap *set);

/*
 * Sends one message with as many of [first, first+count) as it takes, by their
 * digests and, unless they are zero, their cached leaves.  Adds them to
 * announced first, as the source may send them at once.  Returns their number,
 * or -1: the job failed.
 */
int announce_chunks_found(struct session *session, uint64_t first,
                          uint64_t count, const struct digest *digest,
                          struct leaf_cache *leaves,
                          struct chunk_bitmap *announced);

#endif
