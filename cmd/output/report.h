/*
 * report.h - what --inspect, --plan and --doctor print, for people and for programs.
 */
#ifndef CW_OUTPUT_REPORT_H
#define CW_OUTPUT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "clonewire/clonewire.h"

void report_inspection(const struct cw_inspection *inspection, bool as_json,
                       FILE *out);

/* error: why it does not fit, or NULL when it does. */
void report_plan(const struct cw_plan *plan, const struct cw_error *error,
                 bool as_json, FILE *out);

/* --check-receipt: the disk at path is the receipt's. */
void report_receipt(const struct cw_receipt *receipt, const char *path,
                    bool as_json, FILE *out);

/* And where it is not; opaque: true for JSON.  As each() of
 * cw_source_check_receipt(), to stdout. */
int report_difference(void *as_json, uint64_t offset, uint64_t length);

/*
 * --doctor: what works here, and where path is not NULL, on that disk or in
 * that directory; a line each, as JSON an object each.  0: what does not work
 * was said, and is no failure.
 */
int report_doctor(const char *path, bool as_json, FILE *out);

#endif
