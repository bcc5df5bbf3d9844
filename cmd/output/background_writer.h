/*
 * background_writer.h - writes to a descriptor whose reader may stall.
 *
 * A pipe without an active reader, or a terminal after Ctrl-S, blocks write(2)
 * indefinitely.  So a thread does the writing, and callers only fill a buffer
 * of BACKGROUND_WRITER_BYTES.  O_NONBLOCK does not help: it belongs to the open
 * file, which other processes share.
 *
 * Any thread may call; the writer lives as long as the process.
 */
#ifndef CW_OUTPUT_BACKGROUND_WRITER_H
#define CW_OUTPUT_BACKGROUND_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* Maximum backlog of a reader: the default capacity of a pipe. */
#define BACKGROUND_WRITER_BYTES 65536U

struct background_writer;

/* fd is borrowed forever.  Returns NULL with ERROR_SYSTEM. */
struct background_writer *background_writer_start(int fd, struct error *err);

/*
 * Queues n bytes for one write(2).  Returns false if the buffer is full and the
 * bytes are dropped.  Waits 100 ms for a slow reader, and then not again until
 * it continues.
 */
bool background_writer_put(struct background_writer *writer, const char *text,
                           size_t n);

/* Returns the bytes in the queue, without those of a write in progress. */
size_t background_writer_pending(struct background_writer *writer);

/* Waits at most timeout_ms, and not again until the reader continues.  Returns
 * false if some bytes are not written. */
bool background_writer_flush(struct background_writer *writer,
                             unsigned timeout_ms);

#endif
