# The vApp with the PlatformVM: made of the template, marked, kept for ever, started and stopped.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
# Each bundle and set of parameters and secrets has a vApp of its own, so that going back finds all as it was; one runs.
# $work/vapps: NAME LINK STATUS OWNER MARK of each vApp that has our name, by tabs. Status as the API numbers it ("Object Creation
# Status"): -1 failed, 0 being made, 4 powered on, 8 powered off, others in between.

# vapp_choose: vapp_inputs is what it is made of, in a word; vapp_name is what it is called. What is installed by a state
# directory that is lost stays; going back goes where it was.
vapp_choose() {
    vapp_inputs=$(printf '%s\n' "$target_digest" "${target_parameters-}" "${target_secrets-}" | sha256sum | cut -c1-16)
    vapp_name=$(printf '%.100s' "$CB_NAME")-$vapp_inputs
    if [ "$verb" = rollback ]; then
        vapp_name=$(cat "$(bundle_saved "$target_key")/vapp" 2>/dev/null) || vapp_name=''
    elif [ "$verb" = install ] && [ -z "$installed_bundle$open_bundle" ]; then
        vapp_lost=$(vapp_of_target)
        vapp_name=${vapp_lost:-$vapp_name}
    fi
    vapp_inputs=${vapp_name##*-}
}

# vapp_of_target: one that was made of the target bundle; of several that which runs.
vapp_of_target() {
    target_digest=$target_digest LC_ALL=C awk -F '\t' '
        $4 == "ours" && index($5, "bundle=" ENVIRON["target_digest"]) && (found == "" || $3 == 4) { found = $1 } END { print found }' "$work/vapps"
}

# vapps_look: "Retrieve a Virtual Datacenter" lists vApps; each that has our name is asked whether it has our mark.
vapps_look() {
    : >"$work/vapps"
    api_need "looking at virtual datacenter $vdc_name" vdc GET "$vdc_link"
    rows_pick "$work/vdc.rows" /ResourceEntities/ResourceEntity href type "$api_kind.vcloud.vApp+xml" >"$work/vapp-links"
    while IFS= read -r vapps_link <&3; do
        vapps_name=$(rows_pick "$work/vdc.rows" /ResourceEntities/ResourceEntity name href "$vapps_link" | head -n 1)
        named_ours "$vapps_name" || continue
        if ! api each GET "$vapps_link"; then
            case $api_status in 403 | 404) continue ;; esac
            trouble_stop each "looking at vApp $vapps_name"
        fi
        vapps_mark=$(mark_of "$work/each.rows" VApp "$vapps_link")
        vapps_owner=foreign
        [ -z "$vapps_mark" ] || vapps_owner=ours
        printf '%s\t%s\t%s\t%s\t%s\n' "$vapps_name" "$vapps_link" "$(rows_pick "$work/each.rows" /VApp status | head -n 1)" \
            "$vapps_owner" "$vapps_mark" >>"$work/vapps"
    done 3<"$work/vapp-links"
}

# vapp_column NAME COLUMN
vapp_column() {
    wanted=$1 LC_ALL=C awk -F '\t' -v column="$2" '$1 == ENVIRON["wanted"] { print $column; exit }' "$work/vapps"
}

# vapp_running: true if one of ours is powered on; sets vapp_running_name.
vapp_running() {
    vapp_running_name=$(LC_ALL=C awk -F '\t' '$4 == "ours" && $3 == 4 { print $1; exit }' "$work/vapps")
    [ -n "$vapp_running_name" ]
}

# vapp_read: asks for the target's vApp and its one VM: $work/vapp.rows, vapp_link, vapp_status, vm_link. False if it isn't there.
vapp_read() {
    vapp_link=$(vapp_column "$vapp_name" 2) vapp_status=absent vm_link=''
    [ -n "$vapp_link" ] && api vapp GET "$vapp_link" || return 1
    vapp_status=$(rows_pick "$work/vapp.rows" /VApp status | head -n 1)
    vm_link=$(rows_pick "$work/vapp.rows" /VApp/Children/Vm href | head -n 1)
    rows_below "$work/vapp.rows" "$(rows_pick "$work/vapp.rows" /VApp/Children/Vm @ | head -n 1)" /Vm href >/dev/null
    mv -f "$work/vapp.rows.below" "$work/vm.rows"
}

# vapp_made: it is there, whole, and is ours.
vapp_made() {
    vapp_read && [ "$(vapp_column "$vapp_name" 4)" = ours ] || return 1
    case $vapp_status in -1 | 0) return 1 ;; esac
    [ -n "$vm_link" ]
}

