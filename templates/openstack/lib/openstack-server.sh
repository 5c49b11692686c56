# The PlatformVMs (one, or two with high availability): what Nova says about each, and what each says on its console.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# $work/servers holds a line for each, in the order of the spec, by tabs: number, name, id, status, health, stage, detail.
# Health: healthy, unhealthy, failed or starting, in the guest's own words; unknown where the cloud shows no console or
# the words have left it. What is not there is -.

# server_step check|do|undo: every server is ACTIVE and well.
server_step() {
    case $1 in
    check)
        servers_look
        step_id=$(cut -f3 "$work/servers" | tr '\n' ',' | sed 's/,$//')
        ! cut -f4 "$work/servers" | grep -qvx ACTIVE || return 1
        servers_well
        ;;
    do) server_wait ;;
    undo) ;;
    esac
}

# servers_look: asks Nova for the servers and for their consoles, all at once.
servers_look() {
    stack_output server_ids >"$work/server-ids"
    servers_at=0
    while IFS= read -r server_id <&3; do
        servers_at=$((servers_at + 1))
        ask "server-$servers_at" server show "$server_id" -f shell -c status -c fault
        ask "console-$servers_at" console log show "$server_id"
    done 3<"$work/server-ids"
    asked_all
    servers_at=0
    while [ "$servers_at" -lt "$CB_MACHINE_COUNT" ]; do
        servers_at=$((servers_at + 1))
        server_id=$(sed -n "${servers_at}p" "$work/server-ids")
        server_judge "$servers_at"
        printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$servers_at" "$(site_value "CB_MACHINE_${servers_at}_NAME")" \
            "${server_id:--}" "$server_status" "$server_health" "${server_stage:--}" "${server_detail:--}"
    done >"$work/servers"
    server_console_warn
}

# server_judge NUMBER: sets server_status, server_health, server_stage, server_detail from the answers.
server_judge() {
    server_status=missing server_health=unknown server_stage='' server_detail=''
    [ -n "$server_id" ] || return 0
    if answered "server-$1"; then
        server_status=$(answer "server-$1" status)
    elif ! not_found "server-$1"; then
        server_status=unknown
    fi
    answered "console-$1" || return 0
    [ ! -s "$work/console-$1" ] || : >"$work/heard-$1"
    server_said=$(guest_stage "$work/console-$1")
    server_stage=${server_said%% *} server_detail=${server_said#* }
    case $server_stage in
    '') ;;
    healthy | unhealthy | failed) server_health=$server_stage ;;
    *) server_health=starting ;;
    esac
}

# server_mute NUMBER: true if the cloud shows no console: its policy forbids it (403), its driver has none (501), or there
# is no log (404).
server_mute() {
    ! answered "console-$1" && LC_ALL=C grep -Eiq \
        'HTTP 403|HTTP 501|forbidden|disallowed by policy|not supported|not implemented|console (is )?(not |un)available|not have a console' \
        "$work/console-$1.error"
}

# server_console_warn: once a run.
server_console_warn() {
    [ "${server_warned-no}" = no ] || return 0
    servers_at=0
    while [ "$servers_at" -lt "$CB_MACHINE_COUNT" ]; do
        servers_at=$((servers_at + 1))
        server_mute "$servers_at" || continue
        server_warned=yes
        progress_end
        warn "this cloud shows no console ($(tail -n 1 "$work/console-$servers_at.error" | cut -c1-200)), so whether the guest is well is unknown"
        return 0
    done
}

# servers_well: each says that it is well. Where the words have left the console since, it is enough that a run has heard
# them; where there is no console, ACTIVE has to do.
servers_well() {
    while IFS='	' read -r server_at server_name server_id server_status server_health server_rest <&3; do
        case $server_health in
        healthy) ;;
        unknown) server_mute "$server_at" || grep -q " done server .*id=$step_id\$" "$work/journal" || return 1 ;;
        *) return 1 ;;
        esac
    done 3<"$work/servers"
}

# server_wait: 30 minutes, as the platform itself waits for a new cloudlet.
server_wait() {
    server_began=$(seconds)
    : >"$work/told"
    until server_step check; do
        servers_tell
        servers_trouble
        progress "$(cut -f4,6 "$work/servers" | tr '\t\n' '  '): $(($(seconds) - server_began)) s"
        sleep 4
    done
    servers_tell
    progress_end
}

# servers_tell: each new word of a guest, once.
servers_tell() {
    while IFS='	' read -r server_at server_name server_id server_status server_health server_stage server_detail <&3; do
        [ "$server_stage" != - ] || continue
        ! grep -qxF "$server_at $server_stage $server_detail" "$work/told" || continue
        printf '%s\n' "$server_at $server_stage $server_detail" >>"$work/told"
        progress_end
        say "    $server_name says: $server_stage ($server_detail)"
    done 3<"$work/servers"
}

# servers_trouble: ends the run where waiting on is of no use.
servers_trouble() {
    server_waited=$(($(seconds) - server_began))
    while IFS='	' read -r server_at server_name server_id server_status server_health server_stage server_detail <&3; do
        case $server_status in
        missing) stop 3 server/missing "the stack is complete, but its server $server_name ($server_id) is not there" \
            "Somebody deleted it by hand. ./install.sh --uninstall, and install again." ;;
        ERROR) stop 3 server/error "$server_name is in ERROR: $(answer "server-$server_at" fault | cut -c1-300)" \
            "Ask the cloud's administrator (often: no host has room). Then: ./install.sh --uninstall, and install again." ;;
        esac
        if [ "$server_health" = failed ]; then
            server_tail
            stop 1 guest/failed "$server_name says that it failed: $server_detail" "$(guest_remedy "$server_detail")
$(server_again)"
        elif [ "$server_waited" -ge 600 ] && [ "$server_status" = ACTIVE ] && [ ! -e "$work/heard-$server_at" ] && ! server_mute "$server_at"; then
            stop 1 server/silent "$server_name is ACTIVE for 10 minutes and its console shows nothing$(server_unread)" \
                "Does the image's kernel talk to the serial port (console=ttyS0)? Does Nova keep a console log? Look at it in another way: openstack console url show $server_id
$(server_again)"
        elif [ "$server_waited" -ge 1800 ] && [ "$server_health" != healthy ]; then
            server_tail
            server_said="'$server_stage ($server_detail)'"
            [ "$server_stage" != - ] || server_said=nothing
            stop 1 guest/late "after 30 minutes $server_name is $server_status and has said $server_said" \
                "Run this again to wait on. $(server_again)"
        fi
    done 3<"$work/servers"
}

# server_tail: the guest's own words, the last of them; without what a terminal would take for an order.
server_tail() {
    progress_end
    printf 'last lines of the console of %s:\n' "$server_name" >&2
    tr -d '\000-\010\013-\037\177-\377' <"$work/console-$server_at" 2>/dev/null | tail -n 15 | cut -c1-300 | sed 's/^/    /' | secrets_hide >&2 || :
}

# server_unread: why the console could not be read, if the cloud said so.
server_unread() {
    answered "console-$server_at" || printf ' (%s)' "$(tail -n 1 "$work/console-$server_at.error" | cut -c1-200)"
}

server_again() {
    printf '%s' "The whole console: openstack console log show $server_id
A reboot makes the guest try again: openstack server reboot $server_id; then repeat this command."
}
