/*
 * io_split.h - one read in several parts: whoever asked sees one completion.
 *
 *   split_begin(io) -> split_add() each part -> split_end()
 *                        | ring_submit(part)
 *   ring_reap() ---> part completes ---> the last one hands out io
 *
 * Belongs to one image, and so to one thread.
 */
#ifndef CW_IMAGE_IO_SPLIT_H
#define CW_IMAGE_IO_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "image/image.h"
#include "io/io_queue.h"

struct split;
struct split_whole;

/* ring is borrowed.  NULL when there is no memory. */
struct split *split_open(struct ring *ring);

/* No part may be in flight.  Tolerates NULL. */
void split_close(struct split *split);

/* io is borrowed until it completes.  NULL: io has been posted with -ENOMEM. */
struct split_whole *split_begin(struct split *split, struct io *io);

/* Starts reading len bytes at offset of file into buf.  0 or -errno. */
int split_add(struct split_whole *whole, struct file *file, uint8_t *buf,
              size_t len, uint64_t offset);

/* As split_add(), from another image that uses the same ring. */
int split_add_image(struct split_whole *whole, struct image *img, uint8_t *buf,
                    size_t len, uint64_t offset);

/*
 * No more parts come.  result: 0, or the -errno of what was done without
 * parts.  io completes when the last part has, with the first failure.
 */
void split_end(struct split_whole *whole, int result);

#endif
