# The VM's disks: root, payload and seed, each written aside, flushed and renamed. Nothing that a VM uses is written to.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# disks_choose: disks_inputs is what the VM is made of, in a word; disks_folder has its disks. What is installed by a
# state directory that is lost stays where it is; going back goes where it was.
disks_choose() {
    disks_inputs=$(printf '%s\n' "$target_digest" "$target_parameters" "$target_secrets" | sha256sum | cut -c1-16)
    disks_folder=$host_home/$disks_inputs
    if [ "$verb" = rollback ]; then
        disks_folder=$(cat "$(bundle_saved "$target_key")/folder" 2>/dev/null) || disks_folder=''
    elif [ "$verb" = install ] && platform_exists && platform_has_target && [ -z "$installed_bundle$open_bundle" ]; then
        disks_folder=$vm_folder
    fi
    [ "$disks_folder" = "$host_home/$disks_inputs" ] || disks_inputs=${disks_folder##*/}
}

# disks_size: of the root disk, in GiB.
disks_size() {
    parameter root_disk_gib "$CB_LV_ROOT_DISK_GIB"
}

# disks_owner FOLDER: true if the VM's folder is there and a bundle of this name made it.
disks_owner() {
    [ "$(sed -n 1p "$1/owner" 2>/dev/null)" = "cloudlet-bundle $CB_NAME" ]
}

# disks_make_folder: others may pass through, for QEMU is somebody else; nobody may look. A folder has its mark from its
# first moment on, so a run that is cut leaves none that the next would take for a stranger's.
disks_make_folder() {
    if [ ! -d "$host_storage" ]; then
        disks_make_home "$host_storage.cloudlet-new" "$host_storage.cloudlet-new/$CB_NAME" yes "$host_storage"
    elif [ ! -d "$host_home" ]; then
        disks_make_home "$host_home.cloudlet-new" "$host_home.cloudlet-new" no "$host_home"
    fi
    [ -d "$disks_folder" ] || mkdir "$disks_folder" || disks_unwritable
    chmod 0711 "$disks_folder"
}

# disks_make_home TOP HOME MADE FINAL: TOP with HOME in it, or the same, renamed to FINAL when the mark is in it.
disks_make_home() {
    rm -rf "$1"
    mkdir -p "$2" && chmod 0711 "$1" "$2" && printf 'cloudlet-bundle %s\nmade storage %s\n' "$CB_NAME" "$3" >"$2/owner" &&
        mv "$1" "$4" || disks_unwritable
}

disks_unwritable() {
    stop 3 storage/unwritable "can't write to $disks_folder" "Run this as root, or give another folder: --parameter storage=DIR"
}

# disks_root_step check|do|undo: the image, copied and grown, so that the bundle may go.
disks_root_step() {
    step_id=$disks_folder/root.qcow2
    case $1 in
    check) [ -f "$step_id" ] ;;
    do)
        disks_make_folder
        rm -f "$step_id.new"
        host_run convert 'copying the VM image' "$step_id.new" \
            qemu-img convert -f "$CB_VM_IMAGE_FORMAT" -O qcow2 "$here/$CB_VM_IMAGE_FILE" "$step_id.new" &&
            qemu-img resize -q -f qcow2 "$step_id.new" "$(disks_size)G" >"$work/convert" 2>"$work/convert.error" || disks_failed convert root.qcow2
        host_flush "$step_id.new"
        mv -f "$step_id.new" "$step_id"
        ;;
    undo) rm -f "$step_id" ;;
    esac
}

# disks_payload_step check|do|undo: as it is; compared after it was copied, for the guest would refuse another.
disks_payload_step() {
    step_id=$disks_folder/payload.tar
    case $1 in
    check) [ -f "$step_id" ] && [ "$(($(wc -c <"$step_id")))" = "$CB_PAYLOAD_SIZE" ] ;;
    do)
        disks_make_folder
        rm -f "$step_id.new"
        host_run copy 'copying the payload' "$step_id.new" cp "$here/$CB_PAYLOAD_FILE" "$step_id.new" || disks_failed copy payload.tar
        host_flush "$step_id.new"
        [ "$(sha256sum <"$step_id.new" | cut -d' ' -f1)" = "$CB_PAYLOAD_SHA256" ] ||
            stop 3 disk/damaged "$step_id.new has not the bytes of the bundle's payload" \
                "Run this again; if it happens twice, check this machine's disk and memory."
        chmod 0644 "$step_id.new"
        mv -f "$step_id.new" "$step_id"
        ;;
    undo) rm -f "$step_id" ;;
    esac
}

# disks_seed_step check|do|undo: what cloud-init reads, with the secrets in it: mode 0600, as the copy of them beside it,
# from which an upgrade takes them over.
disks_seed_step() {
    step_id=$disks_folder/seed.iso
    case $1 in
    check) [ -f "$step_id" ] ;;
    do)
        disks_make_folder
        [ -n "$secrets_file" ] || ! disks_kept=$(disks_secrets_kept) || cat "$disks_kept" >"$work/secrets"
        disks_secrets_wanted >"$disks_folder/secrets"
        guest_fill "$here/$CB_LV_USER_DATA" "$work/user-data" &&
            seed_write "$step_id.new" "$here/$CB_LV_META_DATA" "$here/$CB_LV_NETWORK_CONFIG" "$work/user-data" || disks_failed seed seed.iso
        rm -f "$work/user-data"
        host_flush "$step_id.new"
        mv -f "$step_id.new" "$step_id"
        ;;
    undo) rm -f "$step_id" "$disks_folder/secrets" ;;
    esac
}

# disks_secrets_wanted: those that this machine's user-data has a place for, and no other's.
disks_secrets_wanted() {
    while IFS= read -r disks_line; do
        ! grep -qF "@@CLOUDLET-SECRET:${disks_line%%=*}@@" "$here/$CB_LV_USER_DATA" || printf '%s\n' "$disks_line"
    done <"$work/secrets"
}

# disks_secrets_kept: the file that has the secrets: of this very folder, else of what is installed.
disks_secrets_kept() {
    for disks_kept in "$disks_folder" "$vm_folder"; do
        [ -n "$disks_kept" ] && [ -f "$disks_kept/seed.iso" ] && [ -f "$disks_kept/secrets" ] || continue
        printf '%s' "$disks_kept/secrets"
        return 0
    done
    return 1
}

# disks_failed NAME FILE
disks_failed() {
    disks_said=$(host_said "$1")
    case $disks_said in
    *'o space left'*) stop 3 storage/full "no room for $2 in $disks_folder" "Free some, then run this again: it goes on here." ;;
    *) stop 3 disk/failed "$2 can't be made: ${disks_said:-no reason given}" "Run this again: it goes on here." ;;
    esac
}
