#include "options/man.h"

#include <ctype.h>
#include <string.h>

#include "base/error.h"
#include "options/help.h"

/* Short forms of the table in docs/operations.md. */
static const struct {
    int status;
    const char *meaning;
} statuses[] = {
    { ERROR_NONE, "the copy is equal and on stable storage" },
    { ERROR_SYSTEM, "this machine refused: memory, threads, descriptors" },
    { ERROR_USAGE, "a wrong option or variable" },
    { ERROR_NO_SPACE, "the target cannot hold the disk" },
    { ERROR_REFUSED, "the target exists, is mounted, in use, or not blank" },
    { ERROR_CHANGED, "the source's disk is in use, or changed meanwhile" },
    { ERROR_FORMAT, "the source's image is damaged or not supported" },
    { ERROR_MISMATCH, "the digests of the two sides differ" },
    { ERROR_TLS, "handshake failed: certificate, name, CA, date or key" },
    { ERROR_PROTOCOL, "the other side broke the protocol" },
    { ERROR_BUSY, "the target is serving another source" },
    { ERROR_SOURCE_IO, "the source's disk failed" },
    { ERROR_TARGET_IO, "the target's disk failed" },
    { ERROR_PEER, "the other side gave up or was told to stop" },
    { ERROR_TEMPORARY, "nobody there, or the connection was lost" },
    { ERROR_CANCELLED, "stopped by SIGINT (by SIGTERM: 143)" },
};

/* Escapes a line that looks like a request, and hyphens, which users type. */
static void put_roff(const char *text, size_t len, FILE *out)
{
    if (len > 0 && (text[0] == '.' || text[0] == '\''))
        fputs("\\&", out);
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '-')
            fputs("\\-", out);
        else if (text[i] == '\\')
            fputs("\\e", out);
        else
            fputc(text[i], out);
        if (text[i] == '\n' && i + 1 < len &&
            (text[i + 1] == '.' || text[i + 1] == '\''))
            fputs("\\&", out);
    }
}

static void put_text(const char *text, FILE *out)
{
    put_roff(text, strlen(text), out);
}

static void put_upper(const char *text, FILE *out)
{
    for (; *text != '\0'; text++)
        fputc(toupper((unsigned char)*text), out);
}

/* Prints paragraphs; indented ones verbatim. */
static void put_story(const char *story, FILE *out)
{
    const char *next = ""; /* a heading also starts a paragraph */

    while (*story != '\0') {
        const char *end = strstr(story, "\n\n");
        size_t len = end ? (size_t)(end - story) : strlen(story);

        fputs(next, out);
        fputs(story[0] == ' ' ? ".nf\n" : "", out);
        put_roff(story, len, out);
        fputs(story[0] == ' ' ? "\n.fi\n" : "\n", out);
        story += len;
        story += strspn(story, "\n");
        next = ".PP\n";
    }
}

static void put_row(const struct option_row *row, FILE *out)
{
    char flag[256], meaning[512];

    fputs(".TP\n.B ", out);
    if (row->letter != 0)
        fprintf(out, "\\-%c, ", row->letter);
    put_text(option_help_flag(row, flag, sizeof(flag)), out);
    fputc('\n', out);
    put_text(option_help_meaning(row, meaning, sizeof(meaning)), out);
    if (row->initial) {
        fputs("; default: ", out);
        put_text(row->initial, out);
    }
    fputs(".\n", out);
    if (row->env)
        fprintf(out, "Variable: \\fB%s\\fR.\n", row->env);
}

static void put_options(const struct option_program *program, FILE *out)
{
    fputs(".SH OPTIONS\nEvery option can be given in the environment too; "
          "the command line comes first.\n",
          out);
    for (const struct option_group *g = program->groups; g->title; g++) {
        if (option_help_starts_heading(program, g))
            fprintf(out, ".SS %s\n", g->title);
        for (const struct option_row *row = g->rows; row->name; row++)
            put_row(row, out);
    }
}

static void put_statuses(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        fprintf(out, ".TP\n.B %d\n", statuses[i].status);
        put_text(statuses[i].meaning, out);
        fputs(".\n", out);
    }
}

void option_man_print(const struct option_program *program, const char *version,
                      FILE *out)
{
    const char *other = strstr(program->name, "source") ? "clonewire-target"
                                                        : "clonewire-source";

    fputs(".TH ", out);
    put_upper(program->name, out);
    fprintf(out, " 1 \"\" \"clonewire %s\" \"User Commands\"\n.SH NAME\n",
            version);
    put_text(program->name, out);
    fputs(" \\- ", out);
    put_text(program->summary, out);
    fputs("\n.SH SYNOPSIS\n.B ", out);
    put_text(program->name, out);
    fputc('\n', out);
    put_text(program->usage, out);
    fputs("\n.SH DESCRIPTION\n", out);
    put_story(program->story, out);
    put_options(program, out);
    fputs(".SH EXAMPLES\n.nf\n", out);
    put_text(program->examples, out);
    fputs(".fi\n", out);
    put_statuses(out);
    fputs(".SH SEE ALSO\n.BR ", out);
    put_text(other, out);
    fputs(" (1)\n", out);
}
