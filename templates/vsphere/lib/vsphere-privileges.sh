# What this account may do where the VM goes, asked before anything is made.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# privileges_needed: a line for each place: a word for it, its path, the privileges needed there (vSphere's own ids).
privileges_needed() {
    printf 'folder\t%s\t%s\n' "$site_folder" "VirtualMachine.Inventory.Create VirtualMachine.Inventory.Delete VirtualMachine.Config.AddNewDisk VirtualMachine.Config.AddRemoveDevice VirtualMachine.Config.AdvancedConfig VirtualMachine.Config.Annotation VirtualMachine.Config.CPUCount VirtualMachine.Config.DiskExtend VirtualMachine.Config.EditDevice VirtualMachine.Config.Memory VirtualMachine.Config.Rename VirtualMachine.Config.Settings VirtualMachine.Interact.PowerOff VirtualMachine.Interact.PowerOn"
    if [ "$site_pool_ours" = yes ]; then
        printf 'cluster\t%s\t%s\n' "$site_cluster" "VApp.Import Resource.AssignVMToPool Resource.CreatePool Resource.DeletePool"
    else
        printf 'resource pool\t%s\t%s\n' "$site_pool" "VApp.Import Resource.AssignVMToPool"
    fi
    printf 'datastore\t%s\t%s\n' "$site_datastore" "Datastore.AllocateSpace"
    cut -f2 "$work/networks" | LC_ALL=C sort -u | while IFS= read -r privileges_path; do
        printf 'network\t%s\tNetwork.Assign\n' "$privileges_path"
    done
}

# preflight_privileges: a finding for each place where one is lacking.
preflight_privileges() {
    collect session-user SessionManager:SessionManager currentSession || :
    privileges_user=$(collected session-user currentSession.userName)
    if [ -z "$privileges_user" ] || ! soap_open; then
        privileges_unknown "vCenter does not say who this session is"
        return 0
    fi
    privileges_needed >"$work/privileges-needed"
    while IFS='	' read -r privileges_place privileges_path privileges_ids <&3; do
        [ -n "$privileges_path" ] || continue
        privileges_object=$(client ls -i -d "$(glob "$privileges_path")" 2>/dev/null | head -n 1)
        [ -n "$privileges_object" ] || privileges_object=$(client ls -i "$(glob "$privileges_path")" 2>/dev/null | head -n 1)
        {
            printf '<FetchUserPrivilegeOnEntities xmlns="urn:vim25"><_this type="AuthorizationManager">AuthorizationManager</_this><entities%s</entities><userName>%s</userName></FetchUserPrivilegeOnEntities>' \
                "$(soap_reference "$privileges_object")" "$(xml "$privileges_user")"
        } | soap privileges || {
            privileges_unknown "$(tail -n 1 "$work/privileges.error" | cut -c1-200)"
            return 0
        }
        sed 's/<privileges>/\n<privileges>/g' "$work/privileges" | sed -n 's/^<privileges>\([^<]*\)<.*/\1/p' >"$work/privileges-has"
        privileges_lacks=''
        for privileges_id in $privileges_ids; do
            grep -qxF "$privileges_id" "$work/privileges-has" || privileges_lacks="$privileges_lacks $privileges_id"
        done
        [ -z "$privileges_lacks" ] || finding permission/missing "on the $privileges_place $privileges_path this account lacks:$privileges_lacks" \
            "Ask vCenter's administrator for a role with these privileges there, propagating (docs: vSphere, Privileges)."
    done 3<"$work/privileges-needed"
}

privileges_unknown() {
    note permission/unknown "what this account may do could not be asked: $1" "If it lacks a privilege, the step that needs it will say so; docs: vSphere, Privileges, has the list."
}
