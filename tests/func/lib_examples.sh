# shellcheck shell=bash
# lib_examples.sh - the commands that README, documents and manuals show.
# After lib.sh.
#
#   shown FILE...       of documents: "WHERE COMMAND" a line, continued lines
#                       joined; WHERE is source or target, or here for "$"
#   examples PROGRAM    the same of its --help, which its manual has, too

DOCS=$CW_SOURCE_DIR

join_lines() { sed -e ':a' -e '/\\$/{N;s/ *\\\n */ /;ba' -e '}' "$@"; }

shown() # FILE...
{
    join_lines "${@/#/$DOCS/}" |
        sed -nE 's/^ *(target|source)\$ +/\1 /p; s/^\$ +/here /p'
}

examples() # PROGRAM
{
    # Not in one pipe: the program must not find it closed.
    "$1" --help >help.txt
    sed '1,/^Examples:$/d; /^$/,$d' help.txt >examples.txt
    join_lines examples.txt |
        sed -E "s/^ +clonewire-(source|target)/\\1 &/; s/  +/ /g; s/ \\(.*//"
}

# Of both documents and both programs, which are in PATH.
every_example()
{
    shown README.md docs/operations.md
    examples clonewire-target
    examples clonewire-source
}
