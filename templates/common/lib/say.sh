# Messages. What was asked for goes to stdout; progress, warnings and errors go to stderr. No secret ever comes here.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# say TEXT...: progress that --quiet leaves out.
say() {
    [ "$quiet" = yes ] || printf '%s\n' "$*" >&2
}

# head TEXT...: the title of a stage.
heading() {
    [ "$quiet" = yes ] || printf '%s%s%s\n' "$bold" "$*" "$plain" >&2
}

# warn TEXT...: said even with --quiet.
warn() {
    printf '%swarning:%s %s\n' "$yellow" "$plain" "$*" >&2
}

# stop STATUS CODE WHAT DO: the one way out with an error. 1 findings, 2 usage, 3 environment.
stop() {
    progress_end
    told=yes
    printf '%serror%s %s: %s\n' "$red" "$plain" "$2" "$3" >&2
    [ -z "$4" ] || printf '%s\n' "$4" | sed 's/^/    /' >&2
    exit "$1"
}

# say_colours: only on a terminal, and only if nobody objects (no-color.org).
say_colours() {
    bold='' red='' yellow='' green='' plain=''
    [ "$colour" = yes ] && [ -z "${NO_COLOR-}" ] && [ -t 2 ] && [ "${TERM-dumb}" != dumb ] || return 0
    escape=$(printf '\033')
    bold="${escape}[1m" red="${escape}[31m" yellow="${escape}[33m" green="${escape}[32m" plain="${escape}[0m"
}

# ask_yes QUESTION: true if the operator types yes. Without a terminal nobody can, so --yes has to be given.
ask_yes() {
    [ "$yes" = no ] || return 0
    [ -t 0 ] || stop 2 usage/no-terminal "there is no terminal to ask on" "Give --yes to go on without being asked."
    printf '%s Type yes to go on: ' "$1" >&2
    IFS= read -r answer || answer=''
    [ "$answer" = yes ]
}

# utc: now, as the journal and the receipt write it.
utc() {
    date -u +%Y-%m-%dT%H:%M:%SZ
}

# seconds: now, to measure with.
seconds() {
    date +%s
}
