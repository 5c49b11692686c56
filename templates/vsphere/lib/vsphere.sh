# vSphere behind the words that install.sh uses for every IaaS (platform_*). Its parts: vsphere-*.sh.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# What is made in vCenter:
#   a VM NAME-INPUTS, imported from ovf/ and powered off; INPUTS is eight digits of what it is made of (bundle, parameters,
#   secrets). When all is set it is renamed to NAME and powered on; the one before it gets such a name back, and stays off.
#   a resource pool NAME in the cluster, if the spec names none
#   tags and their categories, if the spec wants MobiledgeX's
# Mark: `cloudlet-bundle.owner` and others in the VM's advanced parameters, and, from its first moment on, a line in its notes.

for platform_part in json ask tls soap site privileges preflight vms import guestinfo switch guest tags remove; do
    # shellcheck source=/dev/null
    . "$here/lib/vsphere-$platform_part.sh"
done
# shellcheck source=/dev/null
. "$here/lib/vmware-guest.sh"

# platform_tools: a finding for each tool that is not there.
platform_tools() {
    tool_needed govc 'VMware govc 0.24 or later, one program without dependencies (govmomi; on an offline site bring it along)'
    tool_needed gzip gzip
    tool_needed base64 coreutils
    tool_needed openssl openssl
    ! command -v govc >/dev/null 2>&1 || preflight_govc
}

# platform_keeps: what has to be kept of a bundle to go back to it.
platform_keeps() {
    printf '%s\n' "$CB_USER_DATA" "$CB_META_DATA" "$CB_NETWORK_CONFIG"
}

# platform_access: logs in and looks at what is there; false if there is no way in. Findings tell why.
platform_access() {
    preflight_access && site_datacenter && vms_look
}

# platform_preflight: what stands in the way of the target.
platform_preflight() {
    vms_choose
    preflight_parameters
    preflight_clock
    preflight_names
    case $verb in
    rollback) preflight_former ;;
    *)
        site_resolve
        preflight_bundle
        preflight_room
        preflight_host
        preflight_privileges
        guestinfo_preflight
        ;;
    esac
}

# platform_exists: true if something is installed under our name that carries our mark.
platform_exists() {
    grep -q '	ours	' "$work/vms"
}

# platform_holds_secrets: true if the secrets are where they belong already, so that they need not be given again.
platform_holds_secrets() {
    vms_target && [ "$vm_told" = "$vm_inputs" ]
}

# platform_has_target: true if what is installed was made from the target bundle.
platform_has_target() {
    grep -q "	ours	$target_digest	" "$work/vms"
}

# platform_plan: what would be done, in order.
platform_plan() {
    for plan_step in $(platform_steps); do
        if platform_step "$plan_step" check; then plan_word='keep'; else plan_word='make'; fi
        case $plan_step in
        pool) plan_what=$site_pool ;;
        import) plan_what="$(vms_aside "$target_inputs") on $site_datastore: $(mebibytes $((CB_OVF_VM_IMAGE_SIZE + CB_OVF_PAYLOAD_SIZE))) MiB to send" ;;
        disk) plan_what="root disk, $CB_OVF_ROOT_DISK_GIB GiB" ;;
        guestinfo) plan_what='what the VM is told: hardware addresses, network, secrets' ;;
        tags) plan_what="$(tags_wanted | grep -c .) tags" ;;
        vm)
            plan_what="$CB_NAME: $CB_NEED_VCPUS vCPU, $CB_NEED_MEMORY_MIB MiB, powered on"
            vms_named && [ "$vm_inputs" != "$target_inputs" ] && plan_word='switch'
            ;;
        guest | scrub) continue ;;
        esac
        printf '%-6s  %-10s  %s\n' "$plan_word" "$plan_step" "$plan_what"
    done
    [ ! -s "$work/room" ] || sed 's/^/\n/' "$work/room"
    printf '\ntenants, later: vCPU %s, memory %s MiB, disk %s GiB, GPU %s\n' \
        "$CB_TENANT_VCPUS" "$CB_TENANT_MEMORY_MIB" "$CB_TENANT_DISK_GIB" "$CB_TENANT_GPUS"
}

