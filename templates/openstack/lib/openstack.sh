# OpenStack behind the words that install.sh uses for every IaaS (platform_*). Its parts: openstack-*.sh.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

for platform_part in ask preflight image stack server remove; do
    # shellcheck source=/dev/null
    . "$here/lib/openstack-$platform_part.sh"
done

# platform_tools: a finding for each tool that is not there.
platform_tools() {
    tool_needed openstack 'the OpenStack client (Debian, Ubuntu: python3-openstackclient python3-heatclient)'
    tool_needed base64 coreutils
}

# platform_keeps: what has to be kept of a bundle to go back to it.
platform_keeps() {
    printf '%s\n' site/heat-template.yaml site/heat-environment.yaml
}

# platform_access: logs in and looks at what is there; false if there is no way in. Findings tell why.
platform_access() {
    preflight_access
}

# platform_preflight: what stands in the way of the target.
platform_preflight() {
    preflight_existing
    # A stack that is there has what it needs; an upgrade may need room for a second server and volume for a moment.
    case $verb:$stack_status in
    rollback:* | status:*) ;;
    *:absent | upgrade:*) preflight_site ;;
    esac
    preflight_undefined=$(parameters_undefined "$target_folder/site/heat-template.yaml" | tr '\n' ' ')
    [ -z "$preflight_undefined" ] || finding parameter/unknown "the template has no parameter $preflight_undefined" \
        "Parameters: see 'parameters' in site/heat-template.yaml."
}

# platform_exists: true if something is installed under our name that carries our mark.
platform_exists() {
    [ "$stack_status" != absent ] && [ "$stack_status" != DELETE_COMPLETE ] && [ "$stack_owner" = ours ]
}

# platform_holds_secrets: true if the secrets are where they belong already, so that they need not be given again.
platform_holds_secrets() {
    case $stack_status in
    absent | CREATE_FAILED | DELETE_*) return 1 ;;
    esac
    [ "$stack_owner" = ours ]
}

# platform_has_target: true if what is installed was made from the target bundle.
platform_has_target() {
    stack_tagged "$(stack_bundle_tag)"
}

# platform_plan: what would be done, in order.
platform_plan() {
    for plan_kind in vm payload; do
        image_of "$plan_kind"
        if [ -n "$(image_line "$plan_kind" ready)" ]; then
            printf 'keep    image   %s\n' "$image_name"
        else
            printf 'send    image   %s (%s MiB)\n' "$image_name" "$(mebibytes "$image_size")"
        fi
    done
    case $stack_status in
    absent | DELETE_COMPLETE) plan_stack=create ;;
    *) if stack_step check; then plan_stack='keep  '; else plan_stack='update'; fi ;;
    esac
    printf '%s  stack   %s\n' "$plan_stack" "$CB_NAME"
    if [ -s "$work/quota-table" ]; then
        printf '\nquota                       limit       used     needed\n'
        while IFS='	' read -r plan_title plan_limit plan_used plan_needed; do
            printf '%-22s %10s %10s %10s\n' "$plan_title" "$plan_limit" "$plan_used" "$plan_needed"
        done <"$work/quota-table"
        printf 'tenants, later         vCPU %s, memory %s MiB, disk %s GiB, GPU %s\n' \
            "$CB_TENANT_VCPUS" "$CB_TENANT_MEMORY_MIB" "$CB_TENANT_DISK_GIB" "$CB_TENANT_GPUS"
    fi
}

# platform_steps: names, in order.
platform_steps() {
    printf '%s\n' image-vm image-payload stack server
}

# platform_step NAME check|do|undo: check is true if the step is done and sets step_id.
platform_step() {
    case $1 in
    image-vm) image_step vm "$2" ;;
    image-payload) image_step payload "$2" ;;
    stack) stack_step "$2" ;;
    server) server_step "$2" ;;
    esac
}

# platform_step_title NAME
platform_step_title() {
    case $1 in
    image-vm) printf 'VM image in Glance' ;;
    image-payload) printf 'payload in Glance' ;;
    stack) printf 'Heat stack' ;;
    server) printf 'PlatformVM' ;;
    esac
}

# platform_finish: images of bundles that neither runs nor is needed to go back.
platform_finish() {
    # shellcheck disable=SC2046 # ids, one word each
    images_prune $(for finish_key in "$target_key" "$former_key"; do
        [ -z "$finish_key" ] || cat "$(bundle_saved "$finish_key")/images" 2>/dev/null || :
    done)
}

# platform_remember: ids that going back will need.
platform_remember() {
    printf '%s\n%s\n' "$(step_id_of image-vm)" "$(step_id_of image-payload)" >"$(bundle_saved "$target_key")/images"
}

