# What stands in the way: everything is looked at before anything is made, and told at once.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# preflight_access: who are we, does it work, what time is it there. Without access there is nothing more to ask.
preflight_access() {
    preflight_before=$(seconds)
    ask token token issue -f shell -c expires -c project_id
    ask configuration configuration show -f shell -c auth_type -c auth_url -c region_name
    ask_clock &
    stack_ask
    image_ask vm
    image_ask payload
    asked_all
    if ! answered token; then
        trouble_finding token "logging in"
        return 1
    fi
    project_id=$(answer token project_id)
    preflight_clock
}

# ask_clock: Keystone's clock. Only the debug log tells it; nothing else of that log is kept, since it shows the login.
ask_clock() {
    client --debug token issue -f value -c expires 2>&1 >/dev/null |
        sed -n 's/.*"issued_at": "\([0-9]*-[0-9]*-[0-9]*\)T\([0-9:]*\).*/\1 \2/p' | tail -n 1 >"$work/clock" || :
}

preflight_clock() {
    preflight_there=$(awk '{
        split($1, d, "-"); split($2, t, ":"); y = d[1]; m = d[2]
        if (m <= 2) { y--; m += 12 }
        days = 365 * y + int(y / 4) - int(y / 100) + int(y / 400) + int((153 * (m - 3) + 2) / 5) + d[3] - 719469
        print days * 86400 + t[1] * 3600 + t[2] * 60 + int(t[3]) }' "$work/clock")
    [ -n "$preflight_there" ] || return 0
    preflight_skew=$((preflight_before - preflight_there))
    [ "$preflight_skew" -lt 0 ] || preflight_skew=$(($(seconds) - preflight_there))
    # Up to here the answer itself may have taken its time.
    if [ "$preflight_skew" -gt 330 ] || [ "$preflight_skew" -lt -300 ]; then
        finding clock/skew "this machine's clock differs from the cloud's by about $preflight_skew seconds" \
            "Set the clock (it is $(utc) here): logins and certificates depend on it."
    fi
}

# preflight_existing: what is there under our names.
preflight_existing() {
    answered configuration || : >"$work/configuration"
    case $(answer configuration auth_type) in
    *application*credential*) login=application-credential ;;
    *) login=password ;;
    esac
    if ! stack_judge; then
        trouble_finding stack "asking Heat"
        stack_status=unknown
    elif [ "$stack_owner" = foreign ]; then
        finding stack/name-taken "there is a stack called $CB_NAME that no bundle made ($stack_status)" \
            "If it was made by hand from the runbook, delete it by hand first: openstack stack delete $CB_NAME"
    fi
    [ "$verb" = rollback ] && [ "$stack_status" = unknown ] && return 0
    image_preflight vm
    image_preflight payload
}

# preflight_site: what the stack will need of the site.
preflight_site() {
    preflight_flavor=$(parameter flavor "$CB_OS_FLAVOR")
    ask flavor flavor show -f shell -- "$preflight_flavor"
    ask limits limits show --absolute -f value
    ask quota quota show -f shell
    ask ports port list -f value -c ID -c 'Fixed IP Addresses' --project "$project_id"
    ask groups security group list -f value -c ID --project "$project_id"
    ask rules security group rule list -f value -c ID
    ask floating floating ip list -f value -c ID --project "$project_id"
    preflight_networks ask
    preflight_zone=$(parameter availability_zone "$CB_OS_AVAILABILITY_ZONE")
    [ -z "$preflight_zone" ] || ask zones availability zone list --compute -f value -c 'Zone Name'
    preflight_volume_zone=$(parameter volume_availability_zone "$CB_OS_AVAILABILITY_ZONE")
    [ -z "$preflight_volume_zone" ] || ask volume-zones availability zone list --volume -f value -c 'Zone Name'
    preflight_type=$(parameter volume_type "$CB_OS_VOLUME_TYPE")
    [ -z "$preflight_type" ] || ask volume-type volume type show -f shell -- "$preflight_type"
    preflight_key=$(parameter key_name "$CB_OS_KEY_NAME")
    [ -z "$preflight_key" ] || ask key keypair show -f shell -- "$preflight_key"
    asked_all
    preflight_quota
    judge_flavor
    preflight_networks judge
    judge_named
    judge_quota
    [ "$login" = password ] || note heat/application-credential "you log in with an application credential" \
        "Some clouds let Heat make no trust from it: should it answer 500, log in with user and password."
}

