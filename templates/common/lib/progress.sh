# One line that changes while something long goes on; without a terminal, a new line now and then.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

progress_open=no
progress_last=0

# progress TEXT: on a terminal the line is drawn over, elsewhere it is written at most every 20 seconds.
progress() {
    [ "$quiet" = no ] || return 0
    if [ -t 2 ]; then
        printf '\r    %s\033[K' "$1" >&2
        progress_open=yes
        return 0
    fi
    progress_now=$(seconds)
    [ $((progress_now - progress_last)) -ge 20 ] || return 0
    progress_last=$progress_now
    printf '    %s\n' "$1" >&2
}

# progress_end: leaves the line as it is and starts a new one.
progress_end() {
    [ "$progress_open" = yes ] || return 0
    progress_open=no
    printf '\n' >&2
}

# bytes_read PID FILE: how far a process has read a file; nothing where the kernel does not tell.
bytes_read() {
    for bytes_fd in "/proc/$1/fd/"*; do
        [ "$(readlink "$bytes_fd" 2>/dev/null)" = "$2" ] || continue
        # The process may end at this very moment.
        sed -n 's/^pos:[[:space:]]*//p' "/proc/$1/fdinfo/${bytes_fd##*/}" 2>/dev/null || :
        return 0
    done
}

# mebibytes BYTES: rounded up.
mebibytes() {
    printf '%s' "$((($1 + 1048575) / 1048576))"
}
