/*
 * report.h - prints the results of queries such as --inspect, --plan and
 * --doctor, as text or JSON.
 */
#ifndef CW_OUTPUT_REPORT_H
#define CW_OUTPUT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "clonewire/clonewire.h"

void report_inspection(const struct cw_inspection *inspection, bool as_json,
                       FILE *out);

/* error: why the disk does not fit; NULL: it fits. */
void report_plan(const struct cw_plan *plan, const struct cw_error *error,
                 bool as_json, FILE *out);

/* --check-receipt: the disk at path matches the receipt. */
void report_receipt(const struct cw_receipt *receipt, const char *path,
                    bool as_json, FILE *out);

/* Prints a range that differs; opaque: true for JSON.  The each() of
 * cw_source_check_receipt(). */
int report_difference(void *as_json, uint64_t offset, uint64_t length);

/*
 * --doctor: prints what works on this machine and, unless path is NULL, on that
 * disk or in that directory, one line or JSON object each.  Returns 0 even if
 * something does not work.
 */
int report_doctor(const char *path, bool as_json, FILE *out);

#endif