# preflight_quota: the client since 2023 gives the quota as rows, for which it has no shell form.
preflight_quota() {
    ! answered quota || return 0
    ask quota-rows quota show -f value -c Resource -c Limit
    asked_all
    ! answered quota-rows || {
        awk '{ gsub("-", "_", $1); print $1 "=\"" $2 "\"" }' "$work/quota-rows" >"$work/quota"
        printf 0 >"$work/quota.status"
    }
}

# judge_flavor: what the PlatformVM and its image need.
judge_flavor() {
    flavor_vcpus=$CB_NEED_VCPUS flavor_ram=$CB_NEED_MEMORY_MIB
    answered flavor || {
        if not_found flavor; then
            finding flavor/missing "there is no flavor '$preflight_flavor' in this project" \
                "Choose one (openstack flavor list) with $CB_NEED_VCPUS vCPU, $CB_NEED_MEMORY_MIB MiB, $CB_NEED_DISK_GIB GiB: --parameter flavor=NAME"
        else
            trouble_finding flavor "looking at flavor $preflight_flavor"
        fi
        return 0
    }
    flavor_vcpus=$(answer flavor vcpus) flavor_ram=$(answer flavor ram) flavor_disk=$(answer flavor disk)
    flavor_short=''
    flavor_compare vCPU "$flavor_vcpus" "$CB_NEED_VCPUS"
    flavor_memory=$CB_NEED_MEMORY_MIB
    [ "$CB_VM_IMAGE_MIN_MEMORY_MIB" -le "$flavor_memory" ] || flavor_memory=$CB_VM_IMAGE_MIN_MEMORY_MIB
    flavor_compare 'MiB of memory' "$flavor_ram" "$flavor_memory"
    flavor_need=$CB_NEED_DISK_GIB
    [ "$CB_VM_IMAGE_MIN_DISK_GIB" -le "$flavor_need" ] || flavor_need=$CB_VM_IMAGE_MIN_DISK_GIB
    if [ "$CB_OS_ROOT_VOLUME_GIB" = 0 ]; then
        flavor_compare 'GiB of disk' "$flavor_disk" "$flavor_need"
    elif [ "$(parameter root_volume_size "$CB_OS_ROOT_VOLUME_GIB")" -lt "$flavor_need" ]; then
        finding volume/too-small "the root volume has $(parameter root_volume_size "$CB_OS_ROOT_VOLUME_GIB") GiB, $flavor_need are needed" \
            "Give --parameter root_volume_size=$flavor_need"
    fi
    [ -z "$flavor_short" ] || finding flavor/too-small "flavor $preflight_flavor has$flavor_short" \
        "Choose a larger one (openstack flavor list): --parameter flavor=NAME"
    flavor_at=0
    while [ "$flavor_at" -lt "${CB_OS_FLAVOR_PROPERTY_COUNT:-0}" ]; do
        flavor_at=$((flavor_at + 1))
        flavor_property=$(site_value "CB_OS_FLAVOR_PROPERTY_$flavor_at")
        flavor_value=$(property_of flavor "${flavor_property%%=*}")
        [ "$flavor_value" = "${flavor_property#*=}" ] ||
            finding flavor/property "flavor $preflight_flavor has not $flavor_property (it has '$flavor_value')" \
                "Choose one that has: --parameter flavor=NAME; or ask the cloud's administrator to set it."
    done
    if [ "$CB_NEED_GPUS" -gt 0 ]; then
        case $(answer flavor properties) in
        *pci_passthrough* | *VGPU* | *vgpu* | *gpu* | *GPU*) ;;
        *) finding flavor/no-gpu "flavor $preflight_flavor has no property that gives a GPU, $CB_NEED_GPUS are needed" \
            "Choose one with pci_passthrough:alias or resources:VGPU: --parameter flavor=NAME" ;;
        esac
    fi
}

# flavor_compare UNIT HAS NEEDS
flavor_compare() {
    [ "$2" -ge "$3" ] || flavor_short="$flavor_short${flavor_short:+,} $2 $1, $3 needed"
}

