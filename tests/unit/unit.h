/* unit.h - cmocka with the headers it wants in front, and what tests share. */
#ifndef CW_TESTS_UNIT_H
#define CW_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* Names the table row a failure belongs to. */
#define CASE(name) print_message("    %s\n", (name))

/* Of what is random in a test: the same each time, or what CW_SEED says. */
static inline unsigned unit_seed(void)
{
    const char *text = getenv("CW_SEED");
    unsigned seed = text ? (unsigned)strtoul(text, NULL, 10) : 1;

    print_message("    seed %u\n", seed);
    return seed;
}

#endif
