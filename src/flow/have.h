/*
 * have.h - what the target holds already, told from its digests to the
 * source's before the lanes start.
 */
#ifndef CW_FLOW_HAVE_H
#define CW_FLOW_HAVE_H

#include "flow/session.h"
#include "plan/chunkset.h"
#include "track/digest.h"

/* Sends HAVE messages for every chunk of held.  0, or -1: the job failed. */
int have_tell(struct session *session, const struct chunkset *held,
              const struct digest *digest);

/*
 * Takes a HAVE into held and digest, both of the same disk.  -1: the job
 * failed, as the message does not fit the disk or tells a chunk twice.
 */
int have_hear(struct session *session, const struct message_have *have,
              struct chunkset *held, struct digest *digest);

#endif