# preflight_networks ask|judge: each network card of each PlatformVM.
preflight_networks() {
    networks_at=0
    while [ "$networks_at" -lt "$CB_NETWORK_COUNT" ]; do
        networks_at=$((networks_at + 1))
        network_key=CB_NETWORK_$networks_at
        network_mode=$(site_value "${network_key}_MODE")
        network_parameter=$(site_value "${network_key}_PARAMETER")
        network_subnet_parameter=$(site_value "${network_key}_SUBNET_PARAMETER")
        network_pool_parameter=$(site_value "${network_key}_POOL_PARAMETER")
        network_floating_parameter=$(site_value "${network_key}_FLOATING_IP_PARAMETER")
        network_name=$(network_value "$networks_at" NAME PARAMETER)
        network_subnet=$(network_value "$networks_at" SUBNET SUBNET_PARAMETER)
        network_address=$(site_value "${network_key}_ADDRESS")
        network_pool=$(network_value "$networks_at" POOL POOL_PARAMETER)
        network_floating=$(network_value "$networks_at" FLOATING_IP_ID FLOATING_IP_PARAMETER)
        "network_$1" "$networks_at"
    done
}

# network_value NUMBER WHAT PARAMETER: the operator's choice, else the spec's.
network_value() {
    parameter "$(site_value "CB_NETWORK_$1_$3")" "$(site_value "CB_NETWORK_$1_$2")"
}

network_ask() {
    ask "network-$1" network show -f shell -c id -c router:external -c subnets -c project_id -- "$network_name"
    case $network_mode in
    static)
        if [ -n "$network_subnet" ]; then
            ask "subnet-$1" subnet show -f shell -c cidr -c gateway_ip -c network_id -- "$network_subnet"
        else
            ask "subnet-$1" subnet list -f value -c Subnet --network "$network_name"
        fi
        ;;
    floating)
        if [ -n "$network_floating" ]; then
            ask "address-$1" floating ip show -f shell -c port_id -c floating_ip_address -- "$network_floating"
        else
            ask "pool-$1" network show -f shell -c id -c router:external -- "$network_pool"
        fi
        ;;
    esac
}

network_judge() {
    if ! answered "network-$1"; then
        network_unanswered "network-$1" network/missing "network '$network_name' of the bundle is not in this project" \
            "Choose one (openstack network list): --parameter $network_parameter=NAME"
    elif [ "$(answer "network-$1" subnets)" = '[]' ]; then
        finding network/no-subnet "network '$network_name' has no subnet, so a port on it gets no address" \
            "Ask for a subnet, or choose another network: --parameter $network_parameter=NAME"
    fi
    case $network_mode in
    static) answered "network-$1" && network_judge_static "$1" || : ;;
    floating) network_judge_floating "$1" ;;
    esac
}

# network_unanswered NAME CODE WHAT DO: missing, or another trouble.
network_unanswered() {
    if grep -Eiq 'more than one' "$work/$1.error"; then
        finding network/ambiguous "$3: there are several of that name" "Give its id: ${4##* --}"
    elif not_found "$1"; then
        finding "$2" "$3" "$4"
    else
        trouble_finding "$1" "$3"
    fi
}

network_judge_static() {
    if ! answered "subnet-$1"; then
        network_unanswered "subnet-$1" network/no-subnet "subnet '$network_subnet' for network '$network_name' is not there" \
            "Choose one (openstack subnet list): --parameter $network_subnet_parameter=NAME"
        return 0
    fi
    if [ -n "$network_subnet" ]; then
        network_cidrs=$(answer "subnet-$1" cidr)
        [ "$(answer "subnet-$1" network_id)" = "$(answer "network-$1" id)" ] ||
            finding network/other-subnet "subnet '$network_subnet' belongs to another network than '$network_name'" \
                "Choose one of that network: --parameter $network_subnet_parameter=NAME"
        [ "$(answer "subnet-$1" gateway_ip)" != "$network_address" ] ||
            finding address/gateway "$network_address is the gateway of subnet '$network_subnet'" \
                "Ask for a bundle with a free address."
    else
        network_cidrs=$(cat "$work/subnet-$1")
    fi
    [ "$(answer "network-$1" project_id)" = "$project_id" ] ||
        note address/not-owner "network '$network_name' belongs to another project; only its owner may choose addresses on it" \
            "That is Neutron's default policy. If this cloud keeps to it, the stack fails with 'create_port:fixed_ips'."
    # Neutron checks an IPv6 address itself, when the port is made.
    case $network_address in
    *:*) ;;
    *)
        network_inside=no
        for network_cidr in $network_cidrs; do
            ! cidr_has "$network_cidr" "$network_address" || network_inside=yes
        done
        [ "$network_inside" = yes ] ||
            finding address/outside "$network_address is in no subnet of '$network_name' ($(printf '%s' "$network_cidrs" | tr '\n' ' '))" \
                "Choose the network that has it: --parameter $network_parameter=NAME, or ask for a bundle with another address."
        ;;
    esac
    ports_of_others | LC_ALL=C grep -q "ip_address[^0-9a-f]*$(printf '%s' "$network_address" | sed 's/\./\\./g')[^0-9a-f.:]" &&
        finding address/taken "a port of this project already has $network_address" \
            "Free it (openstack port list --fixed-ip ip-address=$network_address), or ask for a bundle with another address." || :
}

