#include <stdio.h>
#include <stdlib.h>

#include "clonewire-source/options.h"
#include "clonewire-target/options.h"
#include "options/help.h"
#include "options/option.h"
#include "options/value.h"
#include "unit.h"

#define MAX_WORDS 8

/* No variable of the caller's environment may reach a test. */
static int clear_environment(void **state)
{
    const struct option_program *programs[] = { &source_program,
                                                &target_program };
    const struct option_row *row;

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(programs); p++)
        for (unsigned i = 0; (row = option_row_at(programs[p], i, NULL)); i++)
            if (row->env)
                unsetenv(row->env);
    return 0;
}

static int parse_target(const char *const *words, struct target_config *config,
                        struct error *err)
{
    const char *argv[MAX_WORDS + 2] = { "clonewire-target" };

    for (size_t i = 0; i < MAX_WORDS && words[i]; i++)
        argv[i + 1] = words[i];
    *config = (struct target_config){ 0 };
    *err = (struct error){ 0 };
    return option_parse(&target_program, argv, config, err);
}

static void test_defaults(void **state)
{
    const char *argv[] = { "clonewire-source", "disk.img", "host:1", NULL };
    struct source_config source = { 0 };
    struct target_config target;
    struct error err;

    (void)state;
    assert_int_equal(option_parse(&source_program, argv, &source, &err), 0);
    assert_string_equal(source.options.image, "disk.img");
    assert_string_equal(source.options.target, "host:1");
    assert_int_equal(source.options.digest, CW_DIGEST_XXH3_128);
    assert_int_equal(source.options.connect_timeout_ns, 30000000000);
    assert_int_equal(source.options.tuning.dead_peer_ns, 30000000000);
    assert_int_equal(source.options.tuning.lanes, 0);
    assert_null(source.options.security.cert_file);
    assert_false(source.options.security.allow_tls12);
    assert_int_equal(source.output.action, OPTION_ACTION_RUN);

    assert_int_equal(parse_target((const char *[]){ "d", NULL }, &target, &err),
                     0);
    assert_string_equal(target.options.destination, "d");
    assert_string_equal(target.options.listen, "[::]:8443");
    assert_int_equal(target.options.fs_overhead_ppm, 55000);
    assert_int_equal(target.options.preallocate, CW_PREALLOCATE_OFF);
    assert_int_equal(target.options.size_bytes, TARGET_SIZE_SOURCE);
    assert_false(target.options.keep_tail);
    assert_false(target.options.once);
}

static void test_forms(void **state)
{
    struct target_config c;
    struct error err;

    (void)state;
    assert_int_equal(
        parse_target((const char *[]){ "--lanes=3", "--io-engine", "threads",
                                       "--overwrite", "-qv", "--tail=keep",
                                       "--", "-d", NULL },
                     &c, &err),
        0);
    assert_int_equal(c.options.tuning.lanes, 3);
    assert_int_equal(c.options.tuning.io_engine, CW_IO_ENGINE_THREADS);
    assert_true(c.options.overwrite);
    assert_true(c.output.quiet);
    assert_true(c.output.verbose);
    assert_true(c.options.keep_tail);
    assert_string_equal(c.options.destination, "-d");

    /* The last one counts; a flag can be taken back. */
    assert_int_equal(
        parse_target((const char *[]){ "--lanes=3", "--lanes=auto", "--once",
                                       "--once=no", "--size=max", "d", NULL },
                     &c, &err),
        0);
    assert_int_equal(c.options.tuning.lanes, 0);
    assert_false(c.options.once);
    assert_int_equal(c.options.size_bytes, TARGET_SIZE_MAX);
    options_settle(&c);
    assert_int_equal(c.options.size_bytes, 0);
    assert_true(c.options.size_max);

    assert_int_equal(
        parse_target((const char *[]){ "--size=2GiB", "d", NULL }, &c, &err),
        0);
    options_settle(&c);
    assert_int_equal(c.options.size_bytes, UINT64_C(2) << 30);
    assert_false(c.options.size_max);
}

static void test_precedence(void **state)
{
    struct target_config c;
    struct error err;

    (void)state;
    setenv("CLONEWIRE_DEST", "from-env", 1);
    setenv("CLONEWIRE_LANES", "5", 1);
    setenv("CLONEWIRE_OVERWRITE", "true", 1);
    setenv("CLONEWIRE_ONCE", "1", 1);
    assert_int_equal(
        parse_target((const char *[]){ "--overwrite=no", NULL }, &c, &err), 0);
    assert_string_equal(c.options.destination, "from-env");
    assert_int_equal(c.options.tuning.lanes, 5);
    assert_false(c.options.overwrite);
    assert_true(c.options.once);
    assert_string_equal(c.options.listen, "[::]:8443");

    /* What the command line overrides may be wrong in the environment. */
    setenv("CLONEWIRE_LANES", "many", 1);
    assert_int_equal(
        parse_target((const char *[]){ "--lanes", "2", "said", NULL }, &c,
                     &err),
        0);
    assert_string_equal(c.options.destination, "said");
    assert_int_equal(c.options.tuning.lanes, 2);

    /* An empty variable must not turn a check off. */
    setenv("CLONEWIRE_PEER_NAME", "", 1);
    assert_int_equal(
        parse_target((const char *[]){ "--lanes", "2", NULL }, &c, &err), -1);
    assert_string_equal(err.text,
                        "--peer-name (CLONEWIRE_PEER_NAME): \"\" is empty");
    clear_environment(NULL);
}

