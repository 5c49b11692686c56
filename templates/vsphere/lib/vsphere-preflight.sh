# What stands in the way, before anything is changed.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# preflight_govc: 0.24 or later. One that was built from a module without its number calls itself 0.0.0.
preflight_govc() {
    preflight_version=$(govc version 2>/dev/null | sed -n 's/^govc v*\([0-9][0-9]*\.[0-9][0-9]*\).*/\1/p')
    case $preflight_version in
    0.0) ;;
    0.1[0-9] | 0.2[0-3] | 0.[0-9])
        finding client/too-old "govc is version $preflight_version, 0.24 is needed" "Take a newer one: it is one program without dependencies." ;;
    '') finding client/unknown "'govc version' does not say a version" "Is 'govc' on this machine VMware's program (govmomi)?" ;;
    esac
}

# preflight_access: is it vCenter, reachable, of a version that is known, and does it let us in?
preflight_access() {
    [ "${GOVC_INSECURE-}" != 1 ] && [ "${GOVC_INSECURE-}" != true ] ||
        note endpoint/unverified "GOVC_INSECURE is set: nobody checks that this is your vCenter, and it gets password and secrets" \
            "Unset it, and give GOVC_TLS_CA_CERTS or GOVC_TLS_KNOWN_HOSTS."
    ask about about || {
        trouble_finding about 'asking vCenter'
        return 1
    }
    preflight_said=$(sed -n 's/^API type: *//p' "$work/about")
    [ "$preflight_said" = VirtualCenter ] || {
        finding vcenter/not-vcenter "GOVC_URL is not a vCenter but '$preflight_said'" "Give vCenter's address, not that of an ESXi host."
        return 1
    }
    preflight_said=$(sed -n 's/^Version: *//p' "$work/about")
    preflight_older "$preflight_said" "$CB_OVF_VERSION" || return 0
    finding vcenter/too-old "vCenter is version $preflight_said, the bundle's VM needs $CB_OVF_VERSION" \
        "Ask for a bundle with platform.parameters.version of your vSphere (6.7 or later), or install in a newer one."
}

# preflight_older A B: true if version A is before B; only the first two numbers count.
preflight_older() {
    printf '%s\n%s\n' "$1" "$2" | awk -F. '{ n[NR] = $1 * 1000 + $2 } END { exit !(n[1] < n[2]) }'
}

preflight_parameters() {
    while IFS= read -r preflight_line; do
        preflight_name=${preflight_line%%=*} preflight_value=${preflight_line#*=}
        case $preflight_name in
        datacenter | cluster | datastore | folder | resource_pool) ;;
        shutdown_seconds)
            case $preflight_value in
            '' | *[!0-9]*) finding parameter/value "shutdown_seconds is a number, not '$preflight_value'" "Such as 300." ;;
            esac
            ;;
        provisioning)
            case $preflight_value in
            thin | thick | eagerZeroedThick) ;;
            *) finding parameter/value "provisioning is thin, thick or eagerZeroedThick, not '$preflight_value'" "" ;;
            esac
            ;;
        network_*)
            case ${preflight_name#network_} in
            '' | *[!0-9]* | 0*) preflight_known=no ;;
            *) [ "${preflight_name#network_}" -le "$CB_NETWORK_COUNT" ] && preflight_known=yes || preflight_known=no ;;
            esac
            [ "$preflight_known" = yes ] || finding parameter/unknown "there is no network card for $preflight_name" "The VM has $CB_NETWORK_COUNT: network_1 and so on."
            ;;
        *) finding parameter/unknown "vSphere knows no parameter $preflight_name" "It knows datacenter, cluster, datastore, folder, resource_pool, network_N, provisioning, shutdown_seconds." ;;
        esac
    done <"$work/parameters"
}