# ports_of_others: the project's ports without those of the stack that is to be upgraded.
ports_of_others() {
    stack_output port_ids >"$work/stack-ports"
    grep -vF -f "$work/stack-ports" "$work/ports" || :
}

network_judge_floating() {
    if [ -n "$network_floating" ]; then
        if ! answered "address-$1"; then
            network_unanswered "address-$1" floating-ip/missing "floating IP $network_floating is not in this project" \
                "Choose a free one (openstack floating ip list): --parameter $network_floating_parameter=ID"
        elif network_port=$(answer "address-$1" port_id) && [ "${network_port:-None}" != None ] &&
            ! stack_output port_ids | grep -qxF -- "$network_port"; then
            finding floating-ip/taken "floating IP $(answer "address-$1" floating_ip_address) is in use by port $network_port" \
                "Choose a free one (openstack floating ip list): --parameter $network_floating_parameter=ID"
        fi
    elif ! answered "pool-$1"; then
        network_unanswered "pool-$1" network/no-pool "the network '$network_pool' for floating IPs is not there" \
            "Choose one (openstack network list --external): --parameter $network_pool_parameter=NAME"
    else
        # The client's shell form writes the colon as an underscore; some of its releases write External for True.
        case $(answer "pool-$1" router_external)$(answer "pool-$1" router:external) in
        True | External) return 0 ;;
        esac
        finding network/not-external "network '$network_pool' is not external, so it gives no floating IPs" \
            "Choose one (openstack network list --external): --parameter $network_pool_parameter=NAME"
    fi
}

