#include "options/option.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/value.h"

#define NAME_MAX_CHARS 32 /* longer input is not a misspelt option */

struct parse {
    const struct option_program *program;
    const char *text[OPTION_MAX_ROWS]; /* from the command line */
    unsigned arguments;                /* arguments seen so far */
    struct error *err;
    struct error later; /* errors after the first; ignored */
    int result;
};

/* Returns where to store the next error: only the first is reported. */
static struct error *error_slot(struct parse *parse)
{
    return parse->result == 0 ? parse->err : &parse->later;
}

const struct option_row *option_row_at(const struct option_program *program,
                                       unsigned index,
                                       const struct option_group **group)
{
    for (const struct option_group *g = program->groups; g->title; g++) {
        for (const struct option_row *row = g->rows; row->name; row++) {
            if (index-- == 0) {
                if (group)
                    *group = g;
                return row;
            }
        }
    }
    return NULL;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
    unsigned min = a < b ? a : b;

    return min < c ? min : c;
}

/* Returns the Levenshtein distance of a and b. */
static unsigned edit_distance(const char *a, const char *b)
{
    size_t b_len = strlen(b);
    unsigned row[NAME_MAX_CHARS + 1];

    assert(strlen(a) <= NAME_MAX_CHARS && b_len <= NAME_MAX_CHARS);
    for (size_t j = 0; j <= b_len; j++)
        row[j] = (unsigned)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        unsigned diagonal = row[0];

        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned above = row[j];

            row[j] = min3(above + 1, row[j - 1] + 1,
                          diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

/* Returns the option with the name nearest to the input, or NULL. */
static const char *closest_name(const struct option_program *program,
                                const char *typed)
{
    unsigned min = (unsigned)strlen(typed) / 3 + 1;
    const char *closest = NULL;
    const struct option_row *row;

    if (strlen(typed) > NAME_MAX_CHARS)
        return NULL;
    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++) {
        unsigned distance;

        if (row->kind == OPTION_ARGUMENT)
            continue;
        distance = edit_distance(typed, row->name);
        if (strlen(typed) >= 3 && strncmp(row->name, typed, strlen(typed)) == 0)
            distance = 0; /* a prefix */
        if (distance <= min && (!closest || distance < min)) {
            min = distance;
            closest = row->name;
        }
    }
    return closest;
}

static int find_row(const struct option_program *program, const char *name,
                    size_t len)
{
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->kind != OPTION_ARGUMENT && strlen(row->name) == len &&
            memcmp(row->name, name, len) == 0)
            return (int)i;
    return -1;
}

static int find_letter(const struct option_program *program, char letter)
{
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->letter == letter)
            return (int)i;
    return -1;
}

static int find_argument(const struct option_program *program, unsigned nth)
{
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
        if (row->kind == OPTION_ARGUMENT && nth-- == 0)
            return (int)i;
    return -1;
}

static int fail_unknown(struct parse *parse, const char *name, size_t len)
{
    struct error *err = error_slot(parse);
    char typed[NAME_MAX_CHARS + 2]; /* one longer than any option name */
    const char *closest;

    snprintf(typed, sizeof(typed), "%.*s", (int)len, name);
    closest = closest_name(parse->program, typed);
    if (closest)
        return error_set(err, ERROR_USAGE, 0,
                         "unknown option --%.*s, did you mean --%s?", (int)len,
                         name, closest);
    return error_set(err, ERROR_USAGE, 0, "unknown option --%.*s, try --help",
                     (int)len, name);
}

/* Parses argv[*i], "--name" or "--name=value"; moves *i if it uses the next. */
static int take_long(struct parse *parse, const char *const *argv, int *i)
{
    const char *name = argv[*i] + 2;
    size_t len = (size_t)(strchrnul(name, '=') - name);
    int index = find_row(parse->program, name, len);
    const struct option_row *row;
    const char *text;
    char full[128];

    if (index < 0)
        return fail_unknown(parse, name, len);
    row = option_row_at(parse->program, (unsigned)index, NULL);
    text = option_value_bare(row);
    if (name[len] == '=')
        text = name + len + 1;
    else if (!text && argv[*i + 1])
        text = argv[++*i];
    if (!text)
        return error_set(error_slot(parse), ERROR_USAGE, 0,
                         "%s: the value is missing",
                         option_value_name(row, full, sizeof(full)));
    parse->text[index] = text;
    return 0;
}

