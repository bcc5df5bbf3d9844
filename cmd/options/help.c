#include "options/help.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "clonewire/clonewire.h"
#include "options/value.h"

#define WIDTH       79 /* columns: an 80-column terminal does not wrap */
#define INDENT      26 /* column of the right-hand text */
#define FIELD_BYTES 2048

/* Short forms of the table in docs/operations.md. */
static const struct {
    int status;
    const char *meaning;
} statuses[] = {
    { ERROR_NONE, "the copy is equal and on stable storage" },
    { ERROR_SYSTEM, "this machine refused: memory, threads, descriptors" },
    { ERROR_USAGE,
      "a wrong option or variable, or a file that does not exist" },
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
    { ERROR_PEER, "the other side failed or was stopped" },
    { ERROR_TEMPORARY, "no answer, or the connection was lost" },
    { ERROR_CANCELLED, "stopped by SIGINT (by SIGTERM: 143)" },
};

/* Where printing has come to: group and row are NULL outside of @rows@. */
struct place {
    const struct help_format *format;
    const struct option_program *program;
    const struct option_group *group;
    const struct option_row *row;
    FILE *out;
};

static void print_rows(const struct place *place);

static bool is_path(const char *arg)
{
    return strcmp(arg, "FILE") == 0 || strcmp(arg, "DIR") == 0 ||
           strcmp(arg, "DEST") == 0;
}

static enum help_value value_of(const struct option_row *row)
{
    if (row->kind == OPTION_ARGUMENT)
        return HELP_ARGUMENT;
    if (option_value_bare(row))
        return HELP_BARE;
    if (row->arg && is_path(row->arg))
        return HELP_FILE;
    return row->words ? HELP_WORDS : HELP_TEXT;
}

/* Adjacent groups with the same title are printed as one. */
static bool starts_heading(const struct option_program *program,
                           const struct option_group *group)
{
    return group == program->groups ||
           strcmp(group[-1].title, group->title) != 0;
}

static void print_statuses(const struct place *place)
{
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
        fprintf(place->out, ".TP\n.B %d\n%s.\n", statuses[i].status,
                statuses[i].meaning);
}

/* Prints the names of all options. */
static void print_options(const struct place *place)
{
    const struct option_row *row;
    const char *blank = "";

    for (unsigned i = 0; (row = option_row_at(place->program, i, NULL)); i++)
        if (row->kind != OPTION_ARGUMENT) {
            fprintf(place->out, "%s--%s", blank, row->name);
            blank = " ";
        }
}

/* Fields that are strings of the table. */
static const struct {
    const char *name;
    enum {
        PROGRAM,
        GROUP,
        ROW
    } of;
    size_t offset;
} strings[] = {
    { "program", PROGRAM, offsetof(struct option_program, name) },
    { "summary", PROGRAM, offsetof(struct option_program, summary) },
    { "usage", PROGRAM, offsetof(struct option_program, usage) },
    { "examples", PROGRAM, offsetof(struct option_program, examples) },
    { "story", PROGRAM, offsetof(struct option_program, story) },
    { "peer", PROGRAM, offsetof(struct option_program, peer) },
    { "title", GROUP, offsetof(struct option_group, title) },
    { "name", ROW, offsetof(struct option_row, name) },
    { "env", ROW, offsetof(struct option_row, env) },
    { "default", ROW, offsetof(struct option_row, initial) },
    { "help", ROW, offsetof(struct option_row, help) },
};

/* Returns the string of the table; NULL: no such field, or it is not set. */
static const char *string_field(const struct place *place, const char *name)
{
    const void *const structs[] = { place->program, place->group, place->row };
    const char *text = NULL;

    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
        if (strcmp(strings[i].name, name) == 0)
            memcpy(&text,
                   (const char *)structs[strings[i].of] + strings[i].offset,
                   sizeof(text));
    return text;
}

/* Returns "--lanes=N|auto", "--help[=text|markdown]", "DEST". */
static const char *flag_of(const struct option_row *row, char *buf)
{
    bool is_bare = option_value_bare(row) != NULL;
    char arg[128];

    option_value_arg(row, arg, sizeof(arg));
    snprintf(buf, FIELD_BYTES, "%s%s%s%s%s%s",
             row->kind == OPTION_ARGUMENT ? "" : "--", row->name,
             is_bare && arg[0] ? "[" : "", arg[0] ? "=" : "", arg,
             is_bare && arg[0] ? "]" : "");
    return buf;
}

/* Writes a field that is made from the row; false: it is not. */
static bool made_field(const struct option_row *row, const char *name,
                       char *buf)
{
    if (strcmp(name, "flag") == 0)
        flag_of(row, buf);
    else if (strcmp(name, "letter") == 0)
        snprintf(buf, FIELD_BYTES, "%c", row->letter);
    else if (strcmp(name, "range") == 0)
        option_value_range(row, buf, FIELD_BYTES);
    else if (strcmp(name, "words") == 0)
        option_value_words(row, " ", buf, FIELD_BYTES);
    else
        return false;
    return true;
}

