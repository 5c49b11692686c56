# What stands in the way: everything is looked at before anything is made, and told at once.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# preflight_names: is what carries our name ours.
preflight_names() {
    [ "$vm_state" = absent ] || [ "$vm_owner" = ours ] ||
        finding domain/name-taken "there is a domain called $CB_NAME that no bundle made ($vm_state)" \
            "If it was made by hand from the runbook, take it away by hand first: virsh undefine $CB_NAME"
    [ ! -e "$host_home" ] || disks_owner "$host_home" ||
        finding storage/name-taken "$host_home is there, and no bundle made it" \
            "Move it away; or use another folder: --parameter storage=DIR"
}

# preflight_other: with high availability the two VMs must not fall together.
preflight_other() {
    [ -n "$host_role" ] || return 0
    qemu_other=$(qemu_process_of "$CB_LV_OTHER_UUID")
    [ -z "$qemu_other" ] && [ ! -e "$host_storage/$CB_LV_OTHER_NAME" ] &&
        { [ "$host_driver" = qemu ] || ! virsh_ask other domstate "$CB_LV_OTHER_NAME"; } ||
        finding domain/same-host "the other of the two machines, $CB_LV_OTHER_NAME, is on this host" \
            "Install this one on another host: together they would fall together."
}

# preflight_former: the disks to go back to.
preflight_former() {
    for preflight_file in root.qcow2 payload.tar seed.iso; do
        [ -n "$disks_folder" ] && [ -f "$disks_folder/$preflight_file" ] || {
            finding disk/former "the disks of the release before are not there: ${disks_folder:-no folder is recorded}/$preflight_file" \
                "Install that release's bundle anew: ./install.sh --uninstall, then ./install.sh from its folder."
            return 0
        }
    done
}

# preflight_parameters: names and values that the operator gave.
preflight_parameters() {
    while IFS= read -r preflight_line; do
        preflight_name=${preflight_line%%=*} preflight_value=${preflight_line#*=}
        case $preflight_name in
        uri | storage) ;;
        driver) preflight_choice auto libvirt qemu ;;
        emulation) preflight_choice yes no ;;
        shutdown_seconds) case $preflight_value in '' | *[!0-9]* | ?????*) preflight_wrong 'a number of seconds' ;; esac ;;
        root_disk_gib) case $preflight_value in '' | *[!0-9]* | 0* | ??????*) preflight_wrong 'a number of GiB' ;; esac ;;
        network_*)
            case ${preflight_name#network_} in
            '' | *[!0-9]* | 0* | ????*) preflight_unknown ;;
            *)
                [ "${preflight_name#network_}" -le "$CB_NETWORK_COUNT" ] || preflight_unknown
                case ${preflight_value#*:} in '' | *[!A-Za-z0-9_.-]*) preflight_wrong 'KIND:NAME, such as bridge:br0' ;; esac
                case $preflight_value in
                *:*) preflight_value=${preflight_value%%:*} && preflight_choice bridge macvtap network user ;;
                esac
                ;;
            esac
            ;;
        *) preflight_unknown ;;
        esac
    done <"$work/parameters"
    preflight_least=$CB_NEED_DISK_GIB
    [ "$CB_VM_IMAGE_MIN_DISK_GIB" -le "$preflight_least" ] || preflight_least=$CB_VM_IMAGE_MIN_DISK_GIB
    case $(disks_size) in
    *[!0-9]*) ;;
    *) [ "$(disks_size)" -ge "$preflight_least" ] || finding storage/root-too-small \
        "the root disk has $(disks_size) GiB, $preflight_least are needed" "Give --parameter root_disk_gib=$preflight_least" ;;
    esac
}

preflight_choice() {
    case " $* " in
    *" $preflight_value "*) ;;
    *) preflight_wrong "one of: $*" ;;
    esac
}

preflight_wrong() {
    finding parameter/value "parameter $preflight_name is '${preflight_line#*=}'" "It wants $1."
}

preflight_unknown() {
    finding parameter/unknown "there is no parameter $preflight_name" \
        "Parameters: driver, uri, storage, root_disk_gib, emulation, shutdown_seconds, and network_1 to network_$CB_NETWORK_COUNT."
}

# preflight_bundle: the files that become disks.
preflight_bundle() {
    preflight_blob "$CB_VM_IMAGE_FILE" "$CB_VM_IMAGE_SIZE" root.qcow2
    preflight_blob "$CB_PAYLOAD_FILE" "$CB_PAYLOAD_SIZE" payload.tar
}

# preflight_blob FILE BYTES DISK
preflight_blob() {
    [ ! -f "$disks_folder/$3" ] || return 0
    if [ ! -f "$here/$1" ]; then
        finding bundle/no-image "$1 is not in this folder" "Unpack the whole bundle, and run its install.sh."
    elif [ "$(($(wc -c <"$here/$1")))" != "$2" ]; then
        finding bundle/image-size "$1 does not have $2 bytes" "Unpack the bundle again."
    fi
}