/* Parses "-v", "-qv": letters of options without a value. */
static int take_letters(struct parse *parse, const char *letters)
{
    for (; *letters != '\0'; letters++) {
        int index = find_letter(parse->program, *letters);

        if (index < 0)
            return error_set(error_slot(parse), ERROR_USAGE, 0,
                             "unknown option -%c, try --help", *letters);
        parse->text[index] = option_value_bare(
            option_row_at(parse->program, (unsigned)index, NULL));
    }
    return 0;
}

static int take_argument(struct parse *parse, const char *text)
{
    int index = find_argument(parse->program, parse->arguments);

    if (index < 0)
        return error_set(error_slot(parse), ERROR_USAGE, 0,
                         "one argument too many: \"%s\", try --help", text);
    parse->arguments++;
    parse->text[index] = text;
    return 0;
}

static void take_command_line(struct parse *parse, const char *const *argv)
{
    bool only_arguments = false;

    for (int i = 1; argv[i]; i++) {
        const char *word = argv[i];
        int r = 0;

        if (only_arguments || word[0] != '-' || word[1] == '\0')
            r = take_argument(parse, word);
        else if (strcmp(word, "--") == 0)
            only_arguments = true;
        else if (word[1] == '-')
            r = take_long(parse, argv, &i);
        else
            r = take_letters(parse, word + 1);
        if (r < 0)
            parse->result = r;
    }
}

/* Returns the row's text by precedence; NULL: it has none. */
static const char *text_of(const struct option_row *row, const char *said)
{
    const char *env = NULL;

    if (said)
        return said;
    if (row->env)
        env = getenv(row->env); /* NOLINT(concurrency-mt-unsafe): one thread */
    return env ? env : row->initial;
}

static int store_row(struct parse *parse, unsigned index, void *config)
{
    const struct option_group *group;
    const struct option_row *row = option_row_at(parse->program, index, &group);
    const char *text = text_of(row, parse->text[index]);

    if (!text)
        return 0;
    return option_value_store(row, text, (char *)config + group->base_offset,
                              error_slot(parse));
}

/* Help works despite other errors.  Returns false if it was not requested. */
static bool store_action(struct parse *parse, void *config)
{
    const struct option_row *row;

    for (unsigned i = 0; (row = option_row_at(parse->program, i, NULL)); i++)
        if (row->kind == OPTION_ACTION && parse->text[i]) {
            parse->result = store_row(parse, i, config);
            return true;
        }
    return false;
}

static bool is_said(const struct parse *parse, const char *name, size_t len)
{
    int index = find_row(parse->program, name, len);

    assert(index >= 0);
    return parse->text[index] != NULL;
}

/* Returns the first of names that the command line has, and its length; NULL:
 * none. */
static const char *first_said(const struct parse *parse, const char *names,
                              size_t *len)
{
    for (; names && *names != '\0'; names += *len + (names[*len] == ' ')) {
        *len = strcspn(names, " ");
        if (is_said(parse, names, *len))
            return names;
    }
    return NULL;
}

static int check_rule(struct parse *parse, const struct option_rule *rule)
{
    const char *other;
    size_t len = 0;

    if (!is_said(parse, rule->name, strlen(rule->name)))
        return 0;
    other = first_said(parse, rule->excludes, &len);
    if (other)
        return error_set(error_slot(parse), ERROR_USAGE, 0,
                         "--%.*s has no effect with --%s", (int)len, other,
                         rule->name);
    if (!rule->needs || first_said(parse, rule->needs, &len))
        return 0;
    return error_set(
        error_slot(parse), ERROR_USAGE, 0, "--%s has no effect here%s%s",
        rule->name, rule->advice ? ": " : "", rule->advice ? rule->advice : "");
}

static int check_rules(struct parse *parse)
{
    const struct option_rule *rule = parse->program->rules;
    int r = 0;

    for (; r == 0 && rule && rule->name; rule++)
        r = check_rule(parse, rule);
    return r;
}

int option_parse(const struct option_program *program, const char *const *argv,
                 void *config, struct error *err)
{
    struct parse parse = { .program = program, .err = err };

    assert(!option_row_at(program, OPTION_MAX_ROWS, NULL));
    take_command_line(&parse, argv);
    if (parse.result == 0 && store_action(&parse, config))
        return parse.result;
    for (unsigned i = 0; option_row_at(program, i, NULL); i++)
        if (store_row(&parse, i, config) < 0)
            parse.result = -1;
    return parse.result < 0 ? parse.result : check_rules(&parse);
}
