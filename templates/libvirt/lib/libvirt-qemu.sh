# The driver qemu: one process of qemu-system-x86_64, for hosts without libvirt.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# FOLDER/start is the whole VM: a script to be read, and to be run by whoever starts the host's services. What is written
# to the pipe FOLDER/monitor.in goes to QEMU's monitor.

# qemu_access: may a VM be run, with cards on the host's networks.
qemu_access() {
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_NETWORK_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        case $(host_network "$qemu_at") in
        user:*) ;;
        *) [ "$(id -u)" = 0 ] || {
            finding host/not-root "without libvirt only root may attach network card $qemu_at" "Run this as root."
            return 1
        } ;;
        esac
    done
}

qemu_look() {
    [ -f "$host_home/installed" ] || return 0
    vm_state=off
    disks_owner "$host_home" || vm_owner=foreign
    vm_bundle=$(qemu_marked bundle) vm_inputs=$(qemu_marked inputs) vm_folder=$(qemu_marked folder)
    qemu_pid=$(qemu_process)
    [ -z "$qemu_pid" ] || vm_state=running
}

qemu_marked() {
    sed -n "s/^$1=//p" "$host_home/installed"
}

# qemu_process: the process of this VM, or nothing. By its UUID: the number in a file may be somebody else's by now, or not
# be there yet when a run was cut while it started the VM. The brackets keep grep from finding itself.
qemu_process() {
    qemu_process_of "$CB_LV_UUID"
}

qemu_process_of() {
    qemu_found=$(grep -ls -- "$(qemu_pattern "$1")" /proc/[0-9]*/cmdline 2>/dev/null | head -n 1) || qemu_found=''
    qemu_found=${qemu_found#/proc/}
    printf '%s' "${qemu_found%/cmdline}"
}

qemu_pattern() {
    printf '[%.1s]%s' "$1" "${1#?}"
}

# qemu_make: writes the script where the VM is not of the target, and runs it.
qemu_make() {
    if ! vm_is_target || [ ! -f "$disks_folder/start" ]; then
        qemu_firmware
        qemu_script >"$disks_folder/start.new"
        chmod 0700 "$disks_folder/start.new"
        mv -f "$disks_folder/start.new" "$disks_folder/start"
        printf 'bundle=%s\ninputs=%s\nfolder=%s\n' "$target_digest" "$disks_inputs" "$disks_folder" >"$host_home/installed.new"
        host_flush "$host_home/installed.new"
        mv -f "$host_home/installed.new" "$host_home/installed"
    fi
    # An orphan of this, should this run be killed, is ended by the next one before it looks.
    host_run start 'starting QEMU' "$disks_folder/start" sh "$disks_folder/start" ||
        stop 3 vm/refused "starting $CB_NAME: $(host_said start)" "That is QEMU's own answer. When it is mended, run this again: it goes on here."
}

# qemu_firmware: UEFI's code stays the host's; its variables are the VM's.
qemu_firmware() {
    [ "$CB_LV_FIRMWARE" = efi ] || return 0
    qemu_find_firmware
    [ -f "$disks_folder/nvram.fd" ] || cp "$qemu_vars" "$disks_folder/nvram.fd"
}

# qemu_find_firmware: qemu_code and qemu_vars, where distributions have them; false if there is none.
qemu_find_firmware() {
    for qemu_code in /usr/share/OVMF/OVMF_CODE_4M.fd /usr/share/OVMF/OVMF_CODE.fd /usr/share/edk2/ovmf/OVMF_CODE.fd \
        /usr/share/edk2/x64/OVMF_CODE.4m.fd /usr/share/edk2-ovmf/x64/OVMF_CODE.fd /usr/share/qemu/ovmf-x86_64-code.bin; do
        qemu_vars=$(printf '%s' "$qemu_code" | sed 's/CODE/VARS/; s/-code/-vars/')
        [ ! -f "$qemu_code" ] || [ ! -f "$qemu_vars" ] || return 0
    done
    return 1
}

# qemu_tap NUMBER: name of a card's device on the host; 15 characters at most, so it is made of the VM's UUID.
qemu_tap() {
    printf 'cb%.8s-%s' "$CB_LV_UUID" "$1"
}

# qemu_script: the VM as a script. The words are quoted one by one.
qemu_script() {
    printf '#!/bin/sh\n# Starts the PlatformVM %s; made by install.sh. It does nothing if the VM runs.\n' "$CB_NAME"
    printf 'set -eu\numask 077\ncd %s\n' "$(host_word "$disks_folder")"
    printf '! grep -qs -- %s /proc/[0-9]*/cmdline || exit 0\n' "$(host_word "$(qemu_pattern "$CB_LV_UUID")")"
    printf 'rm -f pid monitor.in monitor.out serial.log\nmkfifo monitor.in monitor.out\n'
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_NETWORK_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        qemu_script_card "$qemu_at"
    done
    qemu_words=$(qemu_arguments)
    printf 'exec %s' "$(host_word "$host_qemu")"
    printf '%s\n' "$qemu_words" | while IFS= read -r qemu_word; do
        printf ' \\\n    %s' "$(host_word "$qemu_word")"
    done
    printf '\n'
}

# qemu_script_card NUMBER: the host's end of a network card, made anew at each start.
qemu_script_card() {
    qemu_attached=$(host_network "$1")
    qemu_source=$(host_word "${qemu_attached#*:}") qemu_device=$(qemu_tap "$1")
    qemu_size=$(site_value "CB_NETWORK_${1}_MTU")
    case $qemu_attached in
    bridge:*)
        printf 'ip link delete %s 2>/dev/null || :\nip tuntap add dev %s mode tap\n' "$qemu_device" "$qemu_device"
        [ -z "$qemu_size" ] || printf 'ip link set dev %s mtu %s\n' "$qemu_device" "$qemu_size"
        printf 'ip link set dev %s master %s up\n' "$qemu_device" "$qemu_source"
        ;;
    macvtap:*)
        printf 'ip link delete %s 2>/dev/null || :\n' "$qemu_device"
        printf 'ip link add link %s name %s address %s type macvtap mode bridge\nip link set dev %s up\n' \
            "$qemu_source" "$qemu_device" "$(site_value "CB_NETWORK_${1}_MAC")" "$qemu_device"
        # shellcheck disable=SC2016 # for the script
        printf 'exec %s<>"/dev/tap$(cat /sys/class/net/%s/ifindex)"\n' "$(($1 + 2))" "$qemu_device"
        ;;
    esac
}

