# VMware Cloud Director behind the words that install.sh uses for every IaaS (platform_*). Its parts: vcd-*.sh.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# What is made, each with our mark in its description and metadata:
#   a vApp template NAME-<bundle> in the catalog: the OVF package
#   a vApp NAME-<inputs> in the virtual datacenter, with one VM; the one of the release before is kept, stopped

for platform_part in xml api site mark preflight template ovftool vapp vm remove; do
    # shellcheck source=/dev/null
    . "$here/lib/vcd-$platform_part.sh"
done
# shellcheck source=/dev/null
. "$here/lib/vmware-guest.sh"

# platform_tools: a finding for each tool that is not there.
platform_tools() {
    tool_needed curl 'Debian, Ubuntu, Red Hat: curl'
    tool_needed gzip gzip
    tool_needed base64 coreutils
    tool_needed od coreutils
    [ "$(parameter driver auto)" != ovftool ] || tool_needed ovftool "VMware OVF Tool 4.4 or later; or --parameter driver=curl"
}

# platform_keeps: what has to be kept of a bundle to go back to it.
platform_keeps() {
    printf '%s\n' "$CB_META_DATA"
}

# platform_access: logs in and looks at what is there; false if there is no way in. Findings tell why.
platform_access() {
    preflight_access || return 1
    vapps_look
    vapp_choose
    template_look
}

# platform_close: at every end.
platform_close() {
    api_close
}

platform_preflight() {
    preflight_parameters
    preflight_names
    case $verb in
    rollback)
        [ -n "$vapp_name" ] && vapp_made || finding vapp/former "the vApp of the release before is not there any more${vapp_name:+ ($vapp_name)}" \
            "Install that release anew from its bundle: ./install.sh --uninstall, then its install.sh"
        preflight_networks
        ;;
    *)
        # A vApp that is there has what it needs.
        vapp_made || {
            preflight_bundle
            preflight_rights
            preflight_room
            [ "$(parameter driver auto)" != ovftool ] || ovftool_can || finding parameter/value \
                "ovftool logs in with a password and knows no CA of the site's" "Give VCD_PASSWORD and no VCD_CACERT, or driver=curl."
        }
        preflight_networks
        ;;
    esac
}

# platform_exists: true if something is installed under our name that carries our mark.
platform_exists() {
    LC_ALL=C awk -F '\t' '$4 == "ours" { found = 1 } END { exit !found }' "$work/vapps"
}

# platform_holds_secrets: true if the VM has been told them: they are taken out of its properties when it has read them, so
# nothing of them can be taken over.
platform_holds_secrets() {
    vapp_made && properties_set
}

# platform_has_target: true if what is installed was made from the target bundle.
platform_has_target() {
    [ -n "$(vapp_of_target)" ]
}

# platform_plan: what would be done, in order.
platform_plan() {
    for plan_step in $(platform_steps); do
        if platform_step "$plan_step" check; then plan_word='keep'; else plan_word='make'; fi
        case $plan_step in
        template) plan_what="$template_name in catalog $catalog_name ($(mebibytes "$((CB_OVF_VM_IMAGE_SIZE + CB_OVF_PAYLOAD_SIZE))") MiB, by $(template_driver))" ;;
        vapp) plan_what="$vapp_name in $vdc_name: $CB_NEED_VCPUS vCPU, $CB_NEED_MEMORY_MIB MiB, root disk $CB_OVF_ROOT_DISK_GIB GiB" ;;
        settings)
            plan_what=$(for plan_at in $(network_numbers); do printf '%s %s; ' "$(network_site_name "$plan_at")" "$(card_told "$plan_at")"; done)
            ! vapp_running || [ "$vapp_running_name" = "$vapp_name" ] || plan_what="stops $vapp_running_name; $plan_what"
            ;;
        properties) plan_what='instance-id, hostname, network-config, user-data' ;;
        power) plan_what='power on, wait for VMware Tools, take the secrets out of the properties' ;;
        esac
        printf '%-5s %-11s %s\n' "$plan_word" "$plan_step" "$plan_what"
    done
    if [ -s "$work/room" ]; then
        printf '\nquota                        limit             used           needed\n'
        while IFS='	' read -r plan_title plan_limit plan_used plan_needed; do
            [ "$plan_limit" != 0 ] || plan_limit=none
            printf '%-17s %16s %16s %16s\n' "$plan_title" "$plan_limit" "$plan_used" "$plan_needed"
        done <"$work/room"
    fi
    printf 'tenants, later: vCPU %s, memory %s MiB, disk %s GiB\n' "$CB_TENANT_VCPUS" "$CB_TENANT_MEMORY_MIB" "$CB_TENANT_DISK_GIB"
}

