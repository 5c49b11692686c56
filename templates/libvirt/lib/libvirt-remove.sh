# Uninstalling, and the proof that nothing is left.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# remove_homes: the VM's folder in each storage folder that a run of this state directory has used.
remove_homes() {
    {
        printf '%s\n' "$host_storage" "$CB_LV_STORAGE"
        cat "$state"/bundles/*/parameters 2>/dev/null | sed -n 's/^storage=//p'
        sed -n 's/^storage //p' "$state/owned" 2>/dev/null
    } | LC_ALL=C sort -u | sed "s|\$|/$CB_NAME|"
}

# remove_aside: folders on their way in or out when a run was cut, and storage folders that an uninstall that was cut had
# left empty; each only if it is there.
remove_aside() {
    remove_homes | while IFS= read -r remove_home; do
        for remove_entry in "$remove_home.cloudlet-new" "${remove_home%/*}.cloudlet-new"; do
            [ ! -e "$remove_entry" ] || printf '%s\n' "$remove_entry"
        done
    done | LC_ALL=C sort -u
    sed -n 's/^made //p' "$state/owned" 2>/dev/null | while IFS= read -r remove_entry; do
        [ ! -d "$remove_entry" ] || [ -n "$(ls -A "$remove_entry")" ] || printf '%s\n' "$remove_entry"
    done
}

# remove_list: what is going to be removed, one line each.
remove_list() {
    vm_look
    if [ "$vm_state" != absent ]; then
        [ "$vm_owner" = ours ] || stop 1 domain/not-ours "$CB_NAME was not made by a bundle" \
            "Take it away by hand, if it is to go: virsh undefine $CB_NAME"
        printf 'vm %s (%s)\n' "$CB_NAME" "$vm_state"
    fi
    remove_homes >"$work/homes"
    while IFS= read -r remove_home; do
        [ -d "$remove_home" ] || continue
        disks_owner "$remove_home" ||
            stop 1 storage/not-ours "$remove_home was not made by a bundle" "Remove it by hand, if it is to go."
        for remove_folder in "$remove_home"/*/; do
            [ ! -d "$remove_folder" ] || printf 'folder %s (%s MiB)\n' "${remove_folder%/}" "$(($(du -sk "$remove_folder" | cut -f1) / 1024))"
        done
        printf 'folder %s\n' "$remove_home"
    done <"$work/homes"
    remove_aside | sed 's/^/folder /'
}

# remove_all: the VM first, for it uses the disks. What will be gone is noted first, so that a run that is cut goes on.
remove_all() {
    {
        remove_homes | sed "s|/$CB_NAME\$||; s/^/storage /"
        # libvirt keeps a UEFI's variables where it likes.
        [ ! -f "$work/domain" ] || sed -n "s/.*<nvram[^>]*>\([^<]*\)<.*/file \1/p" "$work/domain"
        while IFS= read -r remove_home; do
            ! grep -qx 'made storage yes' "$remove_home/owner" 2>/dev/null || printf 'made %s\n' "${remove_home%/*}"
        done <"$work/homes"
        grep -E '^(file|made) ' "$state/owned" 2>/dev/null || :
    } | LC_ALL=C sort -u >"$work/owned"
    mv -f "$work/owned" "$state/owned"
    if [ "$vm_state" != absent ]; then
        say "removing the VM"
        case $host_driver in
        libvirt) virsh_remove ;;
        qemu) qemu_remove ;;
        esac
    fi
    say "removing the disks"
    while IFS= read -r remove_home; do
        # Renamed first: a folder that is there has its mark.
        ! disks_owner "$remove_home" || { rm -rf "$remove_home.cloudlet-new" && mv "$remove_home" "$remove_home.cloudlet-new"; }
        rm -rf "$remove_home.cloudlet-new" "${remove_home%/*}.cloudlet-new"
    done <"$work/homes"
    # Of the folders above those that we made, if nobody else is in them.
    sed -n 's/^made //p' "$state/owned" | while IFS= read -r remove_entry; do
        rmdir "$remove_entry" 2>/dev/null || :
    done
}

# remove_prove: lists what is left of it, one line each, nothing if all is well.
remove_prove() {
    vm_look
    [ "$vm_state" = absent ] || printf 'vm %s %s\n' "$CB_NAME" "$vm_state"
    qemu_pid=$(qemu_process)
    [ -z "$qemu_pid" ] || printf 'process %s\n' "$qemu_pid"
    remove_homes | while IFS= read -r remove_entry; do
        [ ! -e "$remove_entry" ] || printf 'folder %s\n' "$remove_entry"
    done
    remove_aside | sed 's/^/folder /'
    sed -n 's/^file //p' "$state/owned" 2>/dev/null | while IFS= read -r remove_entry; do
        [ ! -e "$remove_entry" ] || printf 'file %s\n' "$remove_entry"
    done
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_NETWORK_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        [ ! -e "/sys/class/net/$(qemu_tap "$qemu_at")" ] || printf 'network device %s\n' "$(qemu_tap "$qemu_at")"
    done
}

# remove_former: disks that neither run nor are needed to go back.
remove_former() {
    remove_keep=$(
        for remove_key in "$target_key" "$former_key"; do
            [ -z "$remove_key" ] || cat "$(bundle_saved "$remove_key")/folder" 2>/dev/null || :
        done
    )
    remove_homes | while IFS= read -r remove_home; do
        disks_owner "$remove_home" || continue
        for remove_folder in "$remove_home"/*/; do
            remove_folder=${remove_folder%/}
            [ -d "$remove_folder" ] || continue
            printf '%s\n' "$remove_keep" | grep -qxF -- "$remove_folder" || rm -rf "$remove_folder"
        done
    done
}
