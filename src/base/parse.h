/*
 * parse.h - converts user input to integers.  No floating point: "0.055" is
 * exactly 55000 parts per million.
 */
#ifndef CW_BASE_PARSE_H
#define CW_BASE_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * "1048576", "1MiB", "2Gi", "1500M", "10GB", "1.5GiB": bytes.
 *
 * Ki Mi Gi Ti Pi (with or without B) are powers of 1024; k K M G T P (with or
 * without B) are powers of 1000, as in a Kubernetes quantity.  A fraction must
 * give whole bytes.  Returns false for anything else and on overflow; *bytes
 * is then unchanged.
 */
bool parse_bytes(const char *text, uint64_t *bytes);

/*
 * A Kubernetes quantity, rounded up to whole bytes like its Value(): "2Gi",
 * "1.1Gi", "1500M", "1e9", "1500m".  Returns false like parse_bytes().
 */
bool parse_quantity(const char *text, uint64_t *bytes);

/*
 * A ratio in parts per million: "0.055" and "5.5%" are 55000.  At most six
 * decimals (four with %); returns false for more, so nothing is rounded
 * silently.
 */
bool parse_ppm(const char *text, uint32_t *ppm);

/* "250ms", "30s", "5m", "2h", or a plain number of seconds. */
bool parse_duration(const char *text, uint64_t *ns);

/*
 * Converts "2026-11-21T03:30:00Z", "2026-11-21T04:30:00.5+01:00" (RFC 3339) to
 * nanoseconds since 1970, UTC.  Returns false outside 1970 to 2261.
 */
bool parse_time(const char *text, uint64_t *unix_ns);

#define FORMAT_TIME_BYTES 32U

/* Formats unix_ns for parse_time(), with milliseconds.  Returns buf. */
const char *format_time(char buf[FORMAT_TIME_BYTES], uint64_t unix_ns);

/* Decimal digits only. */
bool parse_count(const char *text, uint64_t *count);

/*
 * Formats bytes for users: "1.5 GiB", "512 B".  At most one decimal, truncated
 * and never rounded up.  Returns buf.
 */
const char *format_bytes(char *buf, size_t len, uint64_t bytes);

#endif
