/* terminal.h - capabilities and width of a terminal. */
#ifndef CW_OUTPUT_TERMINAL_H
#define CW_OUTPUT_TERMINAL_H

#include <stdbool.h>

/* Returns whether fd is a terminal with cursor movement. */
bool terminal_is_smart(int fd);

/* Returns whether to use colours; not if NO_COLOR is set, see no-color.org. */
bool terminal_wants_colour(void);

/*
 * Returns the current columns; 80 if unknown.  Called for each redraw, a few
 * times a second, so it follows a resize without SIGWINCH.
 */
unsigned terminal_columns(int fd);

#endif
