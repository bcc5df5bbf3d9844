/*
 * stream_writer.h - one lane that writes a disk as a feed brings it, from its first
 * byte to its last, whatever its size turns out to be.
 */
#ifndef CW_TRANSFER_STREAM_WRITER_H
#define CW_TRANSFER_STREAM_WRITER_H

#include <stdint.h>

#include "job/job.h"
#include "sink/sink.h"
#include "transfer/disk_stream.h"

/*
 * On the caller's thread, which blocks: feed into sink, prepared for
 * most_bytes (sink_prepare_stream()), as job's digest is, which is cut to the
 * size of the disk.  *disk_bytes: that size, whole sectors, of which the last
 * job->status.padding_bytes are zeros that did not come.
 *
 * ERROR_NO_SPACE: more than most_bytes come; the feed's errors; the sink's;
 * ERROR_CANCELLED: the job stops.
 */
int stream_writer_run(struct cw_job *job, struct sink *sink,
                      struct disk_stream *feed, uint64_t max_bytes,
                      uint64_t *disk_bytes, struct error *err);

#endif