# cidr_has CIDR ADDRESS: IPv4.
cidr_has() {
    printf '%s %s\n' "$1" "$2" | awk -F '[ /]' '
        function number(text, part) { split(text, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
        { block = 2 ^ (32 - $2); exit int(number($1) / block) != int(number($3) / block) }'
}

# judge_named: zone, volume type, key.
judge_named() {
    [ -z "$preflight_zone" ] || ! answered zones || grep -qxF -- "$preflight_zone" "$work/zones" ||
        finding zone/missing "there is no availability zone '$preflight_zone' ($(sort -u "$work/zones" | tr '\n' ' '))" \
            "Give --parameter availability_zone=NAME"
    [ -z "$preflight_volume_zone" ] || ! answered volume-zones || grep -qxF -- "$preflight_volume_zone" "$work/volume-zones" ||
        finding zone/no-volumes "there is no availability zone '$preflight_volume_zone' for volumes ($(sort -u "$work/volume-zones" | tr '\n' ' '))" \
            "Give --parameter volume_availability_zone=NAME, or an empty one to let the cloud choose."
    [ -z "$preflight_type" ] || answered volume-type ||
        network_unanswered volume-type volume/no-type "there is no volume type '$preflight_type'" \
            "Choose one (openstack volume type list): --parameter volume_type=NAME"
    [ -z "$preflight_key" ] || answered key ||
        network_unanswered key key/missing "you have no key pair '$preflight_key'" \
            "Choose one (openstack keypair list): --parameter key_name=NAME. Key pairs belong to the user, not to the project."
}

# judge_quota: limit, used, needed, for each thing the stack makes.
judge_quota() {
    quota_unread=''
    quota_floating=0 quota_at=0
    while [ "$quota_at" -lt "$CB_NETWORK_COUNT" ]; do
        quota_at=$((quota_at + 1))
        [ "$(site_value "CB_NETWORK_${quota_at}_MODE")" = floating ] || continue
        [ -n "$(network_value "$quota_at" FLOATING_IP_ID FLOATING_IP_PARAMETER)" ] ||
            quota_floating=$((quota_floating + 1))
    done
    quota_root=0
    [ "$CB_OS_ROOT_VOLUME_GIB" = 0 ] || quota_root=1
    quota_payload_gib=$(parameter payload_volume_size "$CB_PAYLOAD_VOLUME_GIB")
    quota_group=0
    [ -z "$CB_OS_SERVER_GROUP" ] || quota_group=1
    : >"$work/quota-table"
    quota instances servers "$(limit maxTotalInstances instances)" "$(limit totalInstancesUsed instances_used)" \
        "$CB_MACHINE_COUNT"
    quota cores vCPU "$(limit maxTotalCores total_cores)" "$(limit totalCoresUsed total_cores_used)" $((CB_MACHINE_COUNT * flavor_vcpus))
    quota ram 'MiB of memory' "$(limit maxTotalRAMSize total_ram)" "$(limit totalRAMUsed total_ram_used)" \
        $((CB_MACHINE_COUNT * flavor_ram))
    quota server-groups 'server groups' "$(limit maxServerGroups server_groups)" \
        "$(limit totalServerGroupsUsed server_groups_used)" "$quota_group"
    quota volumes volumes "$(limit maxTotalVolumes max_total_volumes)" \
        "$(limit totalVolumesUsed total_volumes_used)" $((CB_MACHINE_COUNT * (1 + quota_root)))
    quota gigabytes 'GiB of volumes' "$(limit maxTotalVolumeGigabytes max_total_volume_gigabytes)" \
        "$(limit totalGigabytesUsed total_gigabytes_used)" $((CB_MACHINE_COUNT * (quota_payload_gib + CB_OS_ROOT_VOLUME_GIB)))
    quota ports ports "$(answer quota ports)" "$(count ports)" "$CB_NETWORK_COUNT"
    quota secgroups 'security groups' "$(answer quota "$(quota_key secgroups security_groups)")" "$(count groups)" 1
    # Neutron gives each new group two rules of its own, which Heat then takes away.
    quota secgroup-rules 'security group rules' "$(answer quota "$(quota_key secgroup_rules security_group_rules)")" \
        "$(count rules)" $((CB_OS_RULE_COUNT + 2))
    quota floating-ips 'floating IPs' "$(answer quota floating_ips)" "$(count floating)" "$quota_floating"
    quota_volume=$(answer quota per_volume_gigabytes)
    [ "${quota_volume:--1}" -lt 0 ] || [ "$quota_payload_gib" -le "$quota_volume" ] ||
        finding quota/per-volume "a volume may have $quota_volume GiB, the payload needs $quota_payload_gib" \
            "Ask the project's administrator to raise per_volume_gigabytes."
    [ -z "$quota_unread" ] || note quota/unknown "what the project may have, or has, can't be read for:$quota_unread" \
        "Check it by hand; --plan shows what is needed."
}

# quota_key OLD NEW: how this client calls it.
quota_key() {
    if grep -q "^$1=" "$work/quota"; then printf '%s' "$1"; else printf '%s' "$2"; fi
}

# limit OLD NEW: as the service calls it, or as the client has called it since 2023.
limit() {
    ! answered limits || sed -n "s/^$1 //p; s/^$2 //p" "$work/limits" | head -n 1
}

count() {
    ! answered "$1" || grep -c . "$work/$1" || :
}

# quota NAME TITLE LIMIT USED NEEDED: -1 is no limit; what can't be read is not judged, and told.
quota() {
    printf '%s\t%s\t%s\t%s\n' "$2" "${3:-?}" "${4:-?}" "$5" >>"$work/quota-table"
    case ${3:-x}${4:-x} in
    -1*) return 0 ;;
    *[!0-9]*)
        [ "$5" -eq 0 ] || quota_unread="$quota_unread $2,"
        return 0
        ;;
    esac
    # What is installed has its share already; an upgrade may need a second one for a moment, for what it replaces.
    quota_kind=finding
    [ "$verb" != upgrade ] || quota_kind=note
    [ $(($4 + $5)) -le "$3" ] || [ "$5" -eq 0 ] ||
        "$quota_kind" "quota/$1" "$2: the project may have $3, has $4, needs $5 more; $(($4 + $5 - $3)) too many" \
            "Free some, or ask the project's administrator to raise the quota to $(($4 + $5)) at least."
}
