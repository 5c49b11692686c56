# The VMs of this cloudlet, as vCenter has them: which are ours, what each is made of, how far it is.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# $work/vms has a line for each, by tabs: path, power (poweredOn, poweredOff), ours or foreign, bundle, inputs, imported (yes
# or -), told (inputs of what guestinfo holds, or -), scrubbed (yes or -), uuid.

# vms_aside INPUTS: the name of a VM that is not the one that runs. A name has 80 characters at most in vCenter.
vms_aside() {
    printf '%.70s-%.8s' "$CB_NAME" "$1"
}

# vms_look: asks for all whose name begins as ours. False, with a finding, if vCenter can't be asked.
vms_look() {
    vms_prefix=$(printf '%.70s' "$CB_NAME")
    ask vm-paths find -type m -name "$(glob "$vms_prefix")*" "$(glob "$site_dc/vm")" || {
        trouble_finding vm-paths 'listing VMs'
        return 1
    }
    : >"$work/vms.new"
    while IFS= read -r vm_path <&3; do
        vms_row "$vm_path" >>"$work/vms.new" || return 1
    done 3<"$work/vm-paths"
    mv -f "$work/vms.new" "$work/vms"
}

# vms_row PATH: its line; nothing if it has another name than ours and no mark of ours.
vms_row() {
    ask vm object.collect -json "$(glob "$1")" config.annotation config.extraConfig config.instanceUuid runtime.powerState || {
        # One that was deleted between the two questions is none.
        ! LC_ALL=C grep -qi 'not found\|ManagedObjectNotFound\|already been deleted' "$work/vm.error" || return 0
        trouble_finding vm "asking about VM $1"
        return 1
    }
    # The advanced parameters hold guestinfo, secrets with it, until they are scrubbed: only the marks are kept.
    json_flat <"$work/vm" | json_properties | grep -v '^config.extraconfig.guestinfo.userdata' >"$work/vm-properties"
    rm -f "$work/vm"
    vm_mark=config.extraconfig.cloudlet-bundle
    row_owner=$(json_value "$work/vm-properties" "$vm_mark.owner")
    row_bundle=$(json_value "$work/vm-properties" "$vm_mark.bundle")
    row_inputs=$(json_value "$work/vm-properties" "$vm_mark.inputs")
    if [ -z "$row_owner" ]; then
        # A VM whose import was cut has its notes only.
        row_note=$(json_value "$work/vm-properties" config.annotation | sed -n 's/.*\[cloudlet-bundle owner=\([^] ]*\) bundle=\([0-9a-f]*\) inputs=\([0-9a-f]*\)\].*/\1 \2 \3/p')
        row_owner=${row_note%% *} row_inputs=${row_note##* } row_bundle=${row_note#* } row_bundle=${row_bundle%% *}
    fi
    row_kind=foreign
    if [ "$row_owner" = "$CB_NAME" ]; then
        row_kind=ours
    elif [ "${1##*/}" != "$CB_NAME" ] && [ "${1##*/}" != "$(vms_aside "${target_inputs-}")" ]; then
        return 0
    fi
    printf '%s\t%s\t%s' "$1" "$(json_value "$work/vm-properties" runtime.powerstate)" "$row_kind"
    for row_value in "$row_bundle" "$row_inputs" "$(json_value "$work/vm-properties" "$vm_mark.imported")" \
        "$(json_value "$work/vm-properties" "$vm_mark.told")" "$(json_value "$work/vm-properties" "$vm_mark.scrubbed")" \
        "$(json_value "$work/vm-properties" config.instanceuuid)"; do
        printf '\t%s' "${row_value:--}"
    done
    printf '\n'
}

# vms_choose: target_inputs is what the VM is made of, in a word. What a lost state directory has installed counts as it is;
# going back goes to what was there.
vms_choose() {
    target_inputs=$(printf '%s\n' "$target_digest" "$target_parameters" "$target_secrets" | sha256sum | cut -c1-16)
    if [ "$verb" = rollback ]; then
        target_inputs=$(cat "$(bundle_saved "$target_key")/vm" 2>/dev/null) || target_inputs=none
    elif [ "$verb" = install ] && [ -z "$installed_bundle$open_bundle" ] && vms_named && [ "$vm_owner:$vm_bundle" = "ours:$target_digest" ]; then
        target_inputs=$vm_inputs
    fi
    vms_look || :
}

# vms_take LINE: vm_* of one.
vms_take() {
    vm_path='' vm_power=absent vm_owner='' vm_bundle='' vm_inputs='' vm_imported='' vm_told='' vm_scrubbed='' vm_uuid=''
    [ -n "$1" ] || return 1
    IFS='	' read -r vm_path vm_power vm_owner vm_bundle vm_inputs vm_imported vm_told vm_scrubbed vm_uuid <<EOF
$1
EOF
}

# vms_target: vm_* of the VM that the target is; false without one.
vms_target() {
    vms_take "$(grep "	ours	[^	]*	${target_inputs-none}	" "$work/vms" | head -n 1)"
}

# vms_named: vm_* of the VM that has our name.
vms_named() {
    vms_take "$(awk -F '\t' -v name="/$CB_NAME" 'substr($1, length($1) - length(name) + 1) == name' "$work/vms" | head -n 1)"
}

# vms_devices PATH: $work/cards has key and hardware address of each network card, in the order of the spec's networks;
# $work/disks has key and bytes of each disk, by key.
vms_devices() {
    ask devices object.collect -json "$(glob "$1")" config.hardware.device || trouble_stop devices "asking for the hardware of $1"
    json_flat <"$work/devices" | json_properties | LC_ALL=C awk -F '\t' -v cards="$work/cards-found" -v disks="$work/disks" '
        BEGIN { printf "" >cards; printf "" >disks }
        { split($1, step, "."); at = step[4] + 0; member = $1; sub(/^config\.hardware\.device\.[0-9]+\./, "", member)
          seen[at] = 1; value[at, member] = substr($0, length($1) + 2); if (at > last) last = at }
        function of(i, member) { return (i, member) in value ? value[i, member] : "" }
        END {
            for (i = 0; i <= last; i++) if (i in seen) {
                group = of(i, "backing.port.portgroupkey"); name = of(i, "backing.devicename")
                if (of(i, "macaddress") != "") printf "%s\t%s\t%s\t%s\n", value[i, "key"], tolower(value[i, "macaddress"]), group == "" ? "-" : group, name == "" ? "-" : name >cards
                if (of(i, "capacityinkb") != "") printf "%s %.0f\n", value[i, "key"], value[i, "capacityinkb"] * 1024 >disks
            }
        }'
    LC_ALL=C sort -n -o "$work/disks" "$work/disks"
    LC_ALL=C sort -n "$work/cards-found" | while IFS='	' read -r card_key card_mac card_group card_name; do
        # A distributed port group is known by its key, which is its object's id.
        [ "$card_group" = - ] || { collect port-group "DistributedVirtualPortgroup:$card_group" name && card_name=$(collected port-group name); }
        printf '%s %s %s\n' "$card_key" "$card_mac" "$card_name"
    done >"$work/cards-named"
    vms_cards
}

# vms_cards: which card is which is told by what it is attached to; vCenter does not promise an order. Of several on one network,
# and of those whose network has no name that could be seen (NSX's opaque ones), the order counts. vm_cards is `sure`, or
# `other` where a card is on a network that is none of the spec's.
vms_cards() {
    vms_at=0
    while [ "$vms_at" -lt "$CB_NETWORK_COUNT" ]; do
        vms_at=$((vms_at + 1))
        vms_name=$(site_network_name "$vms_at")
        printf '%s\n' "${vms_name##*/}"
    done >"$work/cards-wanted"
    LC_ALL=C awk '
        FILENAME == ARGV[1] { want[++wants] = $0; next }
        { card[++n] = $1 " " $2; name[n] = $0; sub(/^[^ ]+ [^ ]+ /, "", name[n]) }
        function take(i, j) { chosen[i] = card[j]; used[j] = 1 }
        END {
            for (i = 1; i <= wants; i++) for (j = 1; j <= n && !(i in chosen); j++) if (!(j in used) && name[j] == want[i]) take(i, j)
            for (i = 1; i <= wants; i++) for (j = 1; j <= n && !(i in chosen); j++) if (!(j in used) && name[j] == "-") take(i, j)
            for (i = 1; i <= wants; i++) for (j = 1; j <= n && !(i in chosen); j++) if (!(j in used)) { take(i, j); other = 1 }
            for (i = 1; i <= wants; i++) if (i in chosen) print chosen[i]
            for (j = 1; j <= n; j++) if (!(j in used)) { print card[j]; other = 1 }
            exit other
        }' "$work/cards-wanted" "$work/cards-named" >"$work/cards" && vm_cards=sure || vm_cards=other
}

# vms_mac NUMBER: the card's hardware address; nothing if there is no such card.
vms_mac() {
    sed -n "${1}s/.* //p" "$work/cards"
}

# vms_set PATH KEY=VALUE...: advanced parameters that are no secret.
vms_set() {
    vms_path=$1
    shift
    for vms_word in "$@"; do
        shift
        set -- "$@" -e "$vms_word"
    done
    ask vm-change vm.change -vm "$(glob "$vms_path")" "$@" || trouble_stop vm-change "marking VM $vms_path"
}

# vms_rename PATH NAME
vms_rename() {
    change rename "renaming ${1##*/}" object.rename "$(glob "$1")" "$2" || trouble_stop rename "renaming VM $1 to $2"
}

# vms_destroy PATH: with its disks. What an import that was cut still holds is given up by vCenter after five minutes.
vms_destroy() {
    vms_began=$(seconds)
    until change destroy "removing ${1##*/}" vm.destroy "$(glob "$1")"; do
        ! LC_ALL=C grep -qi 'not found' "$work/destroy.error" || return 0
        LC_ALL=C grep -Eqi 'in progress|TaskInProgress|lease|being used|locked|InvalidState|not allowed in the current state' "$work/destroy.error" &&
            [ $(($(seconds) - vms_began)) -lt 420 ] || trouble_stop destroy "removing VM $1"
        progress "vCenter still holds ${1##*/}, $(($(seconds) - vms_began)) s"
        sleep 5
    done
}
