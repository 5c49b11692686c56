# The VM, whichever driver runs it: made, started, stopped, and waited for until it says that it is well.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# vm_look: vm_state (absent, off, running or a word of the hypervisor's), vm_owner (ours or foreign), and what our mark
# says: vm_bundle, vm_inputs, vm_folder.
vm_look() {
    vm_state=absent vm_owner=ours vm_bundle='' vm_inputs='' vm_folder=''
    case $host_driver in
    libvirt) virsh_look ;;
    qemu) qemu_look ;;
    esac
}

# vm_step check|do|undo: it runs, made of the target.
vm_step() {
    case $1 in
    check)
        vm_look
        [ "$vm_state" = running ] && vm_is_target || return 1
        step_id=$CB_LV_UUID
        ;;
    do)
        vm_look
        if [ "$vm_state" != absent ] && ! vm_is_target; then
            say "  stopping what runs now"
            vm_stop "$(parameter shutdown_seconds 120)"
        fi
        case $host_driver in
        libvirt) virsh_make ;;
        qemu) qemu_make ;;
        esac
        vm_look
        [ "$vm_state" = running ] || stop 3 vm/not-running "$CB_NAME was started and is $vm_state" \
            "See what it says: $disks_folder/serial.log, and the hypervisor's own log. Then run this again."
        vm_started=yes
        step_id=$CB_LV_UUID
        ;;
    undo) vm_stop 0 ;;
    esac
}

vm_is_target() {
    [ "$vm_owner" = ours ] && [ "$vm_bundle" = "$target_digest" ] && [ "$vm_folder" = "$disks_folder" ]
}

# vm_stop SECONDS: asks it to shut down, waits so long, then pulls the plug.
vm_stop() {
    vm_look
    [ "$vm_state" != absent ] && [ "$vm_state" != off ] || return 0
    vm_began=$(seconds)
    [ "$1" = 0 ] || case $host_driver in
    libvirt) virsh_shutdown ;;
    qemu) qemu_shutdown ;;
    esac
    while [ $(($(seconds) - vm_began)) -lt "$1" ]; do
        vm_look
        [ "$vm_state" != off ] && [ "$vm_state" != absent ] || break
        progress "shutting down, $(($(seconds) - vm_began)) s"
        sleep 1
    done
    progress_end
    case $host_driver in
    libvirt) virsh_destroy ;;
    qemu) qemu_destroy ;;
    esac
}

# vm_console: the serial console's text since the VM was last started.
vm_console() {
    [ -n "$vm_folder" ] && [ -r "$vm_folder/serial.log" ] && cat "$vm_folder/serial.log" || :
}

# vm_said: STAGE DETAIL, the guest's last word.
vm_said() {
    [ -z "$vm_folder" ] || guest_stage "$vm_folder/serial.log"
}

# vm_address NUMBER: the address of a card; of one with dhcp what the host has heard of it, if anything.
vm_address() {
    vm_fixed=$(site_value "CB_NETWORK_${1}_ADDRESS")
    [ -n "$vm_fixed" ] || vm_fixed=$(ip neigh show 2>/dev/null | awk -v mac="$(site_value "CB_NETWORK_${1}_MAC")" '
        { for (i = 2; i < NF; i++) if ($i == "lladdr" && $(i + 1) == mac) { print $1; exit } }') || vm_fixed=''
    printf '%s' "${vm_fixed:-dhcp}"
}

# vm_guest_step check|do|undo: the guest says that it is well.
vm_guest_step() {
    case $1 in
    check)
        vm_look
        vm_word=$(vm_said)
        [ "$vm_state:${vm_word%% *}" = running:healthy ] || return 1
        step_id=healthy
        ;;
    do) vm_wait ;;
    undo) ;;
    esac
}

# vm_wait: 30 minutes, as the platform itself waits for a new cloudlet. A guest that had failed before this run gets a boot,
# for at each boot it tries again.
vm_wait() {
    vm_began=$(seconds)
    vm_before='' vm_went=no
    until vm_guest_step check; do
        vm_detail=${vm_word#* }
        case $vm_state:${vm_word%% *} in
        running:failed)
            if [ "${vm_started-no}" = yes ]; then
                vm_failed
            else
                say "  it had failed ($vm_detail); starting it again"
                vm_stop 30
                vm_step 'do'
            fi
            ;;
        running:*) ;;
        *) vm_gone ;;
        esac
        if [ -n "$vm_word" ] && [ "$vm_word" != "$vm_before" ]; then
            progress_end
            say "    $vm_word"
            vm_before=$vm_word
        fi
        [ $(($(seconds) - vm_began)) -lt 1800 ] || vm_silent
        progress "waiting, it says ${vm_word:-nothing yet}, $(($(seconds) - vm_began)) s"
        sleep 2
    done
    progress_end
}

vm_failed() {
    vm_tail
    stop 1 guest/failed "the PlatformVM says that it failed: $vm_detail" "$(guest_remedy "$vm_detail")
Running this again starts the VM again."
}

vm_gone() {
    vm_tail
    stop 3 vm/not-running "$CB_NAME is $vm_state, while it was to come up" \
        "If nobody stopped it, look at the hypervisor's log. Running this again starts it again."
}

vm_silent() {
    vm_tail
    stop 1 guest/late "after 30 minutes the PlatformVM has said '${vm_word:-nothing}'" \
        "Read the whole console: $vm_folder/serial.log
Run this again to wait on; ./install.sh --status shows the state."
}

vm_tail() {
    progress_end
    printf 'last lines of the console:\n' >&2
    vm_console | tail -n 15 | LC_ALL=C tr -d '\000-\010\013-\037' | secrets_hide >&2 || :
}
