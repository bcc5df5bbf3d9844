/* printable.h - what may go to a terminal or a log as it is. */
#ifndef CW_OUTPUT_PRINTABLE_H
#define CW_OUTPUT_PRINTABLE_H

#include <stddef.h>

/*
 * Bytes of the printable UTF-8 character at text, or 0: a control character
 * (an escape sequence in a file name must not reach a terminal) or no UTF-8.
 */
size_t printable_printable(const char *text);

/* Copies text with what is not printable as \xNN.  Cut to len; returns buf. */
const char *printable_escape(char *buf, size_t len, const char *text);

#endif
