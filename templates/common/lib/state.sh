# The state directory (0700): journal, salt, lock, and what each installed bundle was made of, for going back.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
#   journal   lock/   salt   receipt.json   owned (only while uninstalling)
#   bundles/<bundle digest>.<parameters digest>/   what going back needs: site.env, site/, parameters, images
#   work/     of the run that is going on; removed at its end

# state_name: where it is, unless --state said.
state_name() {
    [ -z "$state" ] || return 0
    [ -n "${XDG_STATE_HOME-}" ] || [ -n "${HOME-}" ] ||
        stop 2 usage/no-state "neither HOME nor XDG_STATE_HOME is set" "Give --state DIR."
    state=${XDG_STATE_HOME:-$HOME/.local/state}/cloudlet-bundle/$CB_NAME
}

# state_open: makes it, takes the lock, makes a folder for this run.
state_open() {
    mkdir -p "$state" && chmod 700 "$state" && [ -w "$state" ] ||
        stop 3 state/unwritable "can't write to $state" "Give another directory with --state."
    state_lock
    state_salt=$state/salt
    if [ ! -s "$state_salt" ]; then
        od -An -tx1 -N32 /dev/urandom | tr -d ' \n' >"$state_salt.new"
        mv -f "$state_salt.new" "$state_salt"
    fi
    work=$state/work
    rm -rf "$work"
    mkdir "$work"
    : >>"$state/journal"
    journal=$state/journal
}

# state_look: for verbs that change nothing. Reads what is there, leaves nothing.
state_look() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/cloudlet-bundle.XXXXXX") ||
        stop 3 state/no-temporary "can't make a temporary directory" "Set TMPDIR to a directory you can write to."
    state_salt=$state/salt
    [ -r "$state_salt" ] || {
        state_salt=$work/salt
        : >"$state_salt"
    }
    journal=$state/journal
    [ -r "$journal" ] || journal=/dev/null
}

# state_close: at every end, also an interrupted one.
state_close() {
    [ -z "${work-}" ] || rm -rf "$work"
    [ "${lock_held-no}" = no ] || rm -rf "$state/lock"
}

# state_lock: a second run is refused; the lock of a run that died is taken over.
state_lock() {
    lock_tries=0
    until mkdir "$state/lock" 2>/dev/null; do
        lock_tries=$((lock_tries + 1))
        [ "$lock_tries" -le 5 ] || stop 3 state/busy "can't take the lock $state/lock" \
            "If no install.sh is running, remove that directory."
        lock_owner=$(cat "$state/lock/owner" 2>/dev/null) || lock_owner=''
        # The moment between mkdir and the owner's name: look again.
        [ -n "$lock_owner" ] || [ "$lock_tries" -ge 3 ] || {
            sleep 1
            continue
        }
        ! lock_alive "$lock_owner" || stop 3 state/busy "another install.sh is at work here (process ${lock_owner%% *})" \
            "Wait until it ends. ./install.sh --status shows where it is."
        lock_orphan
        state_unlock_dead
    done
    lock_held=yes
    printf '%s %s %s\n' "$$" "$(process_born $$)" "$(uname -n)" >"$state/lock/owner"
}

# state_unlock_dead: renames first, so that of two runs that both found the dead one only one goes on.
state_unlock_dead() {
    mv "$state/lock" "$state/lock.$$" 2>/dev/null || return 0
    [ "$(cat "$state/lock.$$/owner" 2>/dev/null)" = "$lock_owner" ] ||
        stop 3 state/busy "another install.sh has just started here" "Wait until it ends."
    rm -rf "$state/lock.$$"
}

# lock_alive "PID BORN HOST": on another host (a shared home) nobody can tell, so it counts as alive.
lock_alive() {
    # shellcheck disable=SC2086 # three words
    set -- $1
    [ $# -eq 3 ] || return 1
    [ "$3" = "$(uname -n)" ] || return 0
    kill -0 "$1" 2>/dev/null && [ "$(process_born "$1")" = "$2" ]
}

# lock_orphan: the client that the dead run had started may still be sending. It would race with this run.
lock_orphan() {
    # shellcheck disable=SC2046 # two words
    set -- $(cat "$state/lock/child" 2>/dev/null)
    [ $# -eq 2 ] && [ "$(process_born "$1")" = "$2" ] || return 0
    say "stopping what a former run left behind (process $1)"
    kill "$1" 2>/dev/null || :
    lock_waits=0
    while [ "$lock_waits" -lt 10 ] && [ "$(process_born "$1")" = "$2" ]; do
        lock_waits=$((lock_waits + 1))
        sleep 1
    done
    [ "$(process_born "$1")" != "$2" ] || kill -9 "$1" 2>/dev/null || :
}

# process_born PID: its start time since boot (Linux, proc(5) field 22), so that a reused number is not mistaken for it.
process_born() {
    process_stat=$(cat "/proc/$1/stat" 2>/dev/null) || process_stat=''
    if [ -n "$process_stat" ]; then
        printf '%s' "${process_stat##*\) }" | cut -d' ' -f20
    elif kill -0 "$1" 2>/dev/null; then
        printf 'unknown'
    else
        printf 'gone'
    fi
}

# bundle_saved KEY: the folder that keeps what was installed; the key is <bundle digest>.<parameters digest>.
bundle_saved() {
    printf '%s/bundles/%s' "$state" "$1"
}

# bundle_save: keeps what going back will need: text only, the images stay in the cloud. Written aside, then renamed.
bundle_save() {
    saved=$(bundle_saved "$target_key")
    [ ! -d "$saved" ] || return 0
    rm -rf "$saved.new"
    mkdir -p "$saved.new"
    cp "$here/site.env" "$saved.new/site.env"
    for saved_file in $(platform_keeps); do
        mkdir -p "$saved.new/$(dirname "$saved_file")"
        cp "$here/$saved_file" "$saved.new/$saved_file"
    done
    cp "$work/parameters" "$saved.new/parameters"
    mv "$saved.new" "$saved"
}
