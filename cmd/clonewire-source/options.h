/* options.h - options of clonewire-source. */
#ifndef CW_CLONEWIRE_SOURCE_OPTIONS_H
#define CW_CLONEWIRE_SOURCE_OPTIONS_H

#include "options/common_options.h"

struct source_config {
    struct cw_source_options options;
    struct common_options_output output;
    const char *via;                /* command that starts the target, "ssh" */
    bool through_ssh;               /* with via: ssh also carries the clone */
    const char *code;               /* pairing code with its address */
    const char *code_file;          /* file with the code; "-": stdin */
    struct cw_target_options local; /* with --to: the destination */
    bool yes;                       /* overwrite a device without asking */
    bool doctor;                    /* examine the machine instead of cloning */
    bool map;                       /* draw the disk instead of cloning */
    bool digest_only;               /* query instead of cloning */
    const char *check_receipt;      /* query instead of cloning */
    bool inspect;                   /* query instead of cloning */
    bool json;                      /* print the result as JSON */
    uint32_t fs_overhead_ppm;       /* of inspect and local */
};

extern const struct option_program source_program; /* for source_config */

#endif
