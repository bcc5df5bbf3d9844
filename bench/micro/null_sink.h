/* null_sink.h - a sink that keeps nothing: what a lane costs without a disk to
 * write to.  Not in the programs, which must not say that a disk is durable
 * when there is none. */
#ifndef CW_BENCH_NULL_SINK_H
#define CW_BENCH_NULL_SINK_H

#include "sink/sink.h"

/* Owned by the caller (sink_close()); NULL: out of memory. */
struct sink *null_sink_open(void);

#endif
