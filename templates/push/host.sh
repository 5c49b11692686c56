#!/bin/sh
# What `cloudlet-bundle push` does on the host. It comes over the line with each command; only an installation keeps it (run/host.sh).
# shellcheck disable=SC2015 # "a && b || c": c if either fails
#
# usage: host.sh VERB FOLDER [WORD]...
#
# Answers are lines of standard output, NAME VALUE. Exit status: 0 done, 7 nothing of that is there, 8 another push or an
# installation is at work, 9 the folder is not one of push's, else what failed tells on standard error.
#
# In the folder, which is its owner's alone (0700):
#   .cloudlet-push    its mark: what has it was made by push, and push may remove it
#   bundle.tar.part   what has arrived; writer names the process that writes it
#   bundle.tar        all of it, until what was unpacked is found good
#   bundle/           unpacked; unpacked holds the digest of the tar that it came from
#   secrets           only while an installation runs
#   run/              of the last installation: pid, log, status, receipt.json
set -u
umask 077
LC_ALL=C
export LC_ALL
unset CDPATH ENV BASH_ENV TAR_OPTIONS POSIXLY_CORRECT

main() {
    verb=$1
    folder_find "$2"
    shift 2
    case $verb in
    survey | prepare | run) ;;
    *) folder_enter ;;
    esac
    case $verb in
    survey) survey ;;
    prepare) prepare ;;
    measure) measure "$1" ;;
    send) send "$1" "$2" ;;
    cut) cut_off "$1" "$2" ;;
    digest) digest "$1" "$2" "$3" ;;
    complete) mv -f bundle.tar.part bundle.tar && rm -f writer ;;
    again) mv -f bundle.tar bundle.tar.part ;;
    unpack) unpack "$1" ;;
    verify) verify "$1" "$2" "$3" ;;
    keep) keep "$1" ;;
    secrets) secrets "$1" ;;
    start) start "$@" ;;
    run) run "$@" ;;
    follow) follow "$1" ;;
    outcome) outcome ;;
    receipt) [ -f run/receipt.json ] || exit 7 && cat run/receipt.json ;;
    tidy) run_alive || rm -f secrets ;;
    cancel) cancel ;;
    remove) remove ;;
    esac
}

say() {
    printf '%s %s\n' "$1" "$2"
}

fail() { # STATUS TEXT
    printf '%s\n' "$2" >&2
    exit "$1"
}

# --- the folder ----------------------------------------------------------------------------------------------------

