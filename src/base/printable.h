/* printable.h - text that is safe to print on a terminal or in a log. */
#ifndef CW_BASE_PRINTABLE_H
#define CW_BASE_PRINTABLE_H

#include <stddef.h>

/*
 * Returns the bytes of the printable UTF-8 character at text, or 0 for a
 * control character (an escape sequence in a file name must not reach a
 * terminal) or invalid UTF-8.
 */
size_t printable_char_len(const char *text);

/* Copies text, with unprintable bytes as \xNN, up to len.  Returns buf. */
const char *printable_escape(char *buf, size_t len, const char *text);

#endif