static void test_mistakes(void **state)
{
    static const struct {
        const char *words[MAX_WORDS];
        const char *want;
    } cases[] = {
        { { "--fs-overhead=1.2", "d" },
          "--fs-overhead (CLONEWIRE_FS_OVERHEAD): \"1.2\" is not between 0 "
          "and 0.99" },
        { { "--fs-overhead=lots", "d" },
          "--fs-overhead (CLONEWIRE_FS_OVERHEAD): \"lots\" is not a ratio "
          "between 0 and 0.99" },
        { { "--lanes=0", "d" },
          "--lanes (CLONEWIRE_LANES): \"0\" is not between 1 and 64, or auto" },
        { { "--size=0", "d" },
          "--size (CLONEWIRE_SIZE): \"0\" is not between 1 and 4096PiB, or "
          "source, max" },
        { { "--dead-peer-timeout=1ms", "d" },
          "--dead-peer-timeout (CLONEWIRE_DEAD_PEER_TIMEOUT): \"1ms\" is not "
          "between 1s and 1h" },
        { { "--io-engine=aio", "d" },
          "--io-engine (CLONEWIRE_IO_ENGINE): \"aio\" is not one of auto, "
          "uring, threads" },
        { { "--once=maybe", "d" },
          "--once (CLONEWIRE_ONCE): \"maybe\" is not one of yes, no, true, "
          "false, 1, 0" },
        { { "--cert=", "d" }, "--cert (CLONEWIRE_CERT): \"\" is empty" },
        { { "d", "--cert" }, "--cert (CLONEWIRE_CERT): the value is missing" },
        { { "--lane=2", "d" }, "unknown option --lane, did you mean --lanes?" },
        { { "--overwrit", "d" },
          "unknown option --overwrit, did you mean --overwrite?" },
        { { "--pre", "d" },
          "unknown option --pre, did you mean --preallocate?" },
        { { "--colour", "d" }, "unknown option --colour, try --help" },
        { { "-x", "d" }, "unknown option -x, try --help" },
        { { "d", "e" }, "one argument too many: \"e\", try --help" },
        { { "--help=html" },
          "--help: \"html\" is not one of text, markdown, man, bash, zsh, fish" },
        { { "--colour", "--lanes=0" }, "unknown option --colour, try --help" },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target_config c;
        struct error err;

        CASE(cases[i].want);
        assert_int_equal(parse_target(cases[i].words, &c, &err), -1);
        assert_int_equal(err.kind, ERROR_USAGE);
        assert_string_equal(err.text, cases[i].want);
    }
}

static void test_environment_mistake(void **state)
{
    struct target_config c;
    struct error err;

    (void)state;
    setenv("CLONEWIRE_LOG_FORMAT", "json", 1);
    setenv("CLONEWIRE_QUIET", "2", 1);
    assert_int_equal(parse_target((const char *[]){ "d", NULL }, &c, &err), -1);
    assert_string_equal(err.text,
                        "--quiet (CLONEWIRE_QUIET): \"2\" is not one of yes, "
                        "no, true, false, 1, 0");
    /* Still read, so that the mistake is told in the format asked for. */
    assert_int_equal(c.output.log_format, COMMON_OPTIONS_LOG_JSON);
    clear_environment(NULL);
}

static void test_actions(void **state)
{
    static const struct {
        const char *words[MAX_WORDS];
        enum option_action want;
    } cases[] = {
        { { "--help" }, OPTION_ACTION_HELP },
        { { "-h" }, OPTION_ACTION_HELP },
        { { "--help=markdown" }, OPTION_ACTION_HELP_MARKDOWN },
        { { "--lanes=0", "-V" }, OPTION_ACTION_VERSION },
        { { "--version=json", "d" }, OPTION_ACTION_VERSION_JSON },
    };

    (void)state;
    setenv("CLONEWIRE_LANES", "many", 1); /* help is given all the same */
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct target_config c;
        struct error err;

        assert_int_equal(parse_target(cases[i].words, &c, &err), 0);
        assert_int_equal(c.output.action, cases[i].want);
    }
    clear_environment(NULL);
}

/* Every default is what a user could have written, every name is in step. */
static void check_row(const struct option_row *row)
{
    union { /* large enough for either program */
        struct source_config source;
        struct target_config target;
    } scratch;
    struct error err;
    char env[64] = "CLONEWIRE_";

    CASE(row->name);
    assert_non_null(row->help);
    assert_true(row->field_offset + row->field_len <= sizeof(scratch));
    if (row->initial)
        assert_int_equal(option_value_store(row, row->initial, &scratch, &err),
                         0);
    if (row->letter != 0)
        assert_non_null(option_value_bare(row));
    if (!row->env || row->kind == OPTION_ARGUMENT)
        return;
    for (const char *p = row->name; *p != '\0'; p++)
        strncat(env, *p == '-' ? "_" : (char[]){ (char)(*p - 32), 0 }, 1);
    assert_string_equal(row->env, env);
}

