/*
 * defaults.h - what zero and NULL mean in the options of the API.
 *
 * The layers below see no zero that stands for something else, and the programs
 * have the same defaults in their tables (unit.api compares them).
 */
#ifndef CW_API_DEFAULTS_H
#define CW_API_DEFAULTS_H

#include <stdint.h>

#include "clonewire/clonewire.h"

/* Each returns a copy of options with the defaults of docs/options.md in place
 * of zero, and zero in place of CW_FS_OVERHEAD_NONE and CW_CROSS_CHECK_OFF. */
struct cw_source_options defaults_source(
    const struct cw_source_options *options);
struct cw_target_options defaults_target(
    const struct cw_target_options *options);
struct cw_volume_options defaults_volume(
    const struct cw_volume_options *options);

/* The same for one number. */
uint32_t defaults_fs_overhead(uint32_t ppm);

#endif
