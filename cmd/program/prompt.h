/* prompt.h - questions to whoever sits at the terminal. */
#ifndef CW_PROGRAM_PROMPT_H
#define CW_PROGRAM_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

/* Is there somebody to ask: is stdin a terminal, and stderr too? */
bool prompt_is_possible(void);

/*
 * Prints question and reads one line into buf, without its newline; hidden:
 * what is typed is not shown.  False: no answer came (end of file), or one
 * that is too long.
 */
bool prompt_line(const char *question, bool hidden, char *buf, size_t len);

/* Asks until the answer is yes or no; no answer is no. */
bool prompt_yes(const char *question);

#endif
