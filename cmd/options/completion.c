#include "options/completion.h"

#include <stdbool.h>
#include <string.h>

#include "options/value.h"

/* Values that a shell can offer after an option. */
enum values {
    VALUES_NONE,  /* takes no value */
    VALUES_WORDS, /* one of its words */
    VALUES_FILES, /* a path */
    VALUES_OTHER, /* free text */
};

static enum values values_of(const struct option_row *row)
{
    if (row->kind == OPTION_FLAG)
        return VALUES_NONE;
    if (row->arg && strcmp(row->arg, "FILE") == 0)
        return VALUES_FILES;
    return row->words ? VALUES_WORDS : VALUES_OTHER;
}

static void put_words(const struct option_row *row, const char *separator,
                      FILE *out)
{
    for (const struct option_word *w = row->words; w->text; w++)
        fprintf(out, "%s%s", w == row->words ? "" : separator, w->text);
}

/* For between single quotes: no help text has one, and if it had, it would
 * be a typographic one. */
static void put_quoted(const char *text, const char *escaped, FILE *out)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            fputs("\xe2\x80\x99", out);
            continue;
        }
        if (strchr(escaped, *text))
            fputc('\\', out);
        fputc(*text, out);
    }
}

/* Converts clonewire-source to a shell identifier: clonewire_source. */
static void put_function(const char *name, FILE *out)
{
    for (; *name != '\0'; name++)
        fputc(*name == '-' ? '_' : *name, out);
}

/* ---- bash ---- */

static void put_bash_case(const struct option_row *row, FILE *out)
{
    switch (values_of(row)) {
    case VALUES_NONE: return;
    case VALUES_WORDS:
        fprintf(out, "    --%s) words='", row->name);
        put_words(row, " ", out);
        fputs("' ;;\n", out);
        return;
    case VALUES_FILES:
        fprintf(out,
                "    --%s) compopt -o filenames\n"
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
                "        return ;;\n",
                row->name);
        return;
    case VALUES_OTHER: fprintf(out, "    --%s) return ;;\n", row->name); return;
    }
}

void completion_print_bash(const struct option_program *program, FILE *out)
{
    const struct option_row *row;

    fprintf(out, "# bash completion for %s\n_", program->name);
    put_function(program->name, out);
    /* bash splits "--a=b" into three words at "=". */
    fputs("()\n{\n"
          "    local typed=${COMP_WORDS[COMP_CWORD]} words=\n"
          "    local before=${COMP_WORDS[COMP_CWORD - 1]}\n\n"
          "    if [ \"$typed\" = = ]; then\n"
          "        typed=\n"
          "    elif [ \"$before\" = = ] && [ \"$COMP_CWORD\" -ge 2 ]; then\n"
          "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    case $before in\n",
          out);
    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->kind != OPTION_ARGUMENT && row->kind != OPTION_ACTION)
            put_bash_case(row, out);
    fputs("    esac\n"
          "    if [ -z \"$words\" ] && [[ $typed == -* ]]; then\n"
          "        words='",
          out);
    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->kind != OPTION_ARGUMENT)
            fprintf(out, "%s--%s", i == 0 ? "" : " ", row->name);
    fputs("'\n    fi\n"
          "    if [ -n \"$words\" ]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
          "\"$typed\")\n"
          "    else\n"
          "        compopt -o filenames\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
          "    fi\n}\ncomplete -F _",
          out);
    put_function(program->name, out);
    fprintf(out, " %s\n", program->name);
}

/* ---- zsh ---- */

static void put_zsh_row(const struct option_row *row, FILE *out)
{
    static const char special[] = "[]:\\";

    fputs("    '", out);
    if (row->kind == OPTION_ARGUMENT) {
        fputs("::", out);
        put_quoted(row->name, special, out);
        fputs(":_files' \\\n", out);
        return;
    }
    fprintf(out, "--%s%s[", row->name, option_value_bare(row) ? "" : "=");
    put_quoted(row->help, special, out);
    fputc(']', out);
    switch (option_value_bare(row) ? VALUES_NONE : values_of(row)) {
    case VALUES_NONE: break;
    case VALUES_WORDS:
        fprintf(out, ":%s:(", row->name);
        put_words(row, " ", out);
        fputc(')', out);
        break;
    case VALUES_FILES: fputs(":file:_files", out); break;
    case VALUES_OTHER: fprintf(out, ":%s: ", row->name); break;
    }
    fputs("' \\\n", out);
}

void completion_print_zsh(const struct option_program *program, FILE *out)
{
    const struct option_row *row;

    fprintf(out, "#compdef %s\n_arguments \\\n", program->name);
    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        put_zsh_row(row, out);
    fputs("    && return 0\n", out);
}

/* ---- fish ---- */

static void put_fish_row(const char *name, const struct option_row *row,
                         FILE *out)
{
    fprintf(out, "complete -c %s -l %s", name, row->name);
    if (row->letter != 0)
        fprintf(out, " -s %c", row->letter);
    switch (option_value_bare(row) ? VALUES_NONE : values_of(row)) {
    case VALUES_NONE: break;
    case VALUES_WORDS:
        fputs(" -x -a '", out);
        put_words(row, " ", out);
        fputc('\'', out);
        break;
    case VALUES_FILES: fputs(" -r -F", out); break;
    case VALUES_OTHER: fputs(" -x", out); break;
    }
    fputs(" -d '", out);
    put_quoted(row->help, "\\", out);
    fputs("'\n", out);
}

void completion_print_fish(const struct option_program *program, FILE *out)
{
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->kind != OPTION_ARGUMENT)
            put_fish_row(program->name, row, out);
}
