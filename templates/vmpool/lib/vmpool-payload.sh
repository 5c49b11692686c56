# The payload on the machine: sent from where it was cut, verified there, then the one that counts.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# payload_is_there: complete and verified, by the look that was taken. Sets payload_name, payload_part (bytes on their way).
payload_is_there() {
    payload_name=$(printf '%.12s' "$CB_PAYLOAD_SHA256")
    payload_part=$(number look "payload payload-$payload_name\.tar\.part")
    payload_whole=$(number look "payload payload-$payload_name\.tar")
    [ "$payload_whole" -eq "$CB_PAYLOAD_SIZE" ]
}

payload_check() {
    payload_is_there && [ "$(fact look link)" = "payload-$payload_name.tar" ] || return 1
    step_id="sha256:$CB_PAYLOAD_SHA256"
}

# payload_do: what is there already is not sent again; a connection that is cut is made anew as long as something arrives.
payload_do() {
    payload_is_there || {
        payload_file=$target_folder/$CB_PAYLOAD_FILE
        [ -f "$payload_file" ] || payload_file=$here/$CB_PAYLOAD_FILE
        payload_began=$(seconds)
        payload_tries=0 payload_before=-1 payload_cut=no
        while :; do
            machine_must size "asking how much of the payload is there" size "$payload_name" </dev/null
            payload_has=$(number size size)
            [ "$payload_cut" = no ] || say "    the connection was cut; $(mebibytes "$payload_has") MiB are there, going on"
            [ "$payload_has" -lt "$CB_PAYLOAD_SIZE" ] || break
            [ "$payload_has" -le "$payload_before" ] && payload_tries=$((payload_tries + 1)) || payload_tries=0
            [ "$payload_tries" -lt 3 ] || trouble_stop take "sending the payload"
            payload_before=$payload_has
            payload_cut=no
            payload_send || payload_cut=yes
        done
        progress_end
    }
    machine_must settle "verifying the payload on the machine" settle "$payload_name" "$CB_PAYLOAD_SIZE" "$CB_PAYLOAD_SHA256" </dev/null
    [ "$(fact settle settled)" = yes ] || stop 3 payload/damaged "what has arrived on $machine_title is not the payload; it is thrown away there" \
        "Run this again, which sends it anew. If that does not help, look at the disks and the network between."
    look_again
    step_id="sha256:$CB_PAYLOAD_SHA256"
}

# payload_send: from byte $payload_has on. The sender runs beside this script, so that progress can be shown and an
# interruption reaches it; its process is noted, so that a later run can stop what this one left behind.
payload_send() {
    tail -c "+$((payload_has + 1))" "$payload_file" | machine take take "$payload_name" "$payload_has" &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    while kill -0 "$child" 2>/dev/null; do
        sleep 1
        kill -0 "$child" 2>/dev/null && machine size size "$payload_name" </dev/null || continue
        progress "sending the payload: $(mebibytes "$(number size size)") of $(mebibytes "$CB_PAYLOAD_SIZE") MiB, $(($(seconds) - payload_began)) s"
    done
    payload_status=0
    wait "$child" || payload_status=$?
    child=''
    rm -f "$state/lock/child"
    return "$payload_status"
}
