/* tree.h - what tests of trees share: own_dir.h, and the unpacking of ./archive
 * into ./dst. */
#ifndef CW_TESTS_TREE_H
#define CW_TESTS_TREE_H

#include <stdio.h>
#include <unistd.h>

#include "io/partial_tree.h"
#include "own_dir.h"
#include "tar/extract.h"
#include "unit.h"

/* A file, in pieces of odd sizes. */
struct feeder {
    FILE *file;
    char piece[7001];
};

static ssize_t feed(void *opaque, const void **data, struct error *err)
{
    struct feeder *feeder = opaque;

    (void)err;
    *data = feeder->piece;
    return (ssize_t)fread(feeder->piece, 1, sizeof(feeder->piece),
                          feeder->file);
}

static bool keep_setid; /* of the next unpack() */

static int unpack(const char *archive, bool preallocate, struct error *err)
{
    struct feeder feeder = { .file = fopen(archive, "r") };
    struct tar_extract_options options = {
        .directory = "dst",
        .input = { .next = feed, .opaque = &feeder },
        .preallocate = preallocate,
        .keep_setid = keep_setid,
    };
    struct tar_extract_report report;
    int r;

    assert_non_null(feeder.file);
    *err = (struct error){ 0 };
    r = tar_extract_tree(&options, &report, err);
    if (r == 0)
        assert_int_equal(fgetc(feeder.file), EOF); /* to the end */
    else
        print_message("        %s\n", err->text);
    fclose(feeder.file);
    assert_int_not_equal(access("dst/" PARTIAL_TREE_NAME, F_OK), 0);
    return r;
}

#endif