# platform_remove_list, platform_remove, platform_prove: uninstalling; what is listed is removed, then looked for.
platform_remove_list() {
    stack_judge || trouble_stop stack "asking Heat"
    [ "$stack_owner" = ours ] || stop 1 stack/not-ours "stack $CB_NAME was not made by a bundle" \
        "Delete it by hand, if it is to go: openstack stack delete $CB_NAME"
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
    stack_judge || trouble_stop stack "asking Heat"
    printf 'stack    %s %s %s\n' "$CB_NAME" "$stack_status" "$stack_id"
    [ "$stack_status" != absent ] || return 1
    status_well=0
    case $stack_status in *_COMPLETE) ;; *) status_well=1 ;; esac
    server_step check || status_well=1
    while IFS='	' read -r status_number status_name status_id status_status status_health status_stage status_detail; do
        printf 'server   %s %s %s\nguest    %s: %s %s\n' "$status_name" "$status_id" "$status_status" \
            "$status_health" "$status_stage" "$status_detail"
    done <"$work/servers"
    addresses_look
    while IFS='	' read -r status_server status_network status_port status_fixed status_floating; do
        printf 'port     %s %s %s %s\n' "$status_network" "$status_port" "$status_fixed" "$status_floating"
    done <"$work/addresses"
    images_ours
    sed 's/^/image    /' "$work/images-ours"
    return "$status_well"
}

# addresses_look: $work/addresses gets server, network, port, fixed addresses, floating address, in the order of the spec.
addresses_look() {
    ask own-ports port list --project "$project_id" -f value -c ID -c 'Fixed IP Addresses'
    ask floating floating ip list -f value -c 'Floating IP Address' -c Port
    asked_all
    addresses_at=0
    for addresses_port in $(stack_output port_ids); do
        addresses_at=$((addresses_at + 1))
        addresses_fixed=$(grep "^$addresses_port " "$work/own-ports" | awk '{
            while (match($0, /ip_address[^0-9a-fA-F]+[0-9a-fA-F.:]+/)) {
                text = substr($0, RSTART, RLENGTH); sub(/^ip_address[^0-9a-fA-F]+/, "", text)
                printf "%s%s", n++ ? " " : "", text; $0 = substr($0, RSTART + RLENGTH) } }') || :
        addresses_floating=$(sed -n "s/ $addresses_port\$//p" "$work/floating" | head -n 1)
        printf '%s\t%s\t%s\t%s\t%s\n' \
            "$(site_value "CB_MACHINE_$(site_value "CB_NETWORK_${addresses_at}_MACHINE")_NAME")" \
            "$(network_value "$addresses_at" NAME PARAMETER)" "$addresses_port" "${addresses_fixed:--}" "${addresses_floating:--}"
    done >"$work/addresses"
}

# platform_receipt: members of the receipt.
platform_receipt() {
    [ "$verb" != uninstall ] || return 0
    addresses_look
    printf '  "stack": { "id": %s, "status": %s },\n' "$(json_string "$stack_id")" "$(json_string "$stack_status")"
    printf '  "servers": ['
    receipt_comma=''
    while IFS='	' read -r receipt_number receipt_name receipt_id receipt_status receipt_health receipt_stage receipt_detail; do
        printf '%s\n    { "name": %s, "id": %s, "status": %s, "health": %s' "$receipt_comma" "$(json_string "$receipt_name")" \
            "$(json_string "$receipt_id")" "$(json_string "$receipt_status")" "$(json_string "$receipt_health")"
        [ "$receipt_stage" = - ] ||
            printf ', "stage": %s, "detail": %s' "$(json_string "$receipt_stage")" "$(json_string "$receipt_detail")"
        printf ' }'
        receipt_comma=,
    done <"$work/servers"
    printf '\n  ],\n  "images": [%s, %s],\n' "$(json_string "$(step_id_of image-vm)")" "$(json_string "$(step_id_of image-payload)")"
    printf '  "addresses": ['
    receipt_comma=''
    while IFS='	' read -r receipt_server receipt_network receipt_port receipt_fixed receipt_floating; do
        printf '%s\n    { "server": %s, "network": %s, "port": %s, "fixed": %s' "$receipt_comma" "$(json_string "$receipt_server")" \
            "$(json_string "$receipt_network")" "$(json_string "$receipt_port")" "$(json_string "$receipt_fixed")"
        [ "$receipt_floating" = - ] || printf ', "floating": %s' "$(json_string "$receipt_floating")"
        printf ' }'
        receipt_comma=,
    done <"$work/addresses"
    printf '\n  ],\n'
}