# vapp_step check|do|undo: it is there, marked, with its leases off.
vapp_step() {
    case $1 in
    check)
        vapp_made || return 1
        api metadata GET "$vapp_link/metadata" || return 1
        vapp_lease=$(rows_pick "$work/metadata.rows" /TypedValue/Value . | sed -n 's/^cloudlet-bundle .* lease=\([a-z]*\)$/\1/p')
        [ -n "$vapp_lease" ] || return 1
        step_id=${vapp_link##*/}
        ;;
    do) vapp_make ;;
    undo) vapp_remove "$vapp_name" ;;
    esac
}

vapp_make() {
    vapps_look
    if vapp_read; then
        [ "$(vapp_column "$vapp_name" 4)" = ours ] || stop 1 vapp/name-taken "there is a vApp called $vapp_name that no bundle made" "Rename or delete it."
        # What a run before has begun; a failed one is made anew.
        task_wait vapp "vCloud Director makes the vApp" || :
        vapp_read || :
        case $vapp_status in
        -1 | 0)
            say "  removing a vApp that was not made completely"
            vapp_remove "$vapp_name"
            ;;
        esac
    fi
    [ -n "$(vapp_column "$vapp_name" 2)" ] || vapp_instantiate
    vapp_made || stop 3 vapp/failed "the vApp $vapp_name is not as it should be (status $vapp_status)" "Running this again makes it anew."
    vapp_keep
    mark_set "$vapp_link" "$(mark_text " inputs=$vapp_inputs lease=$vapp_lease")"
    step_id=${vapp_link##*/}
}

vapp_instantiate_link() {
    rows_pick "$work/vdc.rows" /Link href rel add type "$api_kind.vcloud.instantiateVAppTemplateParams+xml" | head -n 1
}

# vapp_instantiate: "Instantiate vApp Template", neither deployed nor powered on, for the VM is told things first. A network of
# the vApp has the name that the descriptor's has, and is bridged to the organization's ("Example: Instantiate a vApp Template").
vapp_instantiate() {
    template_look
    [ "$template_state" = ready ] || stop 3 template/failed "the template $template_name is $template_state" "Running this again sends it again."
    site_storage
    {
        printf '<?xml version="1.0" encoding="UTF-8"?>\n<InstantiateVAppTemplateParams xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1" name="%s" deploy="false" powerOn="false">' \
            "$(xml_text "$vapp_name")"
        printf '<Description>%s</Description><InstantiationParams><NetworkConfigSection><ovf:Info>Networks of the vApp</ovf:Info>' "$(xml_text "$(mark_text " inputs=$vapp_inputs")")"
        for vapp_at in $(network_numbers); do
            printf '<NetworkConfig networkName="%s"><Configuration><ParentNetwork href="%s"/><FenceMode>bridged</FenceMode></Configuration></NetworkConfig>' \
                "$(xml_text "$(network_inner_name "$vapp_at")")" "$(xml_text "$(network_link "$vapp_at")")"
        done
        printf '</NetworkConfigSection></InstantiationParams><Source href="%s"/>' "$(xml_text "$template_link")"
        vapp_sourced
        printf '<AllEULAsAccepted>true</AllEULAsAccepted></InstantiateVAppTemplateParams>\n'
    } >"$work/body"
    api_need "making the vApp" instantiate POST "$(vapp_instantiate_link)" vcloud.instantiateVAppTemplateParams "$work/body"
    task_need instantiate "vCloud Director makes the vApp"
    vapps_look
}

# vapp_sourced: the storage policy of its VM, where one was named.
vapp_sourced() {
    vapp_vm=$(rows_pick "$work/template.rows" /VAppTemplate/Children/Vm href | head -n 1)
    [ -n "$storage_name" ] && [ -n "$vapp_vm" ] || return 0
    printf '<SourcedItem><Source href="%s"/><StorageProfile href="%s"/></SourcedItem>' "$(xml_text "$vapp_vm")" "$(xml_text "$storage_link")"
}

# vapp_keep: "Update Lease Settings": 0 is never. Some organizations let only their administrator do that.
vapp_keep() {
    vapp_lease=never
    printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
        '<LeaseSettingsSection xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><ovf:Info>Lease settings</ovf:Info><DeploymentLeaseInSeconds>0</DeploymentLeaseInSeconds><StorageLeaseInSeconds>0</StorageLeaseInSeconds></LeaseSettingsSection>' >"$work/body"
    if api lease PUT "$vapp_link/leaseSettingsSection" vcloud.leaseSettingsSection "$work/body" && task_wait lease "turning the leases off"; then
        # A server that caps a lease says yes and keeps its own.
        api kept GET "$vapp_link/leaseSettingsSection" && [ "$(rows_pick "$work/kept.rows" /DeploymentLeaseInSeconds .)" = 0 ] &&
            [ "$(rows_pick "$work/kept.rows" /StorageLeaseInSeconds .)" = 0 ] || vapp_lease=kept
    else
        vapp_lease=kept
    fi
    [ "$vapp_lease" = never ] || warn "the organization doesn't let the leases of $vapp_name be turned off: vCloud Director will stop or delete it when they end. Have an administrator of the organization set them to never, and renew them until then."
}

