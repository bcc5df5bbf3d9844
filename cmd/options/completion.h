/*
 * completion.h - the option table as completion for shells: what --help=bash,
 * =zsh and =fish print, to be put where the shell looks for it.
 */
#ifndef CW_OPTIONS_COMPLETION_H
#define CW_OPTIONS_COMPLETION_H

#include <stdio.h>

#include "options/option.h"

void completion_print_bash(const struct option_program *program, FILE *out);
void completion_print_zsh(const struct option_program *program, FILE *out);
void completion_print_fish(const struct option_program *program, FILE *out);

#endif
