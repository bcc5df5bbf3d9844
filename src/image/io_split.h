/*
 * io_split.h - one read in several parts; the caller sees one completion.
 *
 *   io_split_begin(io) -> io_split_add() each part -> io_split_end()
 *                        | io_queue_submit(part)
 *   io_queue_reap() ---> part completes ---> the last one returns io
 *
 * Belongs to one image, and so to one thread.
 */
#ifndef CW_IMAGE_IO_SPLIT_H
#define CW_IMAGE_IO_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "io/io_queue.h"

struct io_split;
struct io_split_whole;

/* queue is borrowed.  NULL: out of memory. */
struct io_split *io_split_open(struct io_queue *queue);

/* No part may be in flight.  Tolerates NULL. */
void io_split_close(struct io_split *split);

/* io is borrowed until it completes.  NULL: io has been posted with -ENOMEM. */
struct io_split_whole *io_split_begin(struct io_split *split, struct io *io);

/* Starts reading len bytes at offset of file into buf.  0 or -errno. */
int io_split_add(struct io_split_whole *whole, struct file *file, uint8_t *buf,
                 size_t len, uint64_t offset);

/* As io_split_add(), from another image that uses the same I/O queue. */
int io_split_add_image(struct io_split_whole *whole, struct image *img,
                       uint8_t *buf, size_t len, uint64_t offset);

/* Ends the list of parts. result: 0, or the -errno of work done without parts.
 * io completes with its last part and reports the first failure. */
void io_split_end(struct io_split_whole *whole, int result);

#endif