# platform_steps: names, in order. All that takes long is done before a VM that runs is stopped.
platform_steps() {
    printf '%s\n' pool import disk guestinfo
    [ "$CB_VS_TAGS" = no ] || printf 'tags\n'
    printf '%s\n' vm guest scrub
}

# platform_step NAME check|do|undo: check is true if the step is done and sets step_id.
platform_step() {
    case $1 in
    pool) site_pool_step "$2" ;;
    import) import_step "$2" ;;
    disk) import_disk_step "$2" ;;
    guestinfo) guestinfo_step "$2" ;;
    tags) tags_step "$2" ;;
    vm) switch_step "$2" ;;
    guest) guest_step "$2" ;;
    scrub) guestinfo_scrub_step "$2" ;;
    esac
}

# platform_step_title NAME
platform_step_title() {
    case $1 in
    pool) printf 'resource pool' ;;
    import) printf 'VM and its disks' ;;
    disk) printf 'root disk' ;;
    guestinfo) printf 'what the VM is told' ;;
    tags) printf 'tags' ;;
    vm) printf 'PlatformVM' ;;
    guest) printf 'the VM says that it is well' ;;
    scrub) printf 'secrets taken out of guestinfo' ;;
    esac
}

# platform_remember: which VM going back will need.
platform_remember() {
    printf '%s\n' "$target_inputs" >"$(bundle_saved "$target_key")/vm"
}

# platform_finish: VMs of bundles that neither run nor are needed to go back.
platform_finish() {
    remove_former
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

# platform_close: the session's end at vCenter, which keeps it for half an hour otherwise.
platform_close() {
    [ -d "${GOVMOMI_HOME-}/sessions" ] || return 0
    client session.logout >/dev/null 2>&1 || :
}

# platform_status: what is there; false if something is missing or unwell.
platform_status() {
    vms_look || return 1
    status_well=1
    while IFS='	' read -r vm_path vm_power vm_owner vm_bundle vm_inputs vm_rest <&3; do
        printf 'vm       %s %s (%s)\n' "${vm_path##*/}" "$vm_power" "$vm_owner"
    done 3<"$work/vms"
    if vms_named && [ "$vm_owner" = ours ]; then
        vms_devices "$vm_path"
        status_at=0
        while [ "$status_at" -lt "$CB_NETWORK_COUNT" ]; do
            status_at=$((status_at + 1))
            printf 'card     %s %s %s %s\n' "$(site_value "CB_NETWORK_${status_at}_NAME")" "$(site_network_name "$status_at")" \
                "$(vms_mac "$status_at")" "$(site_address "$status_at")"
        done
        status_said=$(guest_said)
        printf 'guest    %s\n' "${status_said:-says nothing}"
        [ "$vm_power:${status_said%% *}" != poweredOn:healthy ] || status_well=0
    else
        printf 'vm       %s is not there\n' "$CB_NAME"
    fi
    return "$status_well"
}

# platform_receipt: members of the receipt.
platform_receipt() {
    [ "$verb" != uninstall ] || return 0
    vms_look && vms_named || return 0
    vms_devices "$vm_path"
    printf '  "vm": { "path": %s, "uuid": %s, "state": %s },\n' "$(json_string "$vm_path")" "$(json_string "$vm_uuid")" "$(json_string "$vm_power")"
    printf '  "guest": %s,\n' "$(json_string "$(guest_said)")"
    printf '  "addresses": ['
    receipt_at=0
    while [ "$receipt_at" -lt "$CB_NETWORK_COUNT" ]; do
        receipt_at=$((receipt_at + 1))
        [ "$receipt_at" = 1 ] || printf ','
        printf '\n    { "network": %s, "attached": %s, "mac": %s, "fixed": %s }' \
            "$(json_string "$(site_value "CB_NETWORK_${receipt_at}_NAME")")" "$(json_string "$(site_network_name "$receipt_at")")" \
            "$(json_string "$(vms_mac "$receipt_at")")" "$(json_string "$(site_address "$receipt_at")")"
    done
    printf '\n  ],\n'
}
