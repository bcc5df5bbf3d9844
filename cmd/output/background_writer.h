/*
 * background_writer.h - writes to a descriptor whose reader may stand still.
 *
 * A pipe that nobody reads, or a terminal after Ctrl-S, blocks write(2) for as
 * long as it likes.  So one thread does nothing but write, and printing only
 * fills a buffer of BACKGROUND_WRITER_BYTES.  O_NONBLOCK would not do: it
 * belongs to the open file, which other processes share.
 *
 * Any thread may call; the writer lives as long as the process.
 */
#ifndef CW_OUTPUT_BACKGROUND_WRITER_H
#define CW_OUTPUT_BACKGROUND_WRITER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* What a reader may be behind: as much as a pipe holds by default. */
#define BACKGROUND_WRITER_BYTES 65536U

struct background_writer;

/* fd: borrowed for ever.  NULL: ERROR_SYSTEM. */
struct background_writer *background_writer_start(int fd, struct error *err);

/*
 * Takes n bytes, to be written by one write(2).  False: they are dropped, as
 * the buffer is full.  Waits for room where the reader is only slow: 100 ms,
 * and then not again until it has read on.
 */
bool background_writer_put(struct background_writer *writer, const char *text,
                           size_t n);

/* Bytes that wait to be written, without those of a write under way. */
size_t background_writer_pending(struct background_writer *writer);

/* Waits timeout_ms at most, and not again until the reader has read on.
 * False: not all is written. */
bool background_writer_flush(struct background_writer *writer,
                             unsigned timeout_ms);

#endif
