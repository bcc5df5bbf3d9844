/* own_dir.h - a group of tests in a directory of its own, and a shell. */
#ifndef CW_TESTS_OWN_DIR_H
#define CW_TESTS_OWN_DIR_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unit.h"

static inline void sh(const char *command)
{
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

/* Set-up and tear-down of the group. */
static int enter(void **state)
{
    static char where[] = "/var/tmp/clonewire_test.XXXXXX";

    *state = where;
    return mkdtemp(where) && chdir(where) == 0 ? 0 : -1;
}

static int leave(void **state)
{
    char command[256];

    snprintf(command, sizeof(command), "cd / && chmod -R u+rwX %s && rm -rf %s",
             (char *)*state, (char *)*state);
    return system(command);
}

#endif
