# Waiting for the VM until it says that it is well. Its words are in guestinfo.cloudlet.status; VMware Tools bring them.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# guest_said: STAGE DETAIL, the guest's last word; vm_path is the VM.
guest_said() {
    ask guest-said object.collect -json "$(glob "$vm_path")" config.extraConfig || return 0
    json_flat <"$work/guest-said" | json_properties | sed -n 's/^config\.extraconfig\.guestinfo\.cloudlet\.status	\(.*\)/cloudlet-status \1/p' >"$work/guest-status"
    rm -f "$work/guest-said"
    guest_stage "$work/guest-status"
}

# guest_step check|do|undo: it says that it is well.
guest_step() {
    case $1 in
    check)
        guest_word=''
        vms_named || return 1
        collect power "$(glob "$vm_path")" runtime.powerState || return 1
        vm_power=$(collected power runtime.powerState)
        guest_word=$(guest_said)
        [ "$vm_power:${guest_word%% *}" = poweredOn:healthy ] || return 1
        step_id=healthy
        ;;
    do) guest_wait ;;
    undo) ;;
    esac
}

# guest_wait: 30 minutes, as the platform itself waits for a new cloudlet. A guest that had failed before this run gets a boot,
# for at each boot it tries again.
guest_wait() {
    guest_began=$(seconds)
    guest_before=''
    until guest_step check; do
        guest_detail=${guest_word#* }
        case $vm_power:${guest_word%% *} in
        poweredOn:failed) guest_failed ;;
        poweredOn:*) ;;
        *) stop 3 vm/not-running "$CB_NAME is ${vm_power:-absent}, while it was to come up" "If nobody stopped it, look at its events in vCenter. Running this again starts it again." ;;
        esac
        if [ -n "$guest_word" ] && [ "$guest_word" != "$guest_before" ]; then
            progress_end
            say "    $guest_word"
            guest_before=$guest_word
        fi
        [ $(($(seconds) - guest_began)) -lt 1800 ] || stop 1 guest/late "after 30 minutes the PlatformVM has said '${guest_word:-nothing}'" \
            "Look at its console in the vSphere client. If it has said nothing: does the image run open-vm-tools, and cloud-init's VMware datasource?
Run this again to wait on; ./install.sh --status shows the state."
        progress "waiting, it says ${guest_word:-nothing yet}, $(($(seconds) - guest_began)) s"
        sleep 3
    done
    progress_end
}

guest_failed() {
    [ "${vm_started-no}" = no ] || stop 1 guest/failed "the PlatformVM says that it failed: $guest_detail" "$(guest_remedy "$guest_detail")
Running this again starts the VM again."
    say "  it had failed ($guest_detail); starting it again"
    vms_set "$vm_path" guestinfo.cloudlet.status=
    change reset 'restarting' vm.power -reset "$(glob "$vm_path")" || trouble_stop reset "restarting $vm_path"
    vm_started=yes
}
