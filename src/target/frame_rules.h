/*
 * frame_rules.h - which frames may come, and what of the target's own they
 * replace.  Any lane, for chunks that it brings.
 */
#ifndef CW_TARGET_FRAME_RULES_H
#define CW_TARGET_FRAME_RULES_H

#include <stdint.h>

#include "base/error.h"
#include "target/receive_worker.h"
#include "wire/frame.h"

/* -1 with ERROR_PROTOCOL: the frame, and why it may not come. */
int frame_rules_refuse(const struct frame *f, const char *why,
                       struct error *err);

/* Chunks come once, and not while the disk is still asked for them: count of
 * them begin to, at f->offset.  ERROR_PROTOCOL. */
int frame_rules_arrive(struct target_plan *plan, const struct frame *f,
                       uint64_t count, struct error *err);

/*
 * The same; from here the chunks are this lane's alone, and what the disk has
 * of them is about to be overwritten.  ERROR_REFUSED: the disk is complete;
 * or as checkpointer_strike().
 */
int frame_rules_claim(struct target_plan *plan, const struct frame *f,
                      uint64_t count, struct error *err);

/* Digests of chunks from an earlier session no longer count. */
void frame_rules_forget(struct target_plan *plan, uint64_t first,
                        uint64_t count);

#endif
