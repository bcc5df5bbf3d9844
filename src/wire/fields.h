/*
 * fields.h - the fields of a message in sequence, big-endian.  Pure.
 *
 * A writer trusts its caller to provide the space.  A reader trusts nothing:
 * it keeps the first fault, and then every field reads as zero.
 */
#ifndef CW_WIRE_FIELDS_H
#define CW_WIRE_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

struct fields_writer {
    uint8_t *at;
};

void fields_put16(struct fields_writer *w, uint16_t v);
void fields_put32(struct fields_writer *w, uint32_t v);
void fields_put64(struct fields_writer *w, uint64_t v);
void fields_put_raw(struct fields_writer *w, const uint8_t *bytes, size_t len);

/* Writes text with its length, cut to the capacity of the reader; bytes that
 * are not printable UTF-8 become \xNN. */
void fields_put_string(struct fields_writer *w, const char *text,
                       size_t capacity);

/* Writes the header of an option of len bytes. */
void fields_put_option(struct fields_writer *w, uint16_t tag, uint16_t len);

struct fields_reader {
    const uint8_t *at;
    size_t left;
    enum message_result fault;
};

/* Returns the next len bytes, borrowed from the input, or NULL and a fault. */
const uint8_t *fields_take(struct fields_reader *r, size_t len);

uint16_t fields_take16(struct fields_reader *r);
uint32_t fields_take32(struct fields_reader *r);
uint64_t fields_take64(struct fields_reader *r);
void fields_take_raw(struct fields_reader *r, uint8_t *out, size_t len);

/* Reads a string that is shorter than capacity and printable UTF-8: no control
 * characters. */
void fields_take_string(struct fields_reader *r, char *out, size_t capacity);

/* Records a fault if valid is false. */
void fields_check(struct fields_reader *r, bool valid);

#endif
