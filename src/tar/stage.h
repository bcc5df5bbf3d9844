/*
 * stage.h - a tree whose index comes first and the content of its files later,
 * in any order: from an index to a directory.
 *
 *   tar_stage_open -> tar_stage_take_up or tar_stage_make
 *      -> the content, by tree_files.h on tar_stage_fd()
 *      -> tar_stage_finish
 *
 * Until the end, all lies in a partial tree (partial_tree.h), which a killed
 * process leaves for the next one.  A file that the directory has already, of
 * the same size, is linked there instead of being made: it is copied before it
 * is first written to, so the old one never changes.
 */
#ifndef CW_TAR_STAGE_H
#define CW_TAR_STAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tar/tree_index.h"

struct tar_stage;

/* A larger file whose time or mode differs is not copied but received. */
#define TAR_STAGE_BASIS_BYTES (UINT64_C(256) << 20)

struct tar_stage_options {
    const char *directory;          /* borrowed; must exist */
    const struct tree_index *index; /* borrowed */
    bool keep_setid;                /* as tree_reader_keep_setid() */
};

/* *stage is owned by the caller.  ERROR_TARGET_IO, ERROR_SYSTEM. */
int tar_stage_open(const struct tar_stage_options *options,
                   struct tar_stage **stage, struct error *err);

/* Continues what an earlier run left of the same index.  1; 0: there is
 * none; -1: as tar_stage_make(). */
int tar_stage_take_up(struct tar_stage *stage, struct error *err);

/*
 * Makes all directories, files of their size, and links to files outside.
 * uses_old: files that are there already are linked.  ERROR_REFUSED: names
 * that lead out of the directory, come twice or are reserved, or another
 * process works there; ERROR_NO_SPACE; ERROR_TARGET_IO; ERROR_PROTOCOL.
 */
int tar_stage_make(struct tar_stage *stage, bool uses_old, struct error *err);

/* The directory of the unfinished files; the stage's. */
int tar_stage_fd(const struct tar_stage *stage);

/* What files that were found have allocated. */
uint64_t tar_stage_found_bytes(const struct tar_stage *stage);

/*
 * Call before the file of this number is written to: it is the stage's own
 * afterwards.  Any thread; blocks while a file is copied.  0 or -errno.
 */
int tar_stage_own(struct tar_stage *stage, size_t number);

/* Does the file have only holes in this range? */
bool tar_stage_is_hole(const struct tar_stage *stage, size_t number,
                       uint64_t offset, uint64_t length);

/* Makes all earlier writes durable.  0 or -errno. */
int tar_stage_flush(const struct tar_stage *stage);

/*
 * Sets attributes, makes hard links and moves the tree into place, where it
 * replaces entries of the same names at the top.  All of it is durable then.
 * Errors as of tar_stage_make().
 */
int tar_stage_finish(struct tar_stage *stage, struct error *err);

/* keeps: what is not finished stays for a later run.  Accepts NULL. */
void tar_stage_close(struct tar_stage *stage, bool keeps);

#endif