# folder_find FOLDER: sets folder, absolute; what is not is below the home folder.
folder_find() {
    case $1 in
    /*) folder=$1 ;;
    *) folder=$(cd "${HOME:?}" && pwd -P)/$1 || fail 1 "there is no home folder" ;;
    esac
}

folder_is_ours() {
    [ -d "$folder" ] && [ -f "$folder/.cloudlet-push" ] && [ -O "$folder/.cloudlet-push" ]
}

folder_enter() {
    [ -e "$folder" ] || [ -L "$folder" ] || exit 7
    folder_is_ours && cd "$folder" || fail 9 "$folder was not made by push"
}

# prepare: makes it, or takes one that is there and empty.
prepare() {
    folder_is_ours || {
        mkdir -p "$folder" || fail 1 "$folder can't be made"
        [ -d "$folder" ] && [ -O "$folder" ] && [ -z "$(ls -A "$folder")" ] || fail 9 "$folder is there, and was not made by push"
        chmod 0700 "$folder" && printf 'cloudlet-bundle push\n' >"$folder/.cloudlet-push" || fail 1 "$folder can't be written to"
    }
    cd "$folder" || exit 1
    ! run_alive || exit 8
    rm -rf secrets secrets.new bundle.new
    say folder "$(pwd -P)"
}

# survey: what is there, without changing anything.
survey() {
    lacks=''
    for tool in awk cat chmod cut dd df head kill ls mkdir mv openssl rm rmdir sed sha256sum sleep stat tail tar; do
        command -v $tool >/dev/null 2>&1 || lacks="$lacks $tool"
    done
    say lacks "$lacks"
    say folder "$folder"
    near=$folder
    while [ ! -d "$near" ] && [ "$near" != / ] && [ -n "$near" ]; do near=${near%/*}; done
    # The figure before the percentage, whatever stands before it: names of devices may have blanks.
    say free "$(df -Pk "${near:-/}" 2>/dev/null | sed -n '2s/^.* \([0-9][0-9]*\)  *[0-9][0-9]*% .*$/\1/p')"
    if folder_is_ours; then
        cd "$folder" || exit 1
        say state ours
        say part "$(size_of bundle.tar.part)"
        say tar "$(size_of bundle.tar)"
        say unpacked "$(cat unpacked 2>/dev/null)"
        say run-id "$(cat run/id 2>/dev/null)"
        if run_alive; then say run going; elif [ -f run/status ]; then say run "ended $(cat run/status)"; elif [ -d run ]; then say run died; else say run none; fi
    elif [ -d "$folder" ] && [ -O "$folder" ] && [ -z "$(ls -A "$folder")" ] || [ ! -e "$folder" ] && [ ! -L "$folder" ]; then
        say state absent
    else
        say state foreign
    fi
    say end survey
}

# size_of FILE: in bytes; nothing where there is none. BusyBox's wc reads a file to its end.
size_of() {
    [ ! -f "$1" ] || stat -c %s "$1"
}

# --- the bundle's bytes --------------------------------------------------------------------------------------------

# measure ID: how much has arrived, when nobody writes any more.
measure() {
    writer_end "$1"
    say part "$(size_of bundle.tar.part)"
    say tar "$(size_of bundle.tar)"
}

# writer_is KIND ID: this process, which becomes the one that writes (send) or works on what is there (work).
writer_is() {
    printf '%s %s %s %s\n' $$ "$(process_born $$)" "$1" "$2" >writer || exit 1
}

# writer_end ID: what writes for a line that is gone is ended, so that nothing comes behind what was counted.
writer_end() {
    writer=$(cat writer 2>/dev/null)
    if process_alive "$writer"; then
        # Another push: if its file grows, it is at work; else its line is gone, and sshd has not noticed yet. What unpacks or
        # verifies for it comes to an end by itself.
        if [ "${writer##* }" != "$1" ]; then
            case $writer in *' work '*) exit 8 ;; esac
            before=$(size_of bundle.tar.part)
            sleep 2
            [ "$(size_of bundle.tar.part)" = "$before" ] || exit 8
        fi
        kill -9 "${writer%% *}" 2>/dev/null
        waits=0
        while process_alive "$writer"; do
            waits=$((waits + 1))
            [ $waits -lt 20 ] || fail 1 "process ${writer%% *} does not end"
            sleep 1
        done
    fi
    rm -f writer
}

# send ID OFFSET: what comes on standard input goes behind the first OFFSET bytes.
send() {
    arrived=$(size_of bundle.tar.part)
    [ "${arrived:-0}" = "$2" ] || fail 8 "somebody else has written to $folder/bundle.tar.part"
    writer_is send "$1"
    exec cat >>bundle.tar.part
}

# cut_off FILE MIB: keeps the first MIB of it.
cut_off() {
    dd if=/dev/null of="$1" bs=1048576 seek="$2" count=0 2>/dev/null
}

# digest FILE MIB LENGTH: of so many bytes behind the first MIB.
digest() {
    [ -f "$1" ] || exit 7
    sum=$(dd if="$1" bs=1048576 skip="$2" 2>/dev/null | head -c "$3" | sha256sum) || exit 1
    say sha256 "${sum%% *}"
}

# unpack ID
unpack() {
    [ -f bundle.tar ] || exit 7
    writer_end "$1"
    rm -rf bundle.new
    mkdir bundle.new || exit 1
    writer_is work "$1"
    # -o: the files are ours, not those of a user 0.
    exec tar -xof bundle.tar -C bundle.new
}

# verify ID FOLDER TRUST: the bundle's own verify.sh.
verify() {
    [ -f "$2/verify.sh" ] || exit 7
    writer_end "$1"
    writer_is work "$1"
    exec sh "./$2/verify.sh" --trust "$3" 2>&1
}

# keep DIGEST: what was unpacked is good: it takes its place, and the tar is needed no more.
keep() {
    ! run_alive || exit 8
    rm -f unpacked
    rm -rf bundle
    mv bundle.new bundle && printf '%s\n' "$1" >unpacked.new && mv -f unpacked.new unpacked && rm -f bundle.tar
}

# secrets SIZE: from standard input.
secrets() {
    cat >secrets.new && [ "$(size_of secrets.new)" = "$1" ] && mv -f secrets.new secrets || {
        rm -f secrets.new
        fail 1 "the secrets did not arrive"
    }
}

# --- the installation ----------------------------------------------------------------------------------------------

# process_born PID: its start time since boot (proc(5), field 22), so that a number that is used again is not taken for it.
process_born() {
    process_stat=$(cat "/proc/$1/stat" 2>/dev/null) || process_stat=''
    if [ -n "$process_stat" ]; then
        printf '%s' "${process_stat##*\) }" | cut -d' ' -f20
    elif kill -0 "$1" 2>/dev/null; then
        printf unknown
    else
        printf gone
    fi
}

# process_alive "PID BORN ...": a zombie is dead.
process_alive() {
    # shellcheck disable=SC2086 # words
    set -- $1
    [ $# -ge 2 ] && kill -0 "$1" 2>/dev/null && [ "$(process_born "$1")" = "$2" ] || return 1
    case $(cat "/proc/$1/stat" 2>/dev/null) in *') Z '*) return 1 ;; esac
}

run_alive() {
    [ ! -f run/status ] && process_alive "$(cat run/pid 2>/dev/null)"
}

# start ID SOURCE WORD...: install.sh with these words, detached from the line. This script comes on standard input. The same
# ID again changes nothing: the line may have been cut before the answer came.
start() {
    if [ "$(cat run/id 2>/dev/null)" = "$1" ] && { [ -f run/pid ] || [ -f run/status ]; }; then
        say started again
        exit 0
    fi
    ! run_alive || exit 8
    rm -rf run
    mkdir run && cat >run/host.sh && printf '%s\n' "$1" >run/id && : >run/log || fail 1 "$folder can't be written to"
    shift
    # A session of its own, so that the end of the line is not its end, and all that it starts can be stopped at once. Each
    # command of sshd's is one already, where there is no setsid.
    if command -v setsid >/dev/null 2>&1; then
        setsid sh run/host.sh run "$folder" "$@" </dev/null >>run/log 2>&1 &
    else
        nohup sh run/host.sh run "$folder" "$@" </dev/null >>run/log 2>&1 &
    fi
    waits=0
    until [ -f run/pid ] || [ -f run/status ]; do
        waits=$((waits + 1))
        [ $waits -lt 30 ] || fail 1 "the installation does not start: $(tail -n 3 run/log)"
        sleep 1
    done
    say started now
}

# run SOURCE WORD...: what goes on there. The secrets are gone when it ends, also if nobody is there to see it.
run() {
    cd "$folder" || exit 1
    trap '' HUP
    # A handler, not "ignore": install.sh inherits the one and not the other, and has to end well itself.
    trap : INT TERM
    run_stat=$(cat /proc/$$/stat 2>/dev/null) || run_stat=''
    run_group=$(printf '%s' "${run_stat##*\) }" | cut -d' ' -f3)
    printf '%s %s %s\n' $$ "$(process_born $$)" "${run_group:-$$}" >run/pid.new && mv -f run/pid.new run/pid || exit 1
    run_source=$1 run_status=0
    shift
    case $run_source in
    '' | /*) ;;
    *) run_source=$HOME/$run_source ;;
    esac
    if [ -n "$run_source" ] && [ ! -r "$run_source" ]; then
        printf 'push: %s can not be read on this host\n' "$run_source"
        run_status=2
    else
        # shellcheck source=/dev/null
        (
            trap - INT TERM
            set +u
            [ -z "$run_source" ] || . "$run_source"
            exec sh bundle/install.sh "$@"
        ) || run_status=$?
    fi
    rm -f secrets
    printf '%s\n' "$run_status" >run/status.new && mv -f run/status.new run/status
}

# follow OFFSET: the log from there on, as it grows, until the installation has ended.
follow() {
    [ -d run ] || exit 7
    follow_at=$1
    while :; do
        # Asked before the log is read: what was written before the end is shown.
        if run_alive; then follow_over=no; else follow_over=yes; fi
        follow_size=$(size_of run/log)
        if [ "${follow_size:-0}" -gt "$follow_at" ]; then
            tail -c "+$((follow_at + 1))" run/log | head -c $((follow_size - follow_at)) || exit 1
            follow_at=$follow_size
        fi
        [ $follow_over = no ] || break
        sleep 1
    done
}

# outcome: how it has ended.
outcome() {
    [ -d run ] || exit 7
    if run_alive; then
        say run going
    elif [ -f run/status ]; then
        say run ended
        rm -f secrets
        say status "$(cat run/status)"
    else
        # Killed, or the host was restarted.
        rm -f secrets
        say run died
    fi
    if [ -f run/receipt.json ]; then say receipt yes; else say receipt no; fi
}

# cancel: as Ctrl-C would; install.sh notes where it was. What does not end in half a minute is killed.
cancel() {
    run_alive || exit 7
    cancel_pid=$(cat run/pid)
    cancel_group=${cancel_pid##* }
    signal_all TERM
    waits=0
    while run_alive; do
        waits=$((waits + 1))
        [ $waits != 30 ] || {
            signal_all KILL
            rm -f secrets
            say cancelled killed
            exit 0
        }
        sleep 1
    done
    say cancelled "$(cat run/status 2>/dev/null)"
}

# signal_all SIGNAL: to the group of the run. dash reads the one form, BusyBox the other.
signal_all() {
    kill -s "$1" -- "-$cancel_group" 2>/dev/null || kill -"$1" "-$cancel_group" 2>/dev/null || kill -"$1" "${cancel_pid%% *}"
}

# --- the end -------------------------------------------------------------------------------------------------------

# remove: what push has put there, by its names; then looks whether anything is left.
remove() {
    ! run_alive || exit 8
    process_alive "$(cat writer 2>/dev/null)" && kill -9 "$(cut -d' ' -f1 writer)" 2>/dev/null
    rm -rf bundle bundle.new run
    rm -f bundle.tar bundle.tar.part secrets secrets.new unpacked unpacked.new writer
    left=no
    for each in * .[!.]* ..?*; do
        [ -e "$each" ] || [ -L "$each" ] || continue
        [ "$each" != .cloudlet-push ] || continue
        say left "$each"
        left=yes
    done
    [ $left = no ] || exit 0
    rm -f .cloudlet-push
    cd / && rmdir "$folder" || fail 1 "$folder can't be removed"
    case ${folder%/*} in */cloudlet-bundle) rmdir "${folder%/*}" 2>/dev/null ;; esac
    [ ! -e "$folder" ] && say removed "$folder"
}

main "$@"
