# From the VM that runs to the one that is to run: never both at once, for they have the same addresses.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# switch_step check|do|undo: the target has the name and runs, and no other of ours does.
switch_step() {
    case $1 in
    check)
        vms_named && [ "$vm_owner:$vm_inputs:$vm_power" = "ours:$target_inputs:poweredOn" ] || return 1
        step_id=$vm_uuid
        [ -z "$(switch_others)" ]
        ;;
    do)
        switch_others >"$work/others"
        while IFS= read -r switch_path <&3; do
            say "  stopping ${switch_path##*/}"
            switch_off "$switch_path"
        done 3<"$work/others"
        switch_name
        vms_target
        [ "$vm_power" = poweredOn ] || switch_on
        vms_look && switch_step check || stop 3 vm/not-running "$CB_NAME was powered on and is ${vm_power:-absent}" "Look at vCenter's recent tasks and events; then run this again."
        vm_started=yes
        ;;
    undo) vms_target && switch_off "$vm_path" ;;
    esac
}

# switch_others: paths of ours that run and are not the target.
switch_others() {
    awk -F '\t' -v target="$target_inputs" '$3 == "ours" && $2 != "poweredOff" && $5 != target { print $1 }' "$work/vms"
}

# switch_name: the one that has the name gives it up first; a run that is cut between finds the name free.
switch_name() {
    if vms_named && [ "$vm_inputs" != "$target_inputs" ]; then
        [ "$vm_owner" = ours ] || stop 1 vm/name-taken "there is a VM $CB_NAME that was not made by a bundle of this cloudlet" "Rename it, and run this again."
        vms_rename "$vm_path" "$(vms_aside "$vm_inputs")"
    fi
    vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
    vms_target
    [ "${vm_path##*/}" = "$CB_NAME" ] || vms_rename "$vm_path" "$CB_NAME"
    vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
}

# switch_on: what it said in an earlier life is forgotten first.
switch_on() {
    vms_set "$vm_path" guestinfo.cloudlet.status=
    change power-on 'powering on' vm.power -on "$(glob "$vm_path")" || trouble_stop power-on "powering on $vm_path"
}

# switch_off PATH: asks the guest to shut down, waits, then cuts the power.
switch_off() {
    switch_began=$(seconds)
    ask power-off vm.power -s "$(glob "$1")" || switch_began=0
    while [ $(($(seconds) - switch_began)) -lt "$(parameter shutdown_seconds 120)" ]; do
        collect power "$(glob "$1")" runtime.powerState || break
        [ "$(collected power runtime.powerState)" != poweredOff ] || break
        progress "shutting down, $(($(seconds) - switch_began)) s"
        sleep 2
    done
    progress_end
    collect power "$(glob "$1")" runtime.powerState || :
    [ "$(collected power runtime.powerState)" = poweredOff ] || change power-cut 'cutting the power' vm.power -off -force "$(glob "$1")" ||
        trouble_stop power-cut "powering off $1"
    vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
}
