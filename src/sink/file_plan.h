/* file_plan.h - may a file of the disk be made here, and is there room for it?
 * Writes nothing.  Not for other layers; sink_plan_file() is here too. */
#ifndef CW_SINK_FILE_PLAN_H
#define CW_SINK_FILE_PLAN_H

#include <stdint.h>

#include "base/error.h"
#include "plan/sizing.h"
#include "sink/sink.h"
#include "sink/target_path.h"

/* Fills *facts, except for virtual_bytes: the free space of the volume, plus
 * the leftover_bytes that we would free.  ERROR_TARGET_IO. */
int file_plan_facts(const struct sink_options *options, const char *directory,
                    uint64_t leftover_bytes, struct sizing_facts *facts,
                    struct error *err);

/* As sizing_plan(), where an old file of old_bytes (0: none) stays until the
 * new one is whole; the error says so if only both do not fit. */
int file_plan_decide(struct sizing_facts *facts, uint64_t old_bytes,
                     struct sizing_verdict *verdict, struct error *err);

/* ERROR_REFUSED: the file exists.  Returns -1. */
int file_plan_refuse(const struct sink_options *options, struct error *err);

/* May what is at place be replaced or changed?  ERROR_REFUSED. */
int file_plan_check_old(const struct sink_options *options,
                        const struct target_path *place, struct error *err);

/* May the disk be created in directory and get its name?  Checked before the
 * first byte. */
int file_plan_check_name(const struct sink_options *options,
                         const struct target_path *place, const char *directory,
                         struct error *err);

#endif
