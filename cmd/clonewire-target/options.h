/* options.h - what clonewire-target can be told. */
#ifndef CW_CLONEWIRE_TARGET_OPTIONS_H
#define CW_CLONEWIRE_TARGET_OPTIONS_H

#include "options/common_options.h"

/* Sizes that are words; a size in bytes is at least 1. */
#define TARGET_SIZE_SOURCE 0
#define TARGET_SIZE_MAX    UINT64_MAX

struct target_config {
    /* Its size_bytes is what --size said, words included: see
     * options_settle(). */
    struct cw_target_options options;
    struct common_options_output output;
    bool yes;                  /* overwrite a device without asking */
    bool doctor;               /* examine the machine instead of cloning */
    bool plan;                 /* answer instead of cloning */
    bool digest_only;          /* answer instead of cloning */
    const char *check_receipt; /* answer instead of cloning */
    enum cw_digest digest;     /* for the answer */
    bool json;                 /* the answer */
    uint64_t source_bytes;     /* for the answer */
};

extern const struct option_program target_program; /* for target_config */

/* Turns the words of --size into what the library takes. */
void options_settle(struct target_config *config);

#endif
