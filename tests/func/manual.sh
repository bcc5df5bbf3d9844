#!/bin/bash
# Manual pages and completions contain every option. groff has no warnings, and
# each shell completes.
. "$(dirname "$0")/lib.sh"

options_of() # PROGRAM: "--lanes", one a line, as --help=markdown has them
{
    # shellcheck disable=SC2016 # backquotes of markdown
    "$1" --help=markdown | grep -oE '^\| `[^`]*--[a-z0-9-]+' | grep -oE -- '--.*'
}

for name in source target; do
    program=$CW_BUILD/cmd/clonewire-$name
    "$program" --help=man >manual.1
    "$program" --help=bash >completion.bash
    "$program" --help=zsh >"_clonewire-$name"
    "$program" --help=fish >completion.fish
    grep -q '^\.SH DESCRIPTION$' manual.1 || fail "no description"
    options_of "$program" >options
    [ "$(wc -l <options)" -gt 20 ] || fail "$(wc -l <options) options"
    while read -r option; do
        grep -qF -- "${option//-/\\-}" manual.1 || fail "manual: no $option"
        grep -qF -- " $option " completion.bash ||
            grep -qE -- "['\" ]${option}['\" ]" completion.bash ||
            fail "bash: no $option"
        grep -qE -- "'$option(=|\[)" "_clonewire-$name" ||
            fail "zsh: no $option"
        grep -qE -- " -l ${option#--} " completion.fish ||
            fail "fish: no $option"
    done <options
    for status in 0 1 2 10 11 12 13 14 20 21 22 30 31 40 75 130; do
        grep -qx ".B $status" manual.1 || fail "manual: no status $status"
    done
    if command -v groff >/dev/null; then
        groff -man -ww -z manual.1 2>groff.err
        [ ! -s groff.err ] || fail "groff: $(cat groff.err)"
    fi

    # Which groff lets pass, and other readers of manuals do not.
    ! grep -A 1 '^\.S[HS] ' manual.1 | grep -qx '\.PP' ||
        fail "a paragraph begins where a section does"

    # Installed are the same.
    for installed in clonewire-$name.1 _clonewire-$name clonewire-$name.bash \
        clonewire-$name.fish; do
        [ -s "$CW_BUILD/cmd/$installed" ] || fail "not built: $installed"
    done
    cmp manual.1 "$CW_BUILD/cmd/clonewire-$name.1"
done

# bash: what is typed, the words bash makes of it, and what is offered.
"$SOURCE" --help=bash >completion.bash
bash_offers() # WORD...: the last is being typed
{
    bash -c 'compopt() { :; }; . ./completion.bash; COMP_WORDS=(clonewire-source "$@")
        COMP_CWORD=$#; _clonewire_source; printf "%s\n" "${COMPREPLY[@]}"' _ "$@"
}
touch disk.img
while read -r option; do
    assert_equal "$(bash_offers "$option" dis)" disk.img "bash: $option"
done < <("$SOURCE" --help=markdown | grep -oE '^\| `[^`]*=(FILE|DIR|DEST)`' |
    grep -oE -- '--[a-z-]+')
assert_equal "$(bash_offers --io-e)" --io-engine "bash"
assert_equal "$(bash_offers --io-engine u)" uring "bash"
assert_equal "$(bash_offers --io-engine = th)" threads "bash"
assert_equal "$(bash_offers --io-engine = | wc -l)" 3 "bash"
assert_equal "$(bash_offers --cert dis)" disk.img "bash"
assert_equal "$(bash_offers dis)" disk.img "bash"
assert_equal "$(bash_offers --lanes 4)" "" "bash"

if command -v fish >/dev/null; then
    fish_offers() # LINE
    {
        HOME=$PWD fish --no-config -c "source completion.fish
            complete -C '$1'" | cut -f 1
    }
    "$TARGET" --help=fish >completion.fish
    assert_equal "$(fish_offers 'clonewire-target --preallocate ')" \
        "$(printf 'auto\nfalloc\nfull\noff')" "fish"
    assert_equal "$(fish_offers 'clonewire-target --overc')" --overcommit "fish"
fi

if command -v zsh >/dev/null && command -v python3 >/dev/null; then
    python3 - <<'END' >zsh.out 2>&1 || fail "zsh: $(cat zsh.out)"
import os, pty, re, select, sys, time
pid, fd = pty.fork()
if pid == 0:
    os.environ.update(TERM="dumb", HOME=os.getcwd())
    os.execvp("zsh", ["zsh", "-f", "-i"])
seen = b""
def expect(pattern, seconds=20):
    global seen
    deadline = time.monotonic() + seconds
    while not re.search(pattern, seen):
        if not select.select([fd], [], [], deadline - time.monotonic())[0]:
            sys.exit(f"no {pattern} in {seen.decode()}")
        seen += os.read(fd, 4096)
    seen = b""
os.write(fd, b"fpath=($PWD $fpath); autoload -Uz compinit; "
             b"compinit -u -d dump; print rea''dy\n")
expect(rb"\nready|\rready")
os.write(fd, b"clonewire-source --io-e\t")
expect(rb"--io-engine=")
os.write(fd, b"thr\t")
expect(rb"(?s)eads")
os.write(fd, b"\x15exit\n")
END
fi

# Both spellings of the version.
for form in '--version --json' --version=json; do
    read -ra words <<<"$form"
    "$SOURCE" "${words[@]}" >version.json
    grep -qE '^\{"name":"clonewire-source","version":"[0-9.]+"\}$' \
        version.json || fail "$form: $(cat version.json)"
done
