/* target_tree.c - the index of a directory, which comes before its files. */
#include "target/target.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "tar/tree_index.h"

int target_tree_expect(struct target *t, struct error *err)
{
    struct target_session *session = &t->session;

    if (session->hello.tree_bytes == 0)
        return 0;
    session->tree = malloc((size_t)session->hello.tree_bytes);
    return session->tree
               ? 0
               : error_set(err, ERROR_SYSTEM, ENOMEM, "receive an index");
}

bool target_tree_waits(const struct target *t)
{
    return t->session.tree &&
           t->session.tree_bytes < t->session.hello.tree_bytes;
}

/* All of it is here: the job continues only with the directory that it began
 * with. */
static void compare_index(struct target *t)
{
    const struct tree_index *known = sink_tree(t->sink);
    size_t len = (size_t)t->session.tree_bytes;

    if (t->has_disk && !t->is_committed &&
        (!known || known->len != len ||
         memcmp(known->bytes, t->session.tree, len) != 0))
        target_forget_disk(t);
}

int target_tree_hear(struct target *t, const struct message_tree *part)
{
    struct target_session *session = &t->session;
    uint64_t left = session->hello.tree_bytes - session->tree_bytes;
    struct error err;

    if (part->offset != session->tree_bytes || part->len > left) {
        error_set(&err, ERROR_PROTOCOL, 0,
                  "%u bytes of the index at %" PRIu64 ", not at %" PRIu64,
                  part->len, part->offset, session->tree_bytes);
        job_state_fail(&t->job.state, &err);
        return -1;
    }
    memcpy(session->tree + session->tree_bytes, part->bytes, part->len);
    session->tree_bytes += part->len;
    if (!target_tree_waits(t))
        compare_index(t);
    return 0;
}

int target_tree_set(struct target *t, struct error *err)
{
    const struct message_hello *hello = &t->session.hello;
    struct tree_index *index = NULL;

    if (!t->session.tree)
        return sink_set_tree(t->sink, NULL, err);
    if (tree_index_read(TAKE_PTR(t->session.tree), (size_t)hello->tree_bytes,
                        &index, err) < 0)
        return -1;
    if (index->virtual_bytes == hello->virtual_bytes)
        return sink_set_tree(t->sink, index, err);
    error_set(err, ERROR_PROTOCOL, 0,
              "the index is of a disk of %" PRIu64 " bytes, not %" PRIu64,
              index->virtual_bytes, hello->virtual_bytes);
    tree_index_free(index);
    return -1;
}
