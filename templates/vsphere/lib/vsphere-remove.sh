# Uninstalling, and the proof that nothing is left.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# remove_vms: paths of all VMs of ours.
remove_vms() {
    awk -F '\t' '$3 == "ours" { print $1 }' "$work/vms"
}

# remove_list: what is going to be removed, one line each.
remove_list() {
    ! vms_named || [ "$vm_owner" = ours ] || warn "VM $vm_path was not made by a bundle of this cloudlet; it stays"
    remove_vms | sed 's/^/vm /'
    remove_pools_empty_of_others | sed 's/^/resource pool /'
    tags_ours | sed 's/	/ /g' || trouble_stop categories 'listing tag categories'
}

# remove_pools_named: pools of our name directly below a cluster's own, where the spec names none: that is where we make ours.
remove_pools_named() {
    [ -z "$(parameter resource_pool "$CB_VS_RESOURCE_POOL")" ] || return 0
    ask_list remove-pools "$site_dc/host" p || trouble_stop remove-pools 'listing resource pools'
    listed remove-pools "Resources/$CB_NAME"
}

# remove_pools_empty_of_others: of those, the ones that hold nothing but VMs of ours.
remove_pools_empty_of_others() {
    remove_pools_named >"$work/pools-named"
    while IFS= read -r remove_pool <&3; do
        collect pool-vms "$(glob "$remove_pool")" vm resourcePool || trouble_stop pool-vms "asking about $remove_pool"
        remove_others=no
        [ -z "$(collected pool-vms resourcePool)" ] || remove_others=yes
        for remove_vm in $(collected pool-vms vm | tr ',' ' '); do
            collect pool-vm "$remove_vm" name || continue
            remove_vms | sed 's|.*/||' | grep -qxF -- "$(collected pool-vm name)" || remove_others=yes
        done
        [ "$remove_others" = yes ] || printf '%s\n' "$remove_pool"
    done 3<"$work/pools-named"
}

remove_pools() {
    remove_pools_empty_of_others >"$work/pools-remove"
    while IFS= read -r remove_pool <&3; do
        change pool-remove "removing resource pool ${remove_pool##*/}" pool.destroy "$(glob "$remove_pool")" || trouble_stop pool-remove "removing $remove_pool"
    done 3<"$work/pools-remove"
}

# remove_all: VMs first, for they are in the pool and have the tags.
remove_all() {
    remove_vms >"$work/vms-remove"
    while IFS= read -r remove_path <&3; do
        say "removing ${remove_path##*/}"
        vms_destroy "$remove_path"
    done 3<"$work/vms-remove"
    vms_look || stop 3 preflight/findings "vCenter can't be asked" "Run the same command again to go on."
    remove_pools
    tags_remove
}

# remove_prove: lists what is left of it, one line each, nothing if all is well. A list that can't be had proves nothing.
remove_prove() {
    vms_look || printf 'vm: the list can not be had\n'
    remove_vms | sed 's/^/vm /'
    remove_pools_empty_of_others | sed 's/^/resource pool /'
    # A category in which the CRM has made tags of its own stays, and was said to.
    tags_ours | grep '^tag' | sed 's/	/ /g' || :
}

# remove_former: VMs that neither run nor are needed to go back.
remove_former() {
    remove_keep=" $target_inputs $([ -z "$former_key" ] || cat "$(bundle_saved "$former_key")/vm" 2>/dev/null || :) "
    awk -F '\t' -v keep="$remove_keep" '$3 == "ours" && !index(keep, " " $5 " ") { print $1 }' "$work/vms" >"$work/vms-former"
    while IFS= read -r remove_path <&3; do
        say "  removing a VM that nothing needs any more (${remove_path##*/})"
        vms_destroy "$remove_path"
    done 3<"$work/vms-former"
}
