/*
 * announce_chunks.h - tells the source what the target holds already: what an earlier
 * session brought before the lanes start, what is found on the disk as it is
 * read.
 */
#ifndef CW_RESUME_ANNOUNCE_CHUNKS_H
#define CW_RESUME_ANNOUNCE_CHUNKS_H

#include "control/session.h"
#include "plan/chunk_bitmap.h"
#include "record/digest.h"
#include "resume/leaf_cache.h"

/* Sends HAVE messages for every chunk of held.  0, or -1: the job failed. */
int announce_chunks_tell(struct session *session,
                         const struct chunk_bitmap *on_disk,
                         const struct digest *digest);

/* Sends LEAVES for every chunk that has some: those that came in part.  How
 * many leaves of them are held, or -1: the job failed. */
int announce_chunks_tell_parts(struct session *session,
                               struct leaf_cache *leaves, size_t digest_bytes);

/* Sends that nothing is held of the chunks that are not in set.  0, or -1: the
 * job failed. */
int announce_chunks_missing(struct session *session,
                            const struct chunk_bitmap *set);

/*
 * Sends as many of [first, first+count), by their digests and the leaves that
 * are kept of those that are not all zero, as one message takes; adds them to
 * told first, as the answer may come at once.  How many, or -1: the job
 * failed.
 */
int announce_chunks_tell_found(struct session *session, uint64_t first,
                               uint64_t count, const struct digest *digest,
                               struct leaf_cache *leaves,
                               struct chunk_bitmap *announced);

#endif
