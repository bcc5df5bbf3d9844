#include "image/io_split.h"

#include <errno.h>
#include <stdlib.h>

struct part {
    struct io io; /* first: the I/O queue sees this */
    struct io_split_whole *whole;
    struct part *next_free;
    struct part *next_made;
};

struct io_split_whole {
    struct io *io; /* the caller's */
    struct io_split *split;
    unsigned pending; /* parts in flight */
    int result;
    struct io_split_whole *next_free;
    struct io_split_whole *next_made;
};

struct io_split {
    struct io_queue *queue;
    struct part *free_parts;
    struct io_split_whole *free_wholes;
    struct part *parts; /* all allocated, owned */
    struct io_split_whole *wholes;
};

struct io_split *io_split_open(struct io_queue *queue)
{
    struct io_split *split = calloc(1, sizeof(*split));

    if (split)
        split->queue = queue;
    return split;
}

void io_split_close(struct io_split *split)
{
    if (!split)
        return;
    while (split->parts) {
        struct part *part = split->parts;

        split->parts = part->next_made;
        free(part);
    }
    while (split->wholes) {
        struct io_split_whole *whole = split->wholes;

        split->wholes = whole->next_made;
        free(whole);
    }
    free(split);
}

static struct part *take_part(struct io_split *split)
{
    struct part *part = split->free_parts;

    if (part) {
        split->free_parts = part->next_free;
        return part;
    }
    part = calloc(1, sizeof(*part));
    if (part) {
        part->next_made = split->parts;
        split->parts = part;
    }
    return part;
}

static struct io_split_whole *take_whole(struct io_split *split)
{
    struct io_split_whole *whole = split->free_wholes;

    if (whole) {
        split->free_wholes = whole->next_free;
        return whole;
    }
    whole = calloc(1, sizeof(*whole));
    if (whole) {
        whole->split = split;
        whole->next_made = split->wholes;
        split->wholes = whole;
    }
    return whole;
}

static void free_whole(struct io_split_whole *whole)
{
    whole->next_free = whole->split->free_wholes;
    whole->split->free_wholes = whole;
}

/* Called by io_queue_reap(); returns the caller's io after the last part. */
static struct io *part_completed(struct io *io)
{
    struct part *part = (struct part *)io;
    struct io_split_whole *whole = part->whole;
    struct io *asked = whole->io;

    if (io->result < 0 && whole->result == 0)
        whole->result = io->result;
    part->next_free = whole->split->free_parts;
    whole->split->free_parts = part;

    if (--whole->pending > 0)
        return NULL;
    asked->result = whole->result;
    free_whole(whole);
    return asked->complete ? asked->complete(asked) : asked;
}

struct io_split_whole *io_split_begin(struct io_split *split, struct io *io)
{
    struct io_split_whole *whole = take_whole(split);

    if (!whole) {
        io_queue_post(split->queue, io, -ENOMEM);
        return NULL;
    }
    whole->io = io;
    whole->pending = 0;
    whole->result = 0;
    return whole;
}

static struct io *add(struct io_split_whole *whole, uint8_t *buf, size_t len,
                      uint64_t offset)
{
    struct part *part = take_part(whole->split);

    if (!part)
        return NULL;
    part->whole = whole;
    part->io = (struct io){
        .op = IO_READ,
        .buf = buf,
        .len = len,
        .offset = offset,
        .complete = part_completed,
    };
    whole->pending++;
    return &part->io;
}

int io_split_add(struct io_split_whole *whole, struct file *file, uint8_t *buf,
                 size_t len, uint64_t offset)
{
    struct io *io = add(whole, buf, len, offset);

    if (!io)
        return -ENOMEM;
    io->file = file;
    io_queue_submit(whole->split->queue, io);
    return 0;
}

int io_split_add_image(struct io_split_whole *whole, struct image *img,
                       uint8_t *buf, size_t len, uint64_t offset)
{
    struct io *io = add(whole, buf, len, offset);

    if (!io)
        return -ENOMEM;
    image_read(img, io);
    return 0;
}

void io_split_end(struct io_split_whole *whole, int result)
{
    struct io_queue *queue = whole->split->queue;
    struct io *asked = whole->io;

    /* Only io_queue_reap() completes parts. */
    if (result < 0 && whole->result == 0)
        whole->result = result;
    if (whole->pending > 0)
        return;
    result = whole->result;
    free_whole(whole);
    io_queue_post(queue, asked, result);
}
