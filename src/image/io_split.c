#include "image/io_split.h"

#include <errno.h>
#include <stdlib.h>

/* A part of a read, or the whole of it. */
struct io_split_whole {
    struct io io;                 /* first: the I/O queue sees that of a part */
    struct io_split_whole *whole; /* of a part */
    struct io *asked;             /* of a whole: the caller's */
    struct io_split *split;
    unsigned pending; /* of a whole: parts in flight */
    int result;       /* of a whole */
    struct io_split_whole *next_free;
    struct io_split_whole *next_made;
};

struct io_split {
    struct io_queue *queue;
    struct io_split_whole *free;
    struct io_split_whole *made; /* all of them, owned */
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
    while (split->made) {
        struct io_split_whole *next = split->made->next_made;

        free(split->made);
        split->made = next;
    }
    free(split);
}

static struct io_split_whole *lease_node(struct io_split *split)
{
    struct io_split_whole *node = split->free;

    if (node) {
        split->free = node->next_free;
        return node;
    }
    node = calloc(1, sizeof(*node));
    if (node) {
        node->split = split;
        node->next_made = split->made;
        split->made = node;
    }
    return node;
}

static void return_node(struct io_split_whole *node)
{
    node->next_free = node->split->free;
    node->split->free = node;
}

/* Called by io_queue_reap(); returns the caller's io after the last part. */
static struct io *part_completed(struct io *io)
{
    struct io_split_whole *part = (struct io_split_whole *)io;
    struct io_split_whole *whole = part->whole;
    struct io *asked = whole->asked;

    if (io->result < 0 && whole->result == 0)
        whole->result = io->result;
    return_node(part);
    if (--whole->pending > 0)
        return NULL;
    asked->result = whole->result;
    return_node(whole);
    return asked->complete ? asked->complete(asked) : asked;
}

struct io_split_whole *io_split_begin(struct io_split *split, struct io *io)
{
    struct io_split_whole *whole = lease_node(split);

    if (!whole) {
        io_queue_post(split->queue, io, -ENOMEM);
        return NULL;
    }
    whole->asked = io;
    whole->pending = 0;
    whole->result = 0;
    return whole;
}

static struct io *add_part(struct io_split_whole *whole, uint8_t *buf,
                           size_t len, uint64_t offset)
{
    struct io_split_whole *part = lease_node(whole->split);

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
    struct io *io = add_part(whole, buf, len, offset);

    if (!io)
        return -ENOMEM;
    io->file = file;
    io_queue_submit(whole->split->queue, io);
    return 0;
}

int io_split_add_image(struct io_split_whole *whole, struct image *img,
                       uint8_t *buf, size_t len, uint64_t offset)
{
    struct io *io = add_part(whole, buf, len, offset);

    if (!io)
        return -ENOMEM;
    image_read(img, io);
    return 0;
}

void io_split_end(struct io_split_whole *whole, int result)
{
    struct io_queue *queue = whole->split->queue;
    struct io *asked = whole->asked;

    /* Only io_queue_reap() completes parts. */
    if (result < 0 && whole->result == 0)
        whole->result = result;
    if (whole->pending > 0)
        return;
    result = whole->result;
    return_node(whole);
    io_queue_post(queue, asked, result);
}
