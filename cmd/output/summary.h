/*
 * summary.h - summary of a finished clone, as text or JSON.
 *
 * As text the last line is "digest xxh3-128:...", the same on both sides, so
 * that grep and cmp can prove two disks equal.
 */
#ifndef CW_OUTPUT_SUMMARY_H
#define CW_OUTPUT_SUMMARY_H

#include <stdio.h>

#include "clonewire/clonewire.h"
#include "output/json_writer.h"

void summary_print(const struct cw_summary *s, FILE *out);

/* Adds the summary as members to an open object. */
void summary_add_json(const struct cw_summary *s, struct json *json);

/* Adds all of an error but its text. */
void summary_add_error(struct json *json, const struct cw_error *error);

/* Adds the sizes of a "no-space" error, if error is one. */
void summary_add_space(struct json *json, const struct cw_space *space);

#endif
