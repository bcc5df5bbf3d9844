/* options.h - what clonewire-source can be told. */
#ifndef CW_CLONEWIRE_SOURCE_OPTIONS_H
#define CW_CLONEWIRE_SOURCE_OPTIONS_H

#include "options/common_options.h"

struct source_config {
    struct cw_source_options options;
    struct common_options_output output;
    const char *via;                /* command that starts the target, "ssh" */
    bool through_ssh;               /* and carries the clone */
    const char *code;               /* pairing code with its address */
    const char *code_file;          /* a file with that in it; "-": stdin */
    struct cw_target_options local; /* with --to: the copy's other end */
    bool yes;                       /* overwrite a device without asking */
    bool doctor;                    /* examine the machine instead of cloning */
    bool map;                       /* draw the disk instead of cloning */
    bool digest_only;               /* answer instead of cloning */
    const char *check_receipt;      /* answer instead of cloning */
    bool inspect;                   /* answer instead of cloning */
    bool json;                      /* the answer */
    uint32_t fs_overhead_ppm;       /* for the answer */
};

extern const struct option_program source_program; /* for source_config */

#endif
