/*
 * stream_writer.h - one lane that writes a disk in the order in which a stream
 * delivers it; the size need not be known in advance.
 */
#ifndef CW_TRANSFER_STREAM_WRITER_H
#define CW_TRANSFER_STREAM_WRITER_H

#include <stdint.h>

#include "job/job.h"
#include "sink/sink.h"
#include "transfer/disk_stream.h"

/*
 * Writes stream to sink on the caller's thread, and blocks.  sink
 * (sink_prepare_stream()) and job's digest are prepared for max_bytes; the
 * digest is cut to the size of the disk.  *disk_bytes: that size in whole
 * sectors; the last job->status.padding_bytes of it are added zeros.
 *
 * ERROR_NO_SPACE: stream brings more than max_bytes; errors of stream and sink;
 * ERROR_CANCELLED: the job stops.
 */
int stream_writer_run(struct cw_job *job, struct sink *sink,
                      struct disk_stream *stream, uint64_t max_bytes,
                      uint64_t *disk_bytes, struct error *err);

#endif
