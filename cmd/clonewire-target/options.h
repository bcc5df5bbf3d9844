/* options.h - options of clonewire-target. */
#ifndef CW_CLONEWIRE_TARGET_OPTIONS_H
#define CW_CLONEWIRE_TARGET_OPTIONS_H

#include "options/common_options.h"

/* Values of --size that are words; a size in bytes is at least 1. */
#define TARGET_SIZE_SOURCE 0
#define TARGET_SIZE_MAX    UINT64_MAX

struct target_config {
    /* size_bytes is the value of --size, words included: see
     * options_settle(). */
    struct cw_target_options options;
    struct common_options_output output;
    bool yes;                  /* overwrite a device without asking */
    bool doctor;               /* examine the machine instead of cloning */
    bool plan;                 /* query instead of cloning */
    bool digest_only;          /* query instead of cloning */
    const char *check_receipt; /* query instead of cloning */
    enum cw_digest digest;     /* of digest_only */
    bool json;                 /* print the result as JSON */
    uint64_t source_bytes;     /* of plan */
    const char *code_file;     /* where the pairing code goes; "-": stdout */
};

extern const struct option_program target_program; /* for target_config */

/* Converts the words of --size, and a 0, to fields of the library's options. */
void options_settle(struct target_config *config);

#endif
