# What the VM is told: two values of guestinfo that cloud-init's VMware datasource reads. Secrets in them go through a file or
# a pipe, never as an argument, and are taken out again when the VM is well.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# Bytes of one value that VMware takes (64 KiB: vm-operator #148; the whole .vmx has about 1 MiB).
guestinfo_limit=65536

# guestinfo_values FOLDER MACS: writes $work/metadata and $work/userdata, as they go into guestinfo. $work/secrets is what
# is filled in. MACS has the cards in their order, the hardware address as the last word.
guestinfo_values() {
    awk '{ print NR, $NF }' "$2" >"$work/macs"
    vmware_fill "$1/$CB_NETWORK_CONFIG" "$work/network-config" && vmware_fill "$1/$CB_USER_DATA" "$work/user-data" || return 1
    vmware_packed "$work/user-data" >"$work/userdata"
    {
        cat "$1/$CB_META_DATA"
        # cloud-init wants to be told how it is packed (DataSourceVMware, "network.encoding").
        printf 'network: %s\nnetwork.encoding: gzip+base64\n' "$(vmware_packed "$work/network-config")"
    } >"$work/metadata.yaml"
    vmware_packed "$work/metadata.yaml" >"$work/metadata"
    rm -f "$work/macs" "$work/user-data" "$work/network-config" "$work/metadata.yaml"
}

# guestinfo_preflight: what is to be said has to fit. The addresses are of one length, so any will do.
guestinfo_preflight() {
    ! vms_target || [ "$vm_told" != "$vm_inputs" ] || return 0
    guestinfo_at=0
    : >"$work/some-macs"
    while [ "$guestinfo_at" -lt "$CB_NETWORK_COUNT" ]; do
        guestinfo_at=$((guestinfo_at + 1))
        printf '00:50:56:00:00:%02d\n' "$guestinfo_at" >>"$work/some-macs"
    done
    guestinfo_values "$target_folder" "$work/some-macs" || {
        finding bundle/incomplete "what the VM is to be told can't be made of site/" "Unpack the bundle again."
        return 0
    }
    for guestinfo_name in userdata metadata; do
        guestinfo_size=$(($(wc -c <"$work/$guestinfo_name")))
        [ "$guestinfo_size" -le "$guestinfo_limit" ] ||
            finding guestinfo/too-large "guestinfo.$guestinfo_name has $guestinfo_size bytes, VMware takes $guestinfo_limit" "Give shorter secrets, or ask for a bundle that says less."
    done
    rm -f "$work/userdata" "$work/metadata"
}

# guestinfo_step check|do|undo: the VM holds what it is to be told.
guestinfo_step() {
    case $1 in
    check)
        vms_target && [ "$vm_told" = "$target_inputs" ] || return 1
        step_id=$vm_told
        ;;
    do)
        vms_target
        vms_devices "$vm_path"
        [ "$(grep -c . "$work/cards"):$vm_cards" = "$CB_NETWORK_COUNT:sure" ] ||
            stop 3 vm/cards "$vm_path has network cards on '$(cut -d' ' -f3- "$work/cards-named" | tr '\n' ';')'; wanted: '$(tr '\n' ';' <"$work/cards-wanted")'" "Somebody changed the VM. Remove it in vCenter, and run this again."
        guestinfo_values "$target_folder" "$work/cards" || stop 3 bundle/incomplete "what the VM is told can't be made of site/" "Unpack the bundle again."
        guestinfo_set "cloudlet-bundle.told $target_inputs" metadata userdata
        vms_look && guestinfo_step check || stop 3 guestinfo/not-set "vCenter took what the VM is told, and does not have it" "Run this again."
        ;;
    undo) ;;
    esac
}

# guestinfo_scrub_step check|do|undo: the secrets are out of it. All else stays, the instance's id above all: cloud-init would
# take a VM that is told another, or nothing, for a new one, and set it up anew. Three dashes are cloud-init's own word for
# what was taken away (DataSourceVMware); it looks for them before it unpacks.
guestinfo_scrub_step() {
    case $1 in
    check)
        vms_target && [ "$vm_scrubbed" = yes ] || return 1
        step_id=scrubbed
        ;;
    do)
        vms_target
        printf '%s' '---' >"$work/userdata"
        guestinfo_set "cloudlet-bundle.scrubbed yes" userdata
        vms_look && guestinfo_scrub_step check || stop 3 guestinfo/not-set "vCenter took what the VM is told, and does not have it" "Run this again."
        ;;
    undo) ;;
    esac
}

# guestinfo_set "KEY VALUE" NAME...: $work/NAME as guestinfo.NAME, and one value more, in one change, so that the mark is there
# when they are.
guestinfo_set() {
    guestinfo_mark=$1
    shift
    # Since 0.27 govc reads values from files; -e, as an argument, is for all to see.
    if govc vm.change -h 2>&1 | grep -q '^  *-f='; then
        printf '%s' "${guestinfo_mark#* }" >"$work/mark"
        printf 'gzip+base64' >"$work/encoding"
        for guestinfo_name in "$@"; do
            shift
            set -- "$@" -f "guestinfo.$guestinfo_name=$work/$guestinfo_name" -f "guestinfo.$guestinfo_name.encoding=$work/encoding"
        done
        change guestinfo 'telling the VM' vm.change -vm "$(glob "$vm_path")" "$@" -f "${guestinfo_mark%% *}=$work/mark" ||
            trouble_stop guestinfo "telling VM $vm_path what it is"
    else
        guestinfo_vm=$(client ls -i "$(glob "$vm_path")" 2>/dev/null | head -n 1)
        {
            for guestinfo_name in "$@"; do
                printf 'guestinfo.%s.encoding gzip+base64\nguestinfo.%s ' "$guestinfo_name" "$guestinfo_name"
                cat "$work/$guestinfo_name"
                printf '\n'
            done
            printf '%s\n' "$guestinfo_mark"
        } | soap_reconfigure "$guestinfo_vm" || trouble_stop soap "telling VM $vm_path what it is"
    fi
    rm -f "$work/metadata" "$work/userdata"
}
