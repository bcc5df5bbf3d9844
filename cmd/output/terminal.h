/* terminal.h - is anybody looking, and how wide is their window? */
#ifndef CW_OUTPUT_TERMINAL_H
#define CW_OUTPUT_TERMINAL_H

#include <stdbool.h>

/* A terminal that understands cursor movement. */
bool terminal_is_smart(int fd);

/* Colours wanted?  Not when NO_COLOR is set, see no-color.org. */
bool terminal_wants_colour(void);

/*
 * Columns now; 80 where nobody can tell.  Asked anew for each drawing, a few
 * times a second: that follows a resize as well as SIGWINCH would.
 */
unsigned terminal_columns(int fd);

#endif
