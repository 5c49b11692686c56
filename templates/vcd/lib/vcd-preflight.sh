# What stands in the way: everything is looked at before anything is made, and told at once.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# preflight_access: are we let in, and where are the things that the rest is about. False if there is nothing more to ask.
preflight_access() {
    api_login
    preflight_said || return 1
    api_versions || {
        trouble_finding versions "asking $vcd_url for its versions"
        return 1
    }
    [ -n "$api_version" ] || {
        finding vcd/version "$vcd_url offers no version of the API from $api_oldest to $api_newest" \
            "vCloud Director 10.0 or later is needed. It offers: $(rows_pick "$work/versions.rows" /VersionInfo/Version . | tr '\n' ' ')"
        return 1
    }
    [ "${VCD_INSECURE-}" != true ] || note endpoint/insecure "the certificate of $vcd_url is not checked (VCD_INSECURE=true)" \
        "Whoever is on the way gets the password and the secrets. Better: VCD_CACERT=FILE."
    api_open || {
        trouble_finding session "logging in to $vcd_org at $vcd_url"
        return 1
    }
    site_look
}

# preflight_said: what the operator has to say before anybody can be asked.
preflight_said() {
    preflight_before=$(findings_count)
    case $vcd_url in
    https://?*) ;;
    '') finding credentials/missing "nobody said where vCloud Director is" "Set VCD_URL=https://HOST, or --parameter url=https://HOST" ;;
    *) finding parameter/value "the address of vCloud Director is $vcd_url" "It begins with https://" ;;
    esac
    [ -n "$vcd_org" ] || finding credentials/missing "nobody said which organization" "Set VCD_ORG, or --parameter org=NAME"
    [ -n "$vcd_token" ] || [ -n "$vcd_user" ] && [ -n "$vcd_token$vcd_password" ] ||
        finding credentials/missing "there is neither VCD_TOKEN nor VCD_USER with VCD_PASSWORD" \
            "Set them in the environment; type the password where the history doesn't keep it."
    [ -z "${VCD_CACERT-}" ] || [ -r "$VCD_CACERT" ] || finding endpoint/tls "$VCD_CACERT can't be read" "Correct VCD_CACERT."
    [ "$(findings_count)" = "$preflight_before" ]
}

preflight_parameters() {
    while IFS= read -r preflight_line; do
        preflight_name=${preflight_line%%=*}
        case $preflight_name in
        url | org | vdc | catalog | storage_profile) ;;
        driver)
            case ${preflight_line#*=} in
            auto | curl | ovftool) ;;
            *) finding parameter/value "driver is ${preflight_line#*=}" "auto, curl or ovftool" ;;
            esac
            ;;
        tools_seconds | settle_seconds | shutdown_seconds)
            case ${preflight_line#*=} in '' | *[!0-9]* | ??????*) finding parameter/value "$preflight_line is no number of seconds" "0 to 99999" ;; esac
            ;;
        network_*)
            case " $(network_numbers | tr '\n' ' ') " in
            *" ${preflight_name#network_} "*) ;;
            *) finding parameter/unknown "there is no $preflight_name" "The bundle has $CB_NETWORK_COUNT networks." ;;
            esac
            ;;
        *) finding parameter/unknown "there is no parameter $preflight_name" \
            "url, org, vdc, catalog, storage_profile, network_N, driver, tools_seconds, settle_seconds, shutdown_seconds" ;;
        esac
    done <"$work/parameters"
}

# preflight_bundle: the package, unless the catalog has it already.
preflight_bundle() {
    [ -z "$template_state" ] || [ "$template_state" != ready ] || return 0
    for preflight_kind in VM_IMAGE PAYLOAD; do
        preflight_file=$here/$(site_value "CB_OVF_${preflight_kind}_FILE")
        preflight_size=$(site_value "CB_OVF_${preflight_kind}_SIZE")
        if [ ! -f "$preflight_file" ]; then
            finding bundle/no-image "${preflight_file#"$here/"} is neither in the catalog nor in this folder" \
                "Unpack the whole bundle that it belongs to, and run its install.sh."
        elif [ "$(wc -c <"$preflight_file" | tr -d ' ')" != "$preflight_size" ]; then
            finding bundle/image-size "${preflight_file#"$here/"} does not have $preflight_size bytes" "Unpack the bundle again."
        fi
    done
}