# power_step check|do|undo: it runs, VMware Tools were seen, and the secrets are out of its properties.
power_step() {
    case $1 in
    check)
        vapp_made && [ "$vapp_status" = 4 ] && [ -n "$(vm_tools)" ] || return 1
        vm_properties_read && [ -z "$(property_value user-data)" ] || return 1
        step_id=${vm_link##*/}
        ;;
    do) power_make ;;
    undo) vapp_stop "$vapp_name" ;;
    esac
}

# vm_tools: the version of VMware Tools that the VM says it runs; nothing while it says nothing.
vm_tools() {
    vm_tools_version=$(rows_pick "$work/vm.rows" /RuntimeInfoSection/VMWareTools version | head -n 1)
    case $vm_tools_version in '' | 0) ;; *) printf '%s' "$vm_tools_version" ;; esac
}

# power_make: "Power On a vApp"; then until Tools run, as far as vCloud Director lets a tenant see into a VM. A while later
# cloud-init has read what it was told, and the secrets go.
power_make() {
    power_began=$(seconds)
    if [ "$vapp_status" != 4 ]; then
        api_need "starting the vApp" power POST "$vapp_link/power/action/powerOn"
        task_need power "starting the vApp"
    fi
    while :; do
        vapps_look
        vapp_made || stop 3 vapp/failed "the vApp $vapp_name is gone" "Run this again."
        [ "$vapp_status" != 4 ] || [ -z "$(vm_tools)" ] || break
        [ $(($(seconds) - power_began)) -lt "$(parameter tools_seconds 900)" ] || stop 1 guest/no-tools \
            "the VM is started and says nothing of VMware Tools after $(($(seconds) - power_began)) seconds" \
            "Look at its console (Launch Web Console). Does the image have open-vm-tools, and does it boot with this firmware and disk controller? Run this again to wait on."
        progress "started, waiting for VMware Tools, $(($(seconds) - power_began)) s"
        sleep 2
    done
    power_settle=$(seconds)
    while [ $(($(seconds) - power_settle)) -lt "$(parameter settle_seconds 300)" ]; do
        progress "VMware Tools run; cloud-init reads what it is told, $(($(seconds) - power_settle)) s"
        sleep 2
    done
    progress_end
    vm_scrub
    step_id=${vm_link##*/}
}

# vapp_stop NAME: asks the guest to shut down, then pulls the plug: "Undeploy a vApp" with shutdown, with powerOff.
vapp_stop() {
    stop_link=$(vapp_column "$1" 2)
    stop_body shutdown
    if api stop POST "$stop_link/action/undeploy" vcloud.undeployVAppParams "$work/body"; then
        task_wait stop "shutting down $1" "$(parameter shutdown_seconds 120)" && return 0
        # Still at it: "Cancel a Task". One that has ended by now can't be.
        api cancel POST "$(rows_pick "$work/stop.rows" /Task href | head -n 1)/action/cancel" || :
        sleep 2
    fi
    stop_body powerOff
    api_need "stopping $1" stop POST "$stop_link/action/undeploy" vcloud.undeployVAppParams "$work/body"
    task_need stop "stopping $1"
}

stop_body() {
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<UndeployVAppParams xmlns="http://www.vmware.com/vcloud/v1.5"><UndeployPowerAction>%s</UndeployPowerAction></UndeployVAppParams>\n' "$1" >"$work/body"
}

# vapp_remove NAME: "Delete a vApp"; one that is deployed has to be undeployed first.
vapp_remove() {
    remove_link=$(vapp_column "$1" 2)
    api each GET "$remove_link" || {
        [ "$api_status" = 403 ] || [ "$api_status" = 404 ] || trouble_stop each "looking at vApp $1"
        return 0
    }
    task_wait each "waiting for what goes on at $1" || :
    [ "$(rows_pick "$work/each.rows" /VApp deployed | head -n 1)" != true ] || vapp_stop "$1"
    api_need "deleting vApp $1" drop DELETE "$remove_link"
    task_need drop "deleting vApp $1"
    vapps_look
}
