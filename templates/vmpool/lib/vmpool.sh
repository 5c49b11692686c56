# A pool of machines that are there already, behind the words that install.sh uses for every IaaS (platform_*).
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

for platform_part in ssh local preflight payload steps remove; do
    # shellcheck source=/dev/null
    . "$here/lib/vmpool-$platform_part.sh"
done

# platform_tools: a finding for each tool that is not there.
platform_tools() {
    tool_needed base64 coreutils
    [ "$on_machine" = no ] || return 0
    tool_needed ssh "the OpenSSH client (Debian, Ubuntu: openssh-client)"
    ! grep -q '^host_key=' "$work/parameters" || {
        tool_needed ssh-keyscan "the OpenSSH client"
        tool_needed ssh-keygen "the OpenSSH client"
    }
}

# platform_keeps: what has to be kept of a bundle to go back to it.
platform_keeps() {
    keeps_at=0
    while [ "$keeps_at" -lt "$CB_GUEST_FILE_COUNT" ]; do
        keeps_at=$((keeps_at + 1))
        site_value "CB_GUEST_FILE_${keeps_at}_FILE"
        printf '\n'
    done
    [ -z "$CB_VP_KNOWN_HOSTS" ] || printf '%s\n' "$CB_VP_KNOWN_HOSTS"
}

# platform_access: logs in and looks at the machine; false if there is no way in. Findings tell why.
platform_access() {
    preflight_parameters
    if [ "$on_machine" = yes ]; then
        machine_title='this machine'
        local_access || return 1
    else
        machine_title="$CB_VP_MACHINE"
        ssh_open || return 1
        machine_title="$CB_VP_MACHINE ($ssh_address)"
    fi
    machine_look && return 0
    trouble_finding look "$machine_title"
    return 1
}

# platform_close: at every end.
platform_close() {
    [ "$on_machine" = yes ] || ssh_close
}

# platform_preflight: what stands in the way of the target.
platform_preflight() {
    preflight_machine
}

# platform_exists: true if the machine carries our mark.
platform_exists() {
    [ "$owner_name" = "$CB_NAME" ]
}

# platform_has_target: true if what is installed was made from the target bundle.
platform_has_target() {
    [ "$owner_bundle" = "$target_digest" ]
}

# platform_holds_secrets: true if every secret that has to be there is, so that they need not be given again.
platform_holds_secrets() {
    platform_exists || return 1
    holds_at=0
    while [ "$holds_at" -lt "$CB_SECRET_COUNT" ]; do
        holds_at=$((holds_at + 1))
        [ "$(site_value "CB_SECRET_${holds_at}_REQUIRED")" = yes ] || continue
        grep -qxF -- "there full $(site_value "CB_SECRET_${holds_at}_PATH")" "$work/look" || return 1
    done
}

# platform_plan: what would be done, in order.
platform_plan() {
    printf 'machine  %s\n' "$machine_title"
    if payload_is_there; then
        printf 'keep     payload  %s\n' "$payload_name"
    else
        printf 'send     payload  %s (%s MiB%s)\n' "$payload_name" "$(mebibytes "$CB_PAYLOAD_SIZE")" \
            "$([ "$payload_part" = 0 ] || printf ', %s of them are there' "$(mebibytes "$payload_part")")"
    fi
    plan_at=0
    while [ "$plan_at" -lt "$CB_SECRET_COUNT" ]; do
        plan_at=$((plan_at + 1))
        if [ -n "$secrets_file" ]; then plan_word='write'; else plan_word='keep '; fi
        printf '%s    secret   %s\n' "$plan_word" "$(site_value "CB_SECRET_${plan_at}_PATH")"
    done
    files_compare
    plan_at=0
    while [ "$plan_at" -lt "$CB_GUEST_FILE_COUNT" ]; do
        plan_at=$((plan_at + 1))
        plan_path=$(site_value "CB_GUEST_FILE_${plan_at}_PATH")
        if grep -qxF -- "$plan_path" "$work/differing"; then plan_word='write'; else plan_word='keep '; fi
        printf '%s    file     %s\n' "$plan_word" "$plan_path"
    done
    plan_at=0
    while [ "$plan_at" -lt "$CB_VP_UNIT_COUNT" ]; do
        plan_at=$((plan_at + 1))
        printf 'enable   unit     %s\n' "$(site_value "CB_VP_UNIT_${plan_at}_NAME")"
    done
}

# platform_steps: names, in order.
platform_steps() {
    printf '%s\n' claim payload secrets files units healthy
}

# platform_step NAME check|do|undo: check is true if the step is done and sets step_id. Undone is all at once: platform_remove.
platform_step() {
    case $1:$2 in
    *:undo) ;;
    payload:*) "payload_$2" ;;
    *) "step_$1_$2" ;;
    esac
}

# platform_step_title NAME
platform_step_title() {
    case $1 in
    claim) printf 'mark on the machine' ;;
    payload) printf 'payload' ;;
    secrets) printf 'secrets' ;;
    files) printf 'files' ;;
    units) printf 'units' ;;
    healthy) printf 'containers' ;;
    esac
}

# platform_remember: all that going back needs is in the saved bundle and on the machine.
platform_remember() {
    :
}

# platform_finish: payloads and images of bundles that neither run nor are needed to go back.
platform_finish() {
    : >"$work/stays"
    for finish_key in "$target_key" "$former_key"; do
        finish_site=$(bundle_saved "$finish_key")/site.env
        [ -n "$finish_key" ] && [ -f "$finish_site" ] || continue
        sed -n "s/^CB_PAYLOAD_SHA256='\(............\).*/payload \1/p; s/^CB_VP_CONTAINER_[0-9]*_IMAGE='\(.*\)'/image \1/p" "$finish_site" >>"$work/stays"
    done
    machine_must finish "removing what is not needed any more" finish <"$work/stays"
}

# platform_remove_list, platform_remove, platform_prove: uninstalling; what is listed is removed, then looked for.
platform_remove_list() {
    remove_list
}

platform_remove() {
    remove_all
}

platform_prove() {
    remove_prove
}

# platform_status: what is there; false if something is missing or unwell.
platform_status() {
    [ "$verb" != status ] || owner_read
    printf 'machine  %s, %s\n' "$machine_title" "$(fact look engine)"
    if ! platform_exists; then
        printf 'mark     %s\n' "${owner_name:-none}"
        return 1
    fi
    printf 'mark     %s, bundle %s\n' "$owner_name" "$(short "$owner_bundle")"
    said_look
    printf 'status   %s\n' "${said_stage:-nothing is said} ${said_detail}"
    sed -n 's/^container cloudlet-container@\(.*\)\.service /\1 /p' "$work/said" | while read -r status_role status_state; do
        printf 'runs     %s %s\n' "$status_role" "$status_state"
    done
    [ "$said_bootstrap:$said_stage" = active:healthy ]
}

# platform_receipt: members of the receipt.
platform_receipt() {
    printf '  "machine": { "name": %s, "address": %s, "architecture": %s, "engine": %s },\n' "$(json_string "$CB_VP_MACHINE")" \
        "$(json_string "${ssh_address-local}")" "$(json_string "$(fact look architecture)")" "$(json_string "$(fact look engine)")"
    [ "$verb" != uninstall ] || return 0
    printf '  "payload": %s,\n' "$(json_string "sha256:$CB_PAYLOAD_SHA256")"
    printf '  "status": { "stage": %s, "detail": %s },\n' "$(json_string "$said_stage")" "$(json_string "$said_detail")"
}
