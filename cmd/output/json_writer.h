/*
 * json_writer.h - writes one flat JSON object on one line into a fixed buffer.
 *
 * Values that do not fit are truncated (text) or left out; the object stays
 * valid JSON.
 */
#ifndef CW_OUTPUT_JSON_WRITER_H
#define CW_OUTPUT_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json {
    char *buf; /* borrowed */
    size_t len;
    size_t used;
};

/* len: at least 128. */
void json_open(struct json *json, char *buf, size_t len);

/* Keys are not escaped.  value NULL: null. */
void json_add_text(struct json *json, const char *key, const char *value);
void json_add_number(struct json *json, const char *key, uint64_t value);
void json_add_thousandths(struct json *json, const char *key, uint64_t value);
void json_add_bool(struct json *json, const char *key, bool value);
void json_add_null(struct json *json, const char *key);

/* Ends the object, without a newline; returns buf. */
const char *json_close(struct json *json);

#endif