/* Returns a field; NULL: the row does not have it. */
static const char *field(const struct place *place, const char *name, char *buf)
{
    buf[0] = '\0';
    if (strcmp(name, "version") == 0)
        return cw_version();
    if (strcmp(name, "function") == 0) { /* clonewire_source */
        snprintf(buf, FIELD_BYTES, "%s", place->program->name);
        for (char *p = buf; (p = strchr(p, '-'));)
            *p = '_';
    } else if (!place->row || !made_field(place->row, name, buf)) {
        return string_field(place, name);
    }
    return buf[0] == '\0' ? NULL : buf;
}

/* Prints text with the escapes of the format. */
static void print_escaped(const struct place *place, const char *text)
{
    const struct help_format *format = place->format;

    for (; *text != '\0'; text++) {
        const char *const *escape = format->escapes;

        if (format->paragraph && strncmp(text, "\n\n", 2) == 0) {
            fputs(format->paragraph, place->out);
            text++;
            continue;
        }
        while (*escape && **escape != *text)
            escape++;
        if (*escape)
            fputs(*escape + 1, place->out);
        else
            fputc(*text, place->out);
    }
}

/* NOLINTBEGIN(misc-no-recursion): as deep as the templates are nested */

/* Prints a field; a name that starts with "=" is not escaped. */
static void print_field(const struct place *place, const char *name)
{
    char buf[FIELD_BYTES];
    const char *text;

    if (strcmp(name, "rows") == 0)
        print_rows(place);
    else if (strcmp(name, "options") == 0)
        print_options(place);
    else if (strcmp(name, "statuses") == 0)
        print_statuses(place);
    else if (name[0] == '=')
        fputs(field(place, name + 1, buf), place->out);
    else if ((text = field(place, name, buf)))
        print_escaped(place, text);
}

static const char *print_part(const struct place *place, const char *template,
                              bool is_shown);

/* Prints what stands between "@" and "@", or a condition.  Returns the rest. */
static const char *print_reference(const struct place *place, const char *at,
                                   bool is_shown)
{
    size_t len = strcspn(at, "@<");
    char name[16], buf[FIELD_BYTES];
    bool is_set;

    snprintf(name, sizeof(name), "%.*s", (int)len, at);
    at += len;
    if (*at == '@') {
        if (is_shown)
            print_field(place, name);
        return at + 1;
    }
    is_set = field(place, name, buf) != NULL;
    at = print_part(place, at + 1, is_shown && is_set);
    if (at[1] == ':')
        at = print_part(place, at + 2, is_shown && !is_set);
    return at + 2;
}

/* Prints template up to its end, "@:" or "@>"; returns that place. */
static const char *print_part(const struct place *place, const char *template,
                              bool is_shown)
{
    while (*template != '\0') {
        if (template[0] != '@') {
            if (is_shown)
                fputc(*template, place->out);
            template ++;
        } else if (template[1] == ':' || template[1] == '>') {
            return template;
        } else {
            template = print_reference(place, template + 1, is_shown);
        }
    }
    return template;
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

/* Prints "left \t right": the right-hand text wraps. */
static void print_columns(const struct place *place, const char *template)
{
    char line[FIELD_BYTES] = "";
    struct place at = *place;
    unsigned column;
    char *right;

    at.out = fmemopen(line, sizeof(line), "w");
    if (!at.out) {
        print_part(place, template, true); /* out of memory: one long line */
        return;
    }
    print_part(&at, template, true);
    fclose(at.out);
    right = strchrnul(line, '\t');
    column = (unsigned)fprintf(place->out, "%.*s", (int)(right - line), line);
    if (column + 2 > INDENT) {
        fputc('\n', place->out);
        column = 0;
    }
    print_wrapped(place->out, column, *right ? right + 1 : right);
}

static void print_rows(const struct place *place)
{
    const struct help_format *format = place->format;
    struct place at = *place;

    for (at.group = place->program->groups; at.group->title; at.group++) {
        at.row = NULL;
        if (format->heading && starts_heading(place->program, at.group))
            print_part(&at, format->heading, true);
        for (at.row = at.group->rows; at.row->name; at.row++) {
            const char *template = format->rows[value_of(at.row)];

            if (template && format->has_columns)
                print_columns(&at, template);
            else if (template)
                print_part(&at, template, true);
        }
    }
}

/* NOLINTEND(misc-no-recursion) */

void help_print(const struct option_program *program, enum option_action form,
                FILE *out)
{
    const struct place place = {
        .format = &help_formats[form],
        .program = program,
        .out = out,
    };

    print_part(&place, place.format->document, true);
}