card_told() {
    card_fixed=$(site_value "CB_NETWORK_${1}_ADDRESS")
    printf '%s' "${card_fixed:-dhcp}"
}

# platform_steps: names, in order. All that takes long is done before a VM that runs is stopped.
platform_steps() {
    printf '%s\n' template vapp settings properties power
}

# platform_step NAME check|do|undo: check is true if the step is done and sets step_id.
platform_step() {
    case $1 in
    template) template_step "$2" ;;
    vapp) vapp_step "$2" ;;
    settings) settings_step "$2" ;;
    properties) properties_step "$2" ;;
    power) power_step "$2" ;;
    esac
}

# platform_step_title NAME
platform_step_title() {
    case $1 in
    template) printf 'vApp template in the catalog' ;;
    vapp) printf 'vApp' ;;
    settings) printf 'network cards and root disk' ;;
    properties) printf 'what the VM is told' ;;
    power) printf 'PlatformVM' ;;
    esac
}

# platform_remember: what going back will need, and what has to stay for it.
platform_remember() {
    printf '%s\n' "$vapp_name" >"$(bundle_saved "$target_key")/vapp"
    printf '%s\n' "$template_name" >"$(bundle_saved "$target_key")/template"
}

platform_finish() {
    remove_former
}

platform_remove_list() {
    remove_list
}

platform_remove() {
    remove_all
}

platform_prove() {
    remove_prove
}

# status_word NUMBER: "Object Creation Status" of the API Programming Guide.
status_word() {
    case $1 in
    -1) printf 'failed' ;;
    0) printf 'being made' ;;
    3) printf 'suspended' ;;
    4) printf 'powered on' ;;
    8) printf 'powered off' ;;
    *) printf 'status %s' "$1" ;;
    esac
}

# platform_status: what is there; false if something is missing or unwell. What runs counts, else what is installed.
platform_status() {
    vapps_look
    if vapp_running; then
        vapp_name=$vapp_running_name
    elif [ -n "$installed_key" ]; then
        vapp_name=$(cat "$(bundle_saved "$installed_key")/vapp" 2>/dev/null) || :
    fi
    while IFS='	' read -r status_name status_link status_status status_owner status_rest; do
        [ "$status_owner" = ours ] || status_owner='not made by a bundle'
        printf 'vapp     %s %s (%s)\n' "$status_name" "$(status_word "$status_status")" "$status_owner"
    done <"$work/vapps"
    vapp_read || {
        [ -s "$work/vapps" ] || printf 'vapp     none\n'
        return 1
    }
    status_tools=$(vm_tools)
    printf 'tools    %s\n' "${status_tools:-not seen}"
    ! vm_cards || for status_at in $(network_numbers); do
        printf 'card     %s %s %s\n' "$(network_site_name "$status_at")" "$(card_value "$status_at" MACAddress)" "$(card_address_seen "$status_at")"
    done
    printf 'guest    vCloud Director shows a tenant nothing more of it: read cloudlet-status on its console\n'
    [ "$vapp_status" = 4 ] && [ -n "$status_tools" ]
}

# card_address_seen NUMBER: as vCloud Director has it; of dhcp what VMware Tools have told.
card_address_seen() {
    card_seen=$(card_value "$1" IpAddress)
    printf '%s' "${card_seen:-$(card_told "$1")}"
}

# platform_receipt: members of the receipt.
platform_receipt() {
    [ "$verb" != uninstall ] || return 0
    vapps_look
    vapp_read || :
    vm_cards || : >"$work/cards.rows"
    printf '  "vapp": { "name": %s, "id": %s, "status": %s, "lease": %s },\n' "$(json_string "$vapp_name")" \
        "$(json_string "${vapp_link##*/}")" "$(json_string "$(status_word "$vapp_status")")" "$(json_string "${vapp_lease-}")"
    printf '  "vm": { "id": %s, "tools": %s },\n' "$(json_string "${vm_link##*/}")" "$(json_string "$(vm_tools)")"
    printf '  "template": %s,\n' "$(json_string "$template_name")"
    printf '  "guest": "not seen: vCloud Director shows a tenant no more than that VMware Tools run",\n'
    printf '  "addresses": ['
    receipt_comma=''
    for receipt_at in $(network_numbers); do
        printf '%s\n    { "network": %s, "attached": %s, "mac": %s, "fixed": %s }' "$receipt_comma" \
            "$(json_string "$(site_value "CB_NETWORK_${receipt_at}_NAME")")" "$(json_string "$(network_site_name "$receipt_at")")" \
            "$(json_string "$(card_value "$receipt_at" MACAddress)")" "$(json_string "$(card_address_seen "$receipt_at")")"
        receipt_comma=,
    done
    printf '\n  ],\n'
}
