#include "options/help.h"

#include <stdbool.h>
#include <string.h>

#include "options/value.h"

#define WIDTH  79 /* columns: an 80-column terminal does not wrap */
#define INDENT 26 /* column of the right-hand text */

const char *option_help_flag(const struct option_row *row, char *buf,
                             size_t len)
{
    char arg[128];

    option_value_arg(row, arg, sizeof(arg));
    if (row->kind == OPTION_ARGUMENT)
        snprintf(buf, len, "%s", row->name);
    else if (arg[0] == '\0')
        snprintf(buf, len, "--%s", row->name);
    else if (option_value_bare(row))
        snprintf(buf, len, "--%s[=%s]", row->name, arg);
    else
        snprintf(buf, len, "--%s=%s", row->name, arg);
    return buf;
}

const char *option_help_meaning(const struct option_row *row, char *buf,
                                size_t len)
{
    char range[128];

    option_value_range(row, range, sizeof(range));
    snprintf(buf, len, "%s%s%s", row->help, range[0] != '\0' ? "; " : "",
             range);
    return buf;
}

/* Prints the variable and the default. */
static void describe_origin(const struct option_row *row, char *buf, size_t len)
{
    buf[0] = '\0';
    if (row->env && row->initial)
        snprintf(buf, len, " [%s; default: %s]", row->env, row->initial);
    else if (row->env)
        snprintf(buf, len, " [%s]", row->env);
}

/* Prints text from column on, wraps words, and indents later lines. */
static void print_wrapped(FILE *out, unsigned column, const char *text)
{
    while (*text != '\0') {
        size_t word_len = strcspn(text, " ");

        if (column > INDENT && column + 1 + word_len > WIDTH) {
            fputc('\n', out);
            column = 0;
        }
        if (column < INDENT) {
            fprintf(out, "%*s", (int)(INDENT - column), "");
            column = INDENT;
        } else if (column > INDENT) {
            fputc(' ', out);
            column++;
        }
        fprintf(out, "%.*s", (int)word_len, text);
        column += (unsigned)word_len;
        text += word_len + strspn(text + word_len, " ");
    }
    fputc('\n', out);
}

static void print_row(const struct option_row *row, FILE *out)
{
    char flag[192], meaning[512];
    size_t used;
    unsigned column;

    option_help_flag(row, flag, sizeof(flag));
    option_help_meaning(row, meaning, sizeof(meaning));
    used = strlen(meaning);
    describe_origin(row, meaning + used, sizeof(meaning) - used);
    if (row->letter != 0)
        column = (unsigned)fprintf(out, "  -%c, %s", row->letter, flag);
    else if (row->kind == OPTION_ARGUMENT)
        column = (unsigned)fprintf(out, "  %s", flag);
    else
        column = (unsigned)fprintf(out, "      %s", flag);
    if (column + 2 > INDENT) {
        fputc('\n', out);
        column = 0;
    }
    print_wrapped(out, column, meaning);
}

bool option_help_starts_heading(const struct option_program *program,
                                const struct option_group *group)
{
    return group == program->groups ||
           strcmp(group[-1].title, group->title) != 0;
}

void option_help_print(const struct option_program *program, FILE *out)
{
    fprintf(out, "%s: %s\n\nUsage: %s %s\n\nExamples:\n%s", program->name,
            program->summary, program->name, program->usage, program->examples);
    for (const struct option_group *g = program->groups; g->title; g++) {
        if (option_help_starts_heading(program, g))
            fprintf(out, "\n%s:\n", g->title);
        for (const struct option_row *row = g->rows; row->name; row++)
            print_row(row, out);
    }
    fprintf(
        out,
        "\nThe command line comes before the environment, and that "
        "before the default.\n"
        "Exit statuses are in the manual page and in docs/operations.md.\n");
}

/* In a table, a bar ends the cell even between backquotes. */
static void print_cell(const char *text, bool is_code, FILE *out)
{
    fputs(" ", out);
    if (is_code && text[0] != '\0')
        fputc('`', out);
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '|')
            fputc('\\', out);
        fputc(*p, out);
    }
    if (is_code && text[0] != '\0')
        fputc('`', out);
    fputs(text[0] == '\0' ? "|" : " |", out);
}

static void print_markdown_row(const struct option_row *row, FILE *out)
{
    char flag[192], meaning[512];
    size_t used = 0;

    if (row->letter != 0)
        used = (size_t)snprintf(flag, sizeof(flag), "-%c, ", row->letter);
    option_help_flag(row, flag + used, sizeof(flag) - used);
    option_help_meaning(row, meaning, sizeof(meaning));
    fputs("|", out);
    print_cell(flag, true, out);
    print_cell(row->env ? row->env : "", true, out);
    print_cell(row->initial ? row->initial : "", true, out);
    print_cell(meaning, false, out);
    fputc('\n', out);
}

void option_help_print_markdown(const struct option_program *program, FILE *out)
{
    fprintf(out, "## %s\n\n%s.\n\n```\n%s %s\n```\n\n```\n%s```\n",
            program->name, program->summary, program->name, program->usage,
            program->examples);
    for (const struct option_group *g = program->groups; g->title; g++) {
        if (option_help_starts_heading(program, g))
            fprintf(out,
                    "\n### %s\n\n"
                    "| Option | Variable | Default | Meaning |\n"
                    "|---|---|---|---|\n",
                    g->title);
        for (const struct option_row *row = g->rows; row->name; row++)
            print_markdown_row(row, out);
    }
}