# preflight_room: may we write there, and does it fit.
preflight_room() {
    preflight_folder=$host_home
    while [ ! -e "$preflight_folder" ]; do preflight_folder=${preflight_folder%/*} && preflight_folder=${preflight_folder:-/}; done
    [ -d "$preflight_folder" ] && [ -w "$preflight_folder" ] || {
        finding storage/unwritable "you can't write to $preflight_folder" "Run this as root, or give another folder: --parameter storage=DIR"
        return 0
    }
    preflight_free=$(df -Pk "$preflight_folder" | awk 'NR == 2 { print int($4 / 1024) }')
    preflight_need=16
    if [ ! -f "$disks_folder/root.qcow2" ] && [ -f "$here/$CB_VM_IMAGE_FILE" ]; then
        preflight_image=$(qemu-img measure -f "$CB_VM_IMAGE_FORMAT" -O qcow2 "$here/$CB_VM_IMAGE_FILE" 2>/dev/null |
            sed -n 's/^required size: //p')
        preflight_need=$((preflight_need + ${preflight_image:-$CB_VM_IMAGE_SIZE} / 1048576))
    fi
    [ -f "$disks_folder/payload.tar" ] || preflight_need=$((preflight_need + CB_PAYLOAD_SIZE / 1048576))
    if [ "${preflight_free:-0}" -lt "$preflight_need" ]; then
        finding storage/full "$preflight_folder has $preflight_free MiB free, $preflight_need are needed for the disks" \
            "Free some, or give another folder: --parameter storage=DIR"
    elif [ ! -f "$disks_folder/root.qcow2" ] && [ "$preflight_free" -lt $((preflight_need + $(disks_size) * 1024)) ]; then
        note storage/thin "$preflight_folder has $preflight_free MiB free; the root disk may grow to $(disks_size) GiB" \
            "Keep an eye on it: a VM whose disk can't grow stops."
    fi
}

# preflight_host: processor, memory, machine type and firmware.
preflight_host() {
    preflight_cpus=$(getconf _NPROCESSORS_ONLN 2>/dev/null || nproc 2>/dev/null) || preflight_cpus=$CB_NEED_VCPUS
    [ "$preflight_cpus" -ge "$CB_NEED_VCPUS" ] ||
        finding host/too-small "the host has $preflight_cpus processors, the PlatformVM needs $CB_NEED_VCPUS" "Use a larger host."
    # What runs now goes before the new one starts.
    preflight_key=MemAvailable
    [ "$vm_state" = absent ] || [ "$vm_state" = off ] || preflight_key=MemTotal
    preflight_memory=$(awk -v key="$preflight_key:" '$1 == key { print int($2 / 1024) }' /proc/meminfo)
    [ "${preflight_memory:-$CB_NEED_MEMORY_MIB}" -ge "$CB_NEED_MEMORY_MIB" ] ||
        finding host/too-small "the host has $preflight_memory MiB of memory free, the PlatformVM needs $CB_NEED_MEMORY_MIB" \
            "Stop something on this host, or use a larger one."
    case $host_driver in
    libvirt) preflight_virsh ;;
    qemu) preflight_qemu ;;
    esac
}

preflight_virsh() {
    if ! preflight_can_virtualize || ! virsh_ask capabilities domcapabilities --virttype kvm --machine "$CB_LV_MACHINE" --arch x86_64; then
        preflight_no_kvm "${preflight_why:-$(host_said capabilities)}" || return 0
        virsh_ask capabilities domcapabilities --virttype qemu --machine "$CB_LV_MACHINE" --arch x86_64 || {
            finding host/machine "the host's QEMU makes no $CB_LV_MACHINE of x86_64: $(host_said capabilities)" \
                "Install QEMU for x86 (qemu-system-x86), or ask for a bundle with another machine type."
            return 0
        }
    fi
    [ "$CB_LV_FIRMWARE" != efi ] || grep -q '<value>efi</value>' "$work/capabilities" ||
        finding host/firmware "the host has no UEFI firmware for $CB_LV_MACHINE" "Install it: ovmf (Debian, Ubuntu), edk2-ovmf (Red Hat)."
}

preflight_qemu() {
    preflight_can_virtualize && [ -r /dev/kvm ] && [ -w /dev/kvm ] ||
        preflight_no_kvm "${preflight_why:-no access to /dev/kvm}" || :
    [ "$CB_LV_FIRMWARE" != efi ] || qemu_find_firmware ||
        finding host/firmware "the host has no UEFI firmware" "Install it: ovmf (Debian, Ubuntu), edk2-ovmf (Red Hat)."
}

# preflight_can_virtualize: the processor's own word. There is a /dev/kvm without it where a cloud gives its VMs a
# paravirtual one (PVM), under which a plain kernel does not boot.
preflight_can_virtualize() {
    preflight_why=''
    grep -qE '^flags.* (vmx|svm)( |$)' /proc/cpuinfo || preflight_why="the processor offers neither vmx nor svm"
    [ -z "$preflight_why" ]
}

# preflight_no_kvm WHY: true if the VM may be emulated.
preflight_no_kvm() {
    host_type=qemu
    if host_emulation; then
        note host/emulated "there is no KVM ($1), so the VM is emulated" "It is many times slower; for trials only."
        return 0
    fi
    finding host/no-kvm "there is no KVM: $1" \
        "Switch virtualization on in the host's firmware, load kvm_intel or kvm_amd. For a trial without: --parameter emulation=yes"
    return 1
}

# preflight_networks: what each card is attached to.
preflight_networks() {
    preflight_at=0
    while [ "$preflight_at" -lt "$CB_NETWORK_COUNT" ]; do
        preflight_at=$((preflight_at + 1))
        preflight_attached=$(host_network "$preflight_at")
        preflight_source=${preflight_attached#*:}
        preflight_hint="Choose one: --parameter network_$preflight_at=bridge:NAME (or macvtap:CARD, network:NAME)"
        case $preflight_attached in
        bridge:*)
            if [ ! -e "/sys/class/net/$preflight_source" ]; then
                finding network/missing "network card $preflight_at wants the bridge $preflight_source, and the host has none" "$preflight_hint"
            elif [ ! -d "/sys/class/net/$preflight_source/bridge" ]; then
                finding network/kind "$preflight_source, for network card $preflight_at, is no Linux bridge" "$preflight_hint"
            else
                preflight_packets
            fi
            ;;
        macvtap:*)
            if [ ! -e "/sys/class/net/$preflight_source" ]; then
                finding network/missing "network card $preflight_at wants the host's card $preflight_source, which is not there" "$preflight_hint"
            else
                preflight_packets
            fi
            [ "$host_driver:$preflight_at" != qemu:8 ] || finding network/kind "only seven cards can be shared by macvtap" "$preflight_hint"
            ;;
        network:*) preflight_virtual_network ;;
        user:*) note network/user "network card $preflight_at is behind QEMU's own address translation" "Nobody reaches the VM there; for trials only." ;;
        esac
    done
}

# preflight_packets: the host's end must take what the guest sends.
preflight_packets() {
    preflight_size=$(site_value "CB_NETWORK_${preflight_at}_MTU")
    preflight_has=$(cat "/sys/class/net/$preflight_source/mtu" 2>/dev/null) || preflight_has=''
    [ -z "$preflight_size" ] || [ "${preflight_has:-$preflight_size}" -ge "$preflight_size" ] ||
        finding network/mtu "$preflight_source has an MTU of $preflight_has, network card $preflight_at wants $preflight_size" \
            "Raise it: ip link set dev $preflight_source mtu $preflight_size; or ask for a bundle with a smaller one."
}

preflight_virtual_network() {
    if [ "$host_driver" = qemu ]; then
        finding network/kind "network card $preflight_at wants the libvirt network $preflight_source, and libvirt is not used" "$preflight_hint"
    elif ! virsh_ask network net-info "$preflight_source"; then
        finding network/missing "network card $preflight_at wants the libvirt network $preflight_source: $(host_said network)" "$preflight_hint"
    elif ! grep -q '^Active: *yes' "$work/network"; then
        finding network/inactive "the libvirt network $preflight_source is not active" "virsh net-start $preflight_source"
    fi
}

# preflight_gpus: is each there, can it be passed through, and does nobody else have it.
preflight_gpus() {
    preflight_at=0
    while [ "$preflight_at" -lt "$CB_LV_GPU_COUNT" ]; do
        preflight_at=$((preflight_at + 1))
        preflight_gpu=$(site_value "CB_LV_GPU_$preflight_at")
        preflight_device=${preflight_devices-/sys/bus/pci/devices}/$preflight_gpu
        if [ ! -e "$preflight_device" ]; then
            finding gpu/missing "there is no PCI device $preflight_gpu on this host" "lspci -D shows what there is; ask for a bundle with that address."
            continue
        fi
        [ -e "$preflight_device/iommu_group" ] || finding gpu/no-iommu "the GPU $preflight_gpu is in no IOMMU group" \
            "Switch VT-d or AMD-Vi on in the host's firmware, and give the kernel intel_iommu=on."
        preflight_driver=$(readlink "$preflight_device/driver") || preflight_driver=none
        [ "$host_driver" = libvirt ] || [ "${preflight_driver##*/}" = vfio-pci ] || finding gpu/driver \
            "the GPU $preflight_gpu is bound to ${preflight_driver##*/}, QEMU alone needs vfio-pci" \
            "Bind it: driverctl set-override $preflight_gpu vfio-pci"
    done
}

# preflight_secrets: those taken over from what is installed have to be those that this bundle needs.
preflight_secrets() {
    [ -z "$secrets_file" ] && [ ! -f "$disks_folder/seed.iso" ] && preflight_kept=$(disks_secrets_kept) || return 0
    secrets_at=0
    while [ "$secrets_at" -lt "$CB_SECRET_COUNT" ]; do
        secrets_at=$((secrets_at + 1))
        [ "$(site_value "CB_SECRET_${secrets_at}_REQUIRED")" = yes ] || continue
        secret_name=$(site_value "CB_SECRET_${secrets_at}_NAME")
        grep -q "^$secret_name=" "$preflight_kept" || finding secrets/missing \
            "$secret_name is new in this bundle ($(site_value "CB_SECRET_${secrets_at}_DESCRIPTION"))" "Give --secrets FILE with all of them."
    done
}