# preflight_names: what has our name must have our mark.
preflight_names() {
    while IFS='	' read -r preflight_name preflight_link preflight_status preflight_owner preflight_rest; do
        [ "$preflight_owner" = ours ] || finding vapp/name-taken "there is a vApp called $preflight_name that no bundle made" \
            "If it was made by hand from the runbook, delete it by hand first. Else rename it."
    done <"$work/vapps"
    [ "$template_state" != foreign ] || finding template/name-taken \
        "there is a vApp template called $template_name in $catalog_name that no bundle made" "Rename or delete it."
}

preflight_networks() {
    for preflight_at in $(network_numbers); do
        [ -n "$(network_link "$preflight_at")" ] || finding network/missing \
            "there is no network '$(network_site_name "$preflight_at")' in $vdc_name" \
            "There is: $(rows_pick "$work/vdc.rows" /AvailableNetworks/Network name | tr '\n' ' '). Name one: --parameter network_$preflight_at=NAME"
    done
}

# preflight_rights: the API shows a link only to who may follow it (API Programming Guide, "Links and Link Relations").
preflight_rights() {
    [ -z "$catalog_link" ] || [ -n "$(template_upload_link)" ] || finding credentials/forbidden \
        "$vcd_user may not add templates to catalog $catalog_name" "Ask for the right to edit that catalog, or name another."
    [ -n "$(vapp_instantiate_link)" ] || finding credentials/forbidden \
        "$vcd_user may not make vApps in $vdc_name" "Ask for a role with the rights of 'vApp Author'."
}

# preflight_room: storage in bytes, memory in MiB, processors in MHz; a limit of 0 is none. The template keeps its disks as
# large as they are, the VM has them again, and its memory once more as a swap file while it runs.
preflight_room() {
    : >"$work/room"
    site_storage
    if [ -z "$storage_link" ]; then
        finding storage/missing "there is no storage policy '${storage_name:-(default)}' in $vdc_name" \
            "There is: $(tr '\n' ' ' <"$work/profiles"). Name one: --parameter storage_profile=NAME"
    else
        room_vm=$((CB_OVF_ROOT_DISK_GIB * 1073741824 + CB_OVF_PAYLOAD_CAPACITY + CB_NEED_MEMORY_MIB * 1048576))
        room_need=$room_vm
        [ "$template_state" = ready ] || room_need=$((room_need + CB_OVF_VM_IMAGE_CAPACITY + CB_OVF_PAYLOAD_CAPACITY))
        room_limit=$(($(rows_pick "$work/profile.rows" /Limit . | head -n 1) * 1048576))
        room_used=$(rows_pick "$work/profile.rows" /StorageUsedMB . | head -n 1)
        room_judge "storage, bytes" quota/storage "$room_limit" "$((${room_used:-0} * 1048576))" "$room_need"
    fi
    # The one that runs is stopped before the next is started.
    vapp_running && return 0
    room_judge "memory, MiB" quota/memory "$(room_figure Memory Limit)" "$(room_figure Memory Used)" "$CB_NEED_MEMORY_MIB"
    room_speed=$(rows_pick "$work/vdc.rows" /VCpuInMhz2 . | head -n 1)
    room_judge "processors, MHz" quota/cpu "$(room_figure Cpu Limit)" "$(room_figure Cpu Used)" "$((CB_NEED_VCPUS * ${room_speed:-0}))"
}

room_figure() {
    rows_pick "$work/vdc.rows" "/ComputeCapacity/$1/$2" . | head -n 1
}

# room_judge TITLE CODE LIMIT USED NEEDED
room_judge() {
    printf '%s\t%s\t%s\t%s\n' "$1" "${3:-0}" "${4:-0}" "$5" >>"$work/room"
    [ "${3:-0}" = 0 ] || [ $((${4:-0} + $5)) -le "$3" ] || finding "$2" \
        "$1: limit $3, used ${4:-0}, needed $5; $((${4:-0} + $5 - $3)) too many" "Ask the administrator of $vdc_name for more, or free some."
}