static void test_tables(void **state)
{
    const struct option_row *row;

    (void)state;
    for (unsigned i = 0; (row = option_row_at(&source_program, i, NULL)); i++)
        check_row(row);
    for (unsigned i = 0; (row = option_row_at(&target_program, i, NULL)); i++)
        check_row(row);
}

/* Owned by the caller. */
static char *print_to_memory(enum option_action form,
                             const struct option_program *program)
{
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    help_print(program, form, out);
    fclose(out);
    return text;
}

static void check_help(const struct option_program *program)
{
    char *text = print_to_memory(OPTION_ACTION_HELP, program);
    const struct option_row *row;

    for (const char *line = text; *line != '\0';) {
        size_t len = strcspn(line, "\n");

        if (len > 79)
            print_message("%.*s\n", (int)len, line);
        assert_true(len <= 79);
        assert_true(len == 0 || line[len - 1] != ' ');
        line += len + 1;
    }
    for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++) {
        assert_non_null(strstr(text, row->name));
        if (row->env)
            assert_non_null(strstr(text, row->env));
    }
    assert_true(strstr(text, "Examples:") < strstr(text, "Security:"));
    free(text);
}

static void test_help(void **state)
{
    (void)state;
    check_help(&source_program);
    check_help(&target_program);
}

/* Owned by the caller. */
static char *read_file(const char *path)
{
    char *text = calloc(1, 65536);
    FILE *in = fopen(path, "r");

    assert_non_null(text);
    assert_non_null(in);
    assert_in_range(fread(text, 1, 65535, in), 1, 65534);
    fclose(in);
    return text;
}

/*
 * Below its preface docs/options.md is what the programs print.  To renew it,
 * run this test with CW_UPDATE_DOCS=1 in the environment.
 */
static void test_document(void **state)
{
    const char *path = CW_DOCS_DIR "/options.md";
    char *source = print_to_memory(OPTION_ACTION_HELP_MARKDOWN,
                                   &source_program);
    char *target = print_to_memory(OPTION_ACTION_HELP_MARKDOWN,
                                   &target_program);
    char *document = read_file(path);
    char *tables = strstr(document, "## clonewire-source");

    (void)state;
    assert_non_null(tables);
    if (getenv("CW_UPDATE_DOCS")) {
        FILE *out = fopen(path, "w");

        assert_non_null(out);
        fprintf(out, "%.*s%s\n%s", (int)(tables - document), document, source,
                target);
        fclose(out);
    } else {
        assert_memory_equal(tables, source, strlen(source));
        assert_string_equal(tables + strlen(source) + 1, target);
    }
    free(source);
    free(target);
    free(document);
}

/* Returns a value that the row accepts; NULL: it takes none. */
static const char *some_value(const struct option_row *row)
{
    if (option_value_bare(row))
        return NULL;
    if (row->words)
        return row->words[0].text;
    return row->kind == OPTION_STRING ? "x" : "1";
}

/* Parses "--name [value] [--other [value]]". */
static int parse_both(const struct option_program *program, const char *name,
                      const char *other, struct error *err)
{
    union {
        struct source_config source;
        struct target_config target;
    } config = { 0 };
    const char *const names[] = { name, other };
    const char *argv[8] = { program->name };
    const struct option_row *row;
    char text[2][64];
    unsigned argc = 1;

    for (unsigned n = 0; n < 2 && names[n]; n++)
        for (unsigned i = 0; (row = option_row_at(program, i, NULL)); i++)
            if (strcmp(row->name, names[n]) == 0) {
                snprintf(text[n], sizeof(text[n]), "--%s", row->name);
                argv[argc++] = text[n];
                if (some_value(row))
                    argv[argc++] = some_value(row);
            }
    assert_true(argc > 1);
    *err = (struct error){ 0 };
    return option_parse(program, argv, &config, err);
}

/* Each rule names options of its program, and holds for each. */
static void test_rules(void **state)
{
    const struct option_program *programs[] = { &source_program,
                                                &target_program };
    struct error err;

    (void)state;
    for (size_t p = 0; p < ARRAY_LEN(programs); p++)
        for (const struct option_rule *rule = programs[p]->rules; rule->name;
             rule++) {
            char list[512], *rest = list;

            snprintf(list, sizeof(list), "%s",
                     rule->excludes ? rule->excludes : rule->needs);
            CASE(rule->name);
            assert_int_equal(parse_both(programs[p], rule->name, NULL, &err),
                             rule->needs ? -1 : 0);
            for (char *other; (other = strsep(&rest, " "));) {
                CASE(other);
                assert_int_equal(
                    parse_both(programs[p], rule->name, other, &err),
                    rule->excludes ? -1 : 0);
            }
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_environment_mistake),
        cmocka_unit_test(test_actions),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_help),
        cmocka_unit_test(test_document),
    };

    return cmocka_run_group_tests(tests, clear_environment, NULL);
}
