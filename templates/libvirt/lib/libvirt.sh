# libvirt/KVM behind the words that install.sh uses for every IaaS (platform_*). Its parts: libvirt-*.sh.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# Two drivers do the same: virsh where the host has libvirt, else qemu-system-x86_64 alone. What is made:
#   STORAGE/NAME/                the VM's own folder; its file `owner` says that it is ours
#   STORAGE/NAME/KEY/            one for each bundle and set of choices, so that going back finds all as it was: root.qcow2,
#                                payload.tar, seed.iso, secrets, domain.xml (virsh) or start (qemu), serial.log
#   a domain called NAME, marked in its metadata (virsh); or a process, marked in STORAGE/NAME/installed (qemu)

for platform_part in host preflight disks seed vm virsh qemu remove; do
    # shellcheck source=/dev/null
    . "$here/lib/libvirt-$platform_part.sh"
done

# With high availability there are two VMs on two hosts; which of them is here has to be known before anything else.
host_machine

# platform_tools: a finding for each tool that is not there.
platform_tools() {
    host_choices
    tool_needed qemu-img 'Debian, Ubuntu: qemu-utils; Red Hat: qemu-img'
    tool_needed base64 coreutils
    case $host_driver in
    libvirt) tool_needed virsh 'Debian, Ubuntu: libvirt-clients; Red Hat: libvirt-client' ;;
    qemu)
        [ -n "$host_qemu" ] || finding tool/missing "there is neither 'virsh' nor 'qemu-system-x86_64' on this machine" \
            "Run this on the KVM host. Install libvirt (libvirt-daemon-system, libvirt-clients) or QEMU (qemu-system-x86)."
        tool_needed ip iproute2
        tool_needed mkfifo coreutils
        ;;
    esac
}

# platform_keeps: what has to be kept of a bundle to go back to it.
platform_keeps() {
    printf '%s\n' "$CB_LV_DOMAIN"
    [ -z "$host_role" ] || printf '%s\n' "site/machine-$host_role.env"
}

# platform_access: is the hypervisor there, and what is on it; false if there is no way in. Findings tell why.
platform_access() {
    host_access || return 1
    vm_look
}

platform_preflight() {
    disks_choose
    preflight_names
    preflight_other
    case $verb in
    rollback)
        preflight_former
        preflight_host
        ;;
    *)
        preflight_parameters
        preflight_bundle
        preflight_room
        preflight_host
        preflight_networks
        preflight_gpus
        preflight_secrets
        ;;
    esac
}

# platform_exists: true if something is installed under our name that carries our mark.
platform_exists() {
    [ "$vm_state" != absent ] && [ "$vm_owner" = ours ]
}

# platform_holds_secrets: true if the secrets are where they belong already, so that they need not be given again.
platform_holds_secrets() {
    disks_secrets_kept >/dev/null
}

# platform_has_target: true if what is installed was made from the target bundle.
platform_has_target() {
    [ "$vm_bundle" = "$target_digest" ]
}

# platform_plan: what would be done, in order.
platform_plan() {
    for plan_step in $(platform_steps); do
        if platform_step "$plan_step" check; then plan_word='keep'; else plan_word='make'; fi
        case $plan_step in
        root-disk) plan_what="$disks_folder/root.qcow2 ($(disks_size) GiB at most)" ;;
        payload-disk) plan_what="$disks_folder/payload.tar ($(mebibytes "$CB_PAYLOAD_SIZE") MiB)" ;;
        seed) plan_what="$disks_folder/seed.iso" ;;
        vm)
            plan_what="$CB_NAME ($host_driver, $host_type): $CB_NEED_VCPUS vCPU, $CB_NEED_MEMORY_MIB MiB"
            [ "$plan_word:$vm_state" = make:absent ] || [ "$plan_word" = keep ] || plan_word='stop and make'
            ;;
        guest) continue ;;
        esac
        printf '%-13s  %-12s  %s\n' "$plan_word" "$plan_step" "$plan_what"
    done
    printf '\ntenants, later: vCPU %s, memory %s MiB, disk %s GiB, GPU %s\n' \
        "$CB_TENANT_VCPUS" "$CB_TENANT_MEMORY_MIB" "$CB_TENANT_DISK_GIB" "$CB_TENANT_GPUS"
}

# platform_steps: names, in order. All that takes long is done before a VM that runs is stopped.
platform_steps() {
    printf '%s\n' root-disk payload-disk seed vm guest
}

# platform_step NAME check|do|undo: check is true if the step is done and sets step_id.
platform_step() {
    case $1 in
    root-disk) disks_root_step "$2" ;;
    payload-disk) disks_payload_step "$2" ;;
    seed) disks_seed_step "$2" ;;
    vm) vm_step "$2" ;;
    guest) vm_guest_step "$2" ;;
    esac
}

# platform_step_title NAME
platform_step_title() {
    case $1 in
    root-disk) printf 'root disk' ;;
    payload-disk) printf 'payload disk' ;;
    seed) printf 'seed' ;;
    vm) printf 'PlatformVM' ;;
    guest) printf 'the VM says that it is well' ;;
    esac
}

# platform_remember: where the disks are that going back will need.
platform_remember() {
    printf '%s\n' "$vm_folder" >"$(bundle_saved "$target_key")/folder"
}

# platform_finish: disks of bundles that neither runs nor is needed to go back.
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

# platform_status: what is there; false if something is missing or unwell.
platform_status() {
    vm_look
    printf 'vm       %s %s (%s)\n' "$CB_NAME" "$vm_state" "$host_driver"
    [ "$vm_state" != absent ] || return 1
    [ "$vm_owner" = ours ] || {
        printf '         not made by a bundle\n'
        return 1
    }
    printf 'disks    %s\n' "$vm_folder"
    status_at=0
    while [ "$status_at" -lt "$CB_NETWORK_COUNT" ]; do
        status_at=$((status_at + 1))
        printf 'card     %s %s %s %s\n' "$(site_value "CB_NETWORK_${status_at}_NAME")" "$(host_network "$status_at")" \
            "$(site_value "CB_NETWORK_${status_at}_MAC")" "$(vm_address "$status_at")"
    done
    status_said=$(vm_said)
    printf 'guest    %s\n' "${status_said:-says nothing}"
    [ "$vm_state:${status_said%% *}" = running:healthy ]
}

# platform_receipt: members of the receipt.
platform_receipt() {
    [ "$verb" != uninstall ] || return 0
    vm_look
    printf '  "vm": { "name": %s, "uuid": %s, "driver": %s, "state": %s },\n' "$(json_string "$CB_NAME")" \
        "$(json_string "$CB_LV_UUID")" "$(json_string "$host_driver")" "$(json_string "$vm_state")"
    printf '  "folder": %s,\n' "$(json_string "$vm_folder")"
    printf '  "guest": %s,\n' "$(json_string "$(vm_said)")"
    printf '  "addresses": ['
    receipt_at=0
    while [ "$receipt_at" -lt "$CB_NETWORK_COUNT" ]; do
        receipt_at=$((receipt_at + 1))
        [ "$receipt_at" = 1 ] || printf ','
        printf '\n    { "network": %s, "attached": %s, "mac": %s, "fixed": %s }' \
            "$(json_string "$(site_value "CB_NETWORK_${receipt_at}_NAME")")" "$(json_string "$(host_network "$receipt_at")")" \
            "$(json_string "$(site_value "CB_NETWORK_${receipt_at}_MAC")")" "$(json_string "$(vm_address "$receipt_at")")"
    done
    printf '\n  ],\n'
}