# preflight_clock: a certificate, a session and the journal are of no use with a wrong clock. vCenter's is the time of the login.
preflight_clock() {
    collect session SessionManager:SessionManager currentSession || return 0
    preflight_there=$(collected session currentSession.lastActiveTime | awk -F '[-: .]' '
        # Days since 1970 of the Gregorian calendar; March is the first month, so that the leap day comes last.
        NF >= 6 { y = $1; m = $2; if (m < 3) { y--; m += 12 }
            print (365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + $3 - 719469) * 86400 + $4 * 3600 + $5 * 60 + int($6) }')
    [ -n "$preflight_there" ] || return 0
    preflight_skew=$(($(seconds) - preflight_there))
    [ "${preflight_skew#-}" -le 300 ] || finding clock/skew "this machine's clock is $preflight_skew seconds ahead of vCenter's" "Set one of them right (NTP)."
}

# preflight_names: a VM of our name, or of the name it has while it is made, that is not ours.
preflight_names() {
    for preflight_name in "$CB_NAME" "$(vms_aside "$target_inputs")"; do
        ! awk -F '\t' -v name="/$preflight_name" 'substr($1, length($1) - length(name) + 1) == name && $3 != "ours" { found = 1 } END { exit !found }' "$work/vms" ||
            finding vm/name-taken "there is a VM $preflight_name that was not made by a bundle of this cloudlet" "Rename or remove it; install.sh touches only what has its own mark."
    done
}

# preflight_former: what --rollback goes back to has to be there still.
preflight_former() {
    vms_target && [ "$vm_imported" = yes ] ||
        finding vm/former "the VM of the former release ($(vms_aside "$target_inputs")) is not there any more" "It can't be gone back to. Install the former bundle anew: --uninstall, then its own install.sh."
}

# preflight_bundle: the package's files, unless the VM has them already.
preflight_bundle() {
    ! vms_target || [ "$vm_imported" != yes ] || return 0
    for preflight_file in "$CB_OVF_FILE" "$CB_OVF_VM_IMAGE_FILE" "$CB_OVF_PAYLOAD_FILE"; do
        [ -f "$here/$preflight_file" ] || finding bundle/no-image "there is no $preflight_file in this folder" "Unpack the whole bundle that it belongs to, and run its install.sh."
    done
}

# preflight_room: on the datastore. Thin disks take what is in them now, and may grow to their size; the others take it all.
# Memory counts, for a VM that runs has a swap file as large.
preflight_room() {
    ! vms_target || [ "$vm_imported" != yes ] || return 0
    [ -n "$site_datastore" ] || return 0
    collect datastore "$(glob "$site_datastore")" summary || {
        trouble_finding datastore "asking about datastore $site_datastore"
        return 0
    }
    [ "$(collected datastore summary.accessible)" = true ] && [ "$(collected datastore summary.maintenanceMode)" = normal ] ||
        finding datastore/unusable "datastore $site_datastore is not accessible, or in maintenance" "Give another: --parameter datastore=NAME"
    room_free=$(collected datastore summary.freeSpace)
    room_full=$((CB_OVF_ROOT_DISK_GIB * 1073741824 + CB_OVF_PAYLOAD_CAPACITY))
    room_disks=$room_full
    [ "$(import_provisioning)" != thin ] || room_disks=$((CB_OVF_VM_IMAGE_POPULATED + CB_OVF_PAYLOAD_POPULATED))
    room_swap=$((CB_NEED_MEMORY_MIB * 1048576))
    room_needed=$((room_disks + room_swap))
    printf 'datastore %s: %s bytes free; needed: %s of disks (%s), %s of memory swap, %s in all\n' "$site_datastore" \
        "$room_free" "$room_disks" "$(import_provisioning)" "$room_swap" "$room_needed" >"$work/room"
    if [ "$room_free" -lt "$room_needed" ]; then
        finding datastore/full "datastore $site_datastore has $room_free bytes free, $room_needed are needed: $room_disks for the disks ($(import_provisioning)), $room_swap for the VM's swap file" \
            "Free $((room_needed - room_free)) bytes, or give another: --parameter datastore=NAME"
    elif [ "$room_free" -lt $((room_full + room_swap)) ]; then
        note datastore/thin "the disks may grow to $room_full bytes, more than datastore $site_datastore has free ($room_free)" "Watch it, or give another: --parameter datastore=NAME"
    fi
}

# preflight_host: a VM runs on one host, so one of the cluster has to be large enough, and be of a version that takes it.
preflight_host() {
    [ -n "$site_cluster" ] || return 0
    ask_list hosts "$site_cluster" h || {
        trouble_finding hosts "listing the hosts of $site_cluster"
        return 0
    }
    host_best='' host_found=no
    while IFS= read -r host_path <&3; do
        collect host "$(glob "$host_path")" summary.hardware.numCpuThreads summary.hardware.memorySize summary.runtime.connectionState summary.runtime.inMaintenanceMode summary.config.product.version || continue
        [ "$(collected host summary.runtime.connectionState):$(collected host summary.runtime.inMaintenanceMode)" = connected:false ] || continue
        host_version=$(collected host summary.config.product.version)
        host_threads=$(collected host summary.hardware.numCpuThreads) host_memory=$(collected host summary.hardware.memorySize)
        host_best="$host_best${host_best:+; }${host_path##*/} $host_version, $host_threads threads, $((${host_memory:-0} / 1048576)) MiB"
        [ "${host_threads:-0}" -ge "$CB_NEED_VCPUS" ] && [ $((${host_memory:-0} / 1048576)) -ge "$CB_NEED_MEMORY_MIB" ] || continue
        preflight_older "$host_version" "$CB_OVF_VERSION" || host_found=yes
    done 3<"$work/hosts"
    [ "$host_found" = yes ] || finding cluster/too-small \
        "no host of $site_cluster takes the VM: $CB_NEED_VCPUS vCPUs, $CB_NEED_MEMORY_MIB MiB, vSphere $CB_OVF_VERSION (connected: ${host_best:-none})" \
        "Give another cluster: --parameter cluster=NAME; or ask for a bundle with a smaller PlatformVM or an older version."
}