# qemu_arguments: one a line. The folder is the current one, so that no path is too long for a socket or has a comma.
qemu_arguments() {
    printf '%s\n' -name "$CB_NAME" -uuid "$CB_LV_UUID" -nodefaults -no-user-config -display none -daemonize -pidfile pid
    case $host_type in
    kvm) printf '%s\n' -machine "$CB_LV_MACHINE,accel=kvm" -cpu host ;;
    *) printf '%s\n' -machine "$CB_LV_MACHINE,accel=tcg" -cpu max,la57=off ;;
    esac
    printf '%s\n' -smp "$CB_NEED_VCPUS" -m "${CB_NEED_MEMORY_MIB}M"
    if [ "$CB_LV_FIRMWARE" = efi ]; then
        printf '%s\n' -drive "if=pflash,format=raw,readonly=on,file=$qemu_code" -drive if=pflash,format=raw,file=nvram.fd
    fi
    printf '%s\n' -drive file=root.qcow2,if=virtio,format=qcow2,discard=unmap \
        -drive file=payload.tar,if=virtio,format=raw,readonly=on -drive file=seed.iso,if=virtio,format=raw,readonly=on
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_NETWORK_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        case $(host_network "$qemu_at") in
        bridge:*) printf '%s\n' -netdev "tap,id=card$qemu_at,ifname=$(qemu_tap "$qemu_at"),script=no,downscript=no" ;;
        macvtap:*) printf '%s\n' -netdev "tap,id=card$qemu_at,fd=$((qemu_at + 2))" ;;
        *) printf '%s\n' -netdev "user,id=card$qemu_at" ;;
        esac
        printf '%s\n' -device "virtio-net-pci,netdev=card$qemu_at,mac=$(site_value "CB_NETWORK_${qemu_at}_MAC")"
    done
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_LV_GPU_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        printf '%s\n' -device "vfio-pci,host=$(site_value "CB_LV_GPU_$qemu_at")"
    done
    printf '%s\n' -device virtio-rng-pci -device virtio-balloon-pci -chardev file,id=console,path=serial.log \
        -serial chardev:console -chardev pipe,id=monitor,path=monitor -mon monitor
}

qemu_shutdown() {
    [ ! -p "$vm_folder/monitor.in" ] || printf 'system_powerdown\n' >"$vm_folder/monitor.in"
}

# qemu_destroy: ends the process, and takes the host's ends of its cards away.
qemu_destroy() {
    qemu_pid=$(qemu_process)
    if [ -n "$qemu_pid" ]; then
        kill "$qemu_pid" 2>/dev/null || :
        qemu_tries=0
        while [ -n "$(qemu_process)" ]; do
            qemu_tries=$((qemu_tries + 1))
            [ "$qemu_tries" -ne 10 ] || kill -9 "$qemu_pid" 2>/dev/null || :
            [ "$qemu_tries" -lt 20 ] || stop 3 vm/refused "process $qemu_pid of $CB_NAME does not end" "End it by hand, then run this again."
            sleep 1
        done
    fi
    qemu_at=0
    while [ "$qemu_at" -lt "$CB_NETWORK_COUNT" ]; do
        qemu_at=$((qemu_at + 1))
        [ ! -e "/sys/class/net/$(qemu_tap "$qemu_at")" ] || ip link delete "$(qemu_tap "$qemu_at")" || :
    done
    vm_state=off
}

qemu_remove() {
    qemu_destroy
    rm -f "$host_home/installed"
}
