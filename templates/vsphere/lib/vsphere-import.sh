# The VM, made of the OVF package and left off; and its root disk, grown.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

import_provisioning() {
    parameter provisioning "$CB_VS_PROVISIONING"
}

# import_step check|do|undo: it is there, complete. Its last mark is set after the last byte has been sent.
import_step() {
    case $1 in
    check)
        vms_target && [ "$vm_imported" = yes ] || return 1
        step_id=$vm_uuid
        ;;
    do) import_make ;;
    undo) ! vms_target || vms_destroy "$vm_path" ;;
    esac
}

# import_make: whatever an earlier run has left half-made goes first; it has our mark in its notes from its first moment on.
import_make() {
    vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
    if import_step check; then return 0; fi
    while vms_target; do
        say "  removing what an import that was cut has left (${vm_path##*/})"
        vms_destroy "$vm_path"
        vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
    done
    import_name=$(vms_aside "$target_inputs")
    import_options >"$work/options.json"
    change_files="$CB_OVF_VM_IMAGE_FILE $CB_OVF_PAYLOAD_FILE"
    change import 'sending the disks' import.ovf -dc "$(glob "$site_dc")" -ds "$(glob "$site_datastore")" -pool "$(glob "$site_pool")" \
        -folder "$(glob "$site_folder")" -name "$import_name" -options "$work/options.json" "$here/$CB_OVF_FILE" || trouble_stop import "importing $CB_OVF_FILE"
    change_files=''
    vms_set "$site_folder/$import_name" "cloudlet-bundle.owner=$CB_NAME" "cloudlet-bundle.bundle=$target_digest" \
        "cloudlet-bundle.inputs=$target_inputs" "cloudlet-bundle.imported=yes"
    vms_look && import_step check || stop 3 vm/not-made "$import_name was imported and is not there" "Look at vCenter's recent tasks; then run this again."
}

# import_options: what govc asks for as a file, so that names may hold any character. Networks by what the package calls them.
import_options() {
    printf '{\n  "DiskProvisioning": %s,\n  "MarkAsTemplate": false, "PowerOn": false, "InjectOvfEnv": false, "WaitForIP": false,\n' \
        "$(json_string "$(import_provisioning)")"
    printf '  "Annotation": %s,\n  "NetworkMapping": [' "$(json_string "PlatformVM of cloudlet $CB_CLOUDLET of $CB_ORGANIZATION, release $CB_RELEASE. Made by a bundle; leave this line: [cloudlet-bundle owner=$CB_NAME bundle=$target_digest inputs=$target_inputs]")"
    import_comma=''
    while IFS='	' read -r import_at import_network; do
        printf '%s\n    { "Name": %s, "Network": %s }' "$import_comma" "$(json_string "$(site_value "CB_NETWORK_${import_at}_OVF_NAME")")" \
            "$(json_string "$(glob "$import_network")")"
        import_comma=,
    done <"$work/networks"
    printf '\n  ]\n}\n'
}

# import_root: key and bytes of the first disk that has not the payload's size.
import_root() {
    awk -v payload="$CB_OVF_PAYLOAD_CAPACITY" '$2 != payload { print; exit }' "$work/disks"
}

# import_disk_step check|do|undo: the root disk has the size that the spec wants; cloud-init grows the filesystem.
import_disk_step() {
    case $1 in
    check)
        [ "$verb" != rollback ] || { step_id=kept && return 0; }
        vms_target && [ "$vm_imported" = yes ] || return 1
        vms_devices "$vm_path"
        step_id=$(import_root | cut -d' ' -f2)
        [ "${step_id:-0}" -ge $((CB_OVF_ROOT_DISK_GIB * 1073741824)) ]
        ;;
    do)
        vms_target
        vms_devices "$vm_path"
        change disk 'growing the root disk' vm.disk.change -vm "$(glob "$vm_path")" -disk.key "$(import_root | cut -d' ' -f1)" -size "${CB_OVF_ROOT_DISK_GIB}G" ||
            trouble_stop disk "growing the root disk of $vm_path"
        import_disk_step check || stop 3 disk/failed "the root disk has ${step_id:-no} bytes, $CB_OVF_ROOT_DISK_GIB GiB are wanted" "Look at vCenter's recent tasks; then run this again."
        ;;
    undo) ;;
    esac
}
