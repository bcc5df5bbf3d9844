/*
 * option.h - one table defines all options of a program.
 *
 * Flags, environment variables, defaults, bounds, --help and docs/options.md
 * all come from rows of struct option_row.  A value comes from the first of
 * these that has one:
 *
 *     command line  >  environment  >  default in the row
 *
 * An environment variable that is set but empty is an error, as an empty value
 * on the command line: a name that a template failed to fill in must not turn
 * a check off.
 */
#ifndef CW_OPTIONS_OPTION_H
#define CW_OPTIONS_OPTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define OPTION_MAX_ROWS 96

/* How to parse a row's text, and the type of its field. */
enum option_kind {
    OPTION_ARGUMENT, /* const char *: positional, optional */
    OPTION_STRING,   /* const char * */
    OPTION_BYTES,    /* uint64_t: "10GiB" */
    OPTION_COUNT,    /* unsigned */
    OPTION_PPM,      /* uint32_t: "0.055" */
    OPTION_DURATION, /* uint64_t of nanoseconds: "30s" */
    OPTION_TIME,     /* uint64_t of nanoseconds since 1970: RFC 3339 */
    OPTION_FLAG,     /* bool, or an enum with words: "yes" is the bare one */
    OPTION_CHOICE,   /* an enum or bool: one of the words */
    OPTION_ACTION,   /* enum option_action: ends parsing */
};

/* What the program should do. */
enum option_action {
    OPTION_ACTION_RUN,
    OPTION_ACTION_HELP,
    OPTION_ACTION_HELP_MARKDOWN,
    OPTION_ACTION_HELP_MAN,
    OPTION_ACTION_HELP_BASH,
    OPTION_ACTION_HELP_ZSH,
    OPTION_ACTION_HELP_FISH,
    OPTION_ACTION_VERSION,
    OPTION_ACTION_VERSION_JSON,
};

/* A word that stands for a value; a list ends with a NULL text. */
struct option_word {
    const char *text;
    uint64_t value;
};

/*
 * A list of rows ends with a NULL name.  Storing a value checks the size of the
 * field against its kind, so a row cannot overwrite adjacent fields.
 */
struct option_row {
    const char *name;    /* "fs-overhead"; "DEST" for an argument */
    char letter;         /* 'v' for -v, or 0; flags and actions only */
    const char *env;     /* "CLONEWIRE_FS_OVERHEAD", or NULL: none */
    const char *arg;     /* "BYTES"; NULL: only the words */
    const char *initial; /* default as a user would write it, or NULL */
    enum option_kind kind;
    const struct option_word *words; /* choices; for numbers: extra values */
    size_t field_offset;             /* OPTION_FIELD() fills both */
    size_t field_len;
    uint64_t min, max; /* numbers: bounds, both included */
    const char *help;  /* lower case, no full stop */
};

#define OPTION_FIELD(type, member) \
    offsetof(type, member), sizeof(((type *)0)->member)

/*
 * Rows under one heading.  Adjacent groups with the same title are printed as
 * one.  A list ends with a NULL title.
 */
struct option_group {
    const char *title;
    const struct option_row *rows;
    size_t base_offset; /* of the rows' struct in the config */
};

/*
 * An option that would be ignored is refused.  Both lists are option names,
 * separated by blanks; a rule counts only what the command line has, since an
 * environment is often made for several commands.
 */
struct option_rule {
    const char *name;
    const char *needs;    /* at least one of these; NULL: nothing */
    const char *excludes; /* these have no effect with it; NULL: none */
    const char *advice;   /* "a clone's summary is JSON with ..."; or NULL */
};

struct option_program {
    const char *name;     /* "clonewire-source" */
    const char *summary;  /* one line */
    const char *usage;    /* "[OPTION]... IMAGE HOST:PORT" */
    const char *examples; /* lines, indented by two */
    const char *peer;     /* name of the other side's program */
    const char *story;    /* for the manual: paragraphs, blank lines between */
    const struct option_group *groups;
    const struct option_rule *rules; /* a list ends with a NULL name */
};

/*
 * Reads argv and the environment into config, the zeroed struct that the
 * groups' offsets refer to.  Strings in it are borrowed from argv, the
 * environment and the table.
 *
 * An action ends parsing: other options are then neither required nor set.
 *
 * Fails with ERROR_USAGE and reports the first error, but stores all valid
 * values: printing the error needs the log format.
 */
int option_parse(const struct option_program *program, const char *const *argv,
                 void *config, struct error *err);

/* Returns row index of all groups, or NULL after the last; sets *group (may be
 * NULL) to its group. */
const struct option_row *option_row_at(const struct option_program *program,
                                       unsigned index,
                                       const struct option_group **group);

#endif
