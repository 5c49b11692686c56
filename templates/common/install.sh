#!/bin/sh
# Installs the cloudlet of this bundle into the site's own cloud; ./install.sh --help tells how.
# shellcheck disable=SC2034 # the variables below belong to all files of lib/
#
# The program's variables (each set in the file in brackets):
#   here, caller_folder          the bundle's folder, and where the operator stood           [this]
#   CB_*                         what the bundle is about                                     [site.env]
#   verb only trust allow_older secrets_file state receipt_file ova_file yes quiet colour parameters_given on_machine parts_given [arguments]
#   work journal state_salt      this run's files, the journal                                [state]
#   installed_* open_* highest_* the last completed run, a run that did not end, the most that was ever there [journal]
#   target_digest target_folder target_parameters target_secrets target_key former_key trust_version older_than [run]
#   child                        the client's process, while it changes something             [platform]
#
# Exit status: 0 done, 1 findings, 2 usage, 3 the environment failed, 130 or 143 interrupted.
set -eu
umask 077
LC_ALL=C
export LC_ALL
unset CDPATH ENV BASH_ENV

caller_folder=$(pwd -P)
here=$(cd "$(dirname -- "$0")" && pwd -P)
carriage_return=$(printf '\r')
child='' told=no step_now='' verb='' only='' quiet=no colour=yes trust_said='' lock_held=no

for part in say progress arguments site parameters secrets findings state journal receipt guest run; do
    # shellcheck source=/dev/null
    . "$here/lib/$part.sh"
done

main() {
    bold='' red='' yellow='' green='' plain=''
    site_load "$here/site.env"
    arguments_read "$@"
    say_colours
    state_name
    trap 'ended $?' EXIT
    trap 'interrupted 130' INT
    trap 'interrupted 143' TERM HUP
    # An archive of the bundle's own files: nobody at the site is asked.
    if [ "$verb" = ova ]; then
        # shellcheck source=/dev/null
        . "$here/lib/ova.sh"
        ova_run
        return 0
    fi
    [ -f "$here/lib/$CB_PLATFORM.sh" ] || stop 3 bundle/incomplete "there is no lib/$CB_PLATFORM.sh" "Unpack the bundle again."
    # shellcheck source=/dev/null
    . "$here/lib/$CB_PLATFORM.sh"
    case $verb in
    uninstall) run_uninstall ;;
    status) run_status ;;
    *) run_install ;;
    esac
}

# ended STATUS: at every end that the system lets us see.
ended() {
    trap - EXIT INT TERM HUP
    if [ "$1" != 0 ] && [ -n "$step_now" ] && [ -n "${journal-}" ]; then
        printf '%s failed %s\n' "$(utc)" "$step_now" >>"$journal" || :
    fi
    [ "$1" = 0 ] || [ "$told" = yes ] || printf 'install.sh ended unexpectedly (status %s%s): %s\n' "$1" \
        "${step_now:+, step $step_now}" 'what was done is recorded; run it again, and report this.' >&2
    # Not every platform holds something open, and none does before its file is read.
    ! command -v platform_close >/dev/null 2>&1 || platform_close || :
    state_close
    exit "$1"
}

# interrupted STATUS: stops the client, keeps the state.
interrupted() {
    trap '' INT TERM HUP
    [ -z "$child" ] || {
        kill "$child" 2>/dev/null || :
        wait "$child" 2>/dev/null || :
    }
    progress_end
    told=yes
    printf 'interrupted. What was done is recorded; run the same command again to go on.\n' >&2
    exit "$1"
}

main "$@"
