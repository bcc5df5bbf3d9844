/* prompt.h - prompts on the terminal. */
#ifndef CW_PROGRAM_PROMPT_H
#define CW_PROGRAM_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Returns whether stdin and stderr are both terminals. */
bool prompt_is_possible(void);

/*
 * Prints question and reads a line into buf, without its newline; hidden turns
 * echo off.  Returns false at the end of file, or if the line is too long.
 */
bool prompt_line(const char *question, bool hidden, char *buf, size_t len);

/* Asks until the answer is yes or no; end of file is no. */
bool prompt_yes(const char *question);

#endif
