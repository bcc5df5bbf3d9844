#include "options/help.h"

#define EVERY_OPTION(template)                           \
    [HELP_BARE] = (template), [HELP_WORDS] = (template), \
    [HELP_FILE] = (template), [HELP_TEXT] = (template)

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): literals of several lines */

static const char *const no_escapes[] = { NULL };

/* In a table, a bar ends the cell even between backquotes. */
static const char *const markdown_escapes[] = { "|\\|", NULL };

/* Users type hyphens; a line that starts with a dot or quote is a request. */
static const char *const roff_escapes[] = { "-\\-", "\\\\e", ".\\&.", "'\\&'",
                                            NULL };

/* Within single quotes, a quote becomes a typographic one. */
static const char *const fish_escapes[] = { "'\xe2\x80\x99", "\\\\\\", NULL };
static const char *const zsh_escapes[] = { "'\xe2\x80\x99", "\\\\\\", "[\\[",
                                           "]\\]",          ":\\:",   NULL };

#define MEANING "@help@@range<; @range@@>"
#define ORIGIN  "@env< [@env@@default<; default: @default@@>]@>"

#define MARKDOWN_ROW                                    \
    "| `@letter<-@letter@, @>@flag@` | @env<`@env@` @>" \
    "| @default<`@default@` @>| " MEANING " |\n"

#define MAN_ROW                                       \
    ".TP\n.B @letter<\\-@letter@, @>@flag@\n" MEANING \
    "@default<; default: @default@@>.\n"              \
    "@env<Variable: \\fB@env@\\fR.\n@>"

const struct help_format help_formats[] = {
    [OPTION_ACTION_HELP] = {
        .escapes = no_escapes,
        .document =
            "@program@: @summary@\n\nUsage: @program@ @usage@\n\n"
            "Examples:\n@examples@@rows@\n"
            "The command line comes before the environment, and that before "
            "the default.\n"
            "Exit statuses are in the manual page and in docs/operations.md.\n",
        .heading = "\n@title@:\n",
        .rows = {
            [HELP_ARGUMENT] = "  @flag@\t" MEANING ORIGIN,
            EVERY_OPTION("@letter<  -@letter@, @:      @>@flag@"
                         "\t" MEANING ORIGIN),
        },
        .has_columns = true,
    },
    [OPTION_ACTION_HELP_MARKDOWN] = {
        .escapes = markdown_escapes,
        .document = "## @program@\n\n@=summary@.\n\n"
                    "```\n@program@ @=usage@\n```\n\n"
                    "```\n@=examples@```\n@rows@",
        .heading = "\n### @title@\n\n"
                   "| Option | Variable | Default | Meaning |\n"
                   "|---|---|---|---|\n",
        .rows = {
            [HELP_ARGUMENT] = MARKDOWN_ROW,
            EVERY_OPTION(MARKDOWN_ROW),
        },
    },
    [OPTION_ACTION_HELP_MAN] = {
        .escapes = roff_escapes,
        .paragraph = "\n.PP\n",
        .document =
            ".TH @=program@ 1 \"\" \"clonewire @=version@\" \"User Commands\"\n"
            ".SH NAME\n@program@ \\- @summary@\n"
            ".SH SYNOPSIS\n.B @program@\n@usage@\n"
            ".SH DESCRIPTION\n@story@\n"
            ".SH OPTIONS\nEvery option can be given in the environment too; "
            "the command line comes first.\n@rows@"
            ".SH EXAMPLES\n.nf\n@examples@.fi\n"
            ".SH EXIT STATUS\n@statuses@"
            ".SH SEE ALSO\n.BR @peer@ (1)\n",
        .heading = ".SS @title@\n",
        .rows = {
            [HELP_ARGUMENT] = MAN_ROW,
            EVERY_OPTION(MAN_ROW),
        },
    },
    /* bash splits "--a=b" into three words at "=". */
    [OPTION_ACTION_HELP_BASH] = {
        .escapes = no_escapes,
        .document =
            "# bash completion for @program@\n_@function@()\n{\n"
            "    local typed=${COMP_WORDS[COMP_CWORD]} words=\n"
            "    local before=${COMP_WORDS[COMP_CWORD - 1]}\n\n"
            "    if [ \"$typed\" = = ]; then\n"
            "        typed=\n"
            "    elif [ \"$before\" = = ] && [ \"$COMP_CWORD\" -ge 2 ]; then\n"
            "        before=${COMP_WORDS[COMP_CWORD - 2]}\n"
            "    fi\n"
            "    case $before in\n@rows@    esac\n"
            "    if [ -z \"$words\" ] && [[ $typed == -* ]]; then\n"
            "        words='@options@'\n"
            "    fi\n"
            "    if [ -n \"$words\" ]; then\n"
            "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- "
            "\"$typed\")\n"
            "    else\n"
            "        compopt -o filenames\n"
            "        mapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
            "    fi\n}\n"
            "complete -F _@function@ @program@\n",
        .rows = {
            [HELP_WORDS] = "    --@name@) words='@words@' ;;\n",
            [HELP_FILE] =
                "    --@name@) compopt -o filenames\n"
                "        mapfile -t COMPREPLY < <(compgen -f -- \"$typed\")\n"
                "        return ;;\n",
            [HELP_TEXT] = "    --@name@) return ;;\n",
        },
    },
    [OPTION_ACTION_HELP_ZSH] = {
        .escapes = zsh_escapes,
        .document = "#compdef @program@\n_arguments \\\n@rows@    && return 0\n",
        .rows = {
            [HELP_ARGUMENT] = "    '::@name@:_files' \\\n",
            [HELP_BARE] = "    '--@name@[@help@]' \\\n",
            [HELP_WORDS] = "    '--@name@=[@help@]:@name@:(@words@)' \\\n",
            [HELP_FILE] = "    '--@name@=[@help@]:file:_files' \\\n",
            [HELP_TEXT] = "    '--@name@=[@help@]:@name@: ' \\\n",
        },
    },
    [OPTION_ACTION_HELP_FISH] = {
        .escapes = fish_escapes,
        .document = "@rows@",
        .rows = {
            [HELP_BARE] = "complete -c @program@ -l @name@"
                          "@letter< -s @letter@@> "
                          "-d '@help@'\n",
            [HELP_WORDS] = "complete -c @program@ -l @name@ -x -a '@words@' "
                           "-d '@help@'\n",
            [HELP_FILE] = "complete -c @program@ -l @name@ -r -F "
                          "-d '@help@'\n",
            [HELP_TEXT] = "complete -c @program@ -l @name@ -x -d '@help@'\n",
        },
    },
};

/* NOLINTEND(bugprone-suspicious-missing-comma) */
