# What the VM is given before it is started: cards and addresses, a larger root disk, no guest customization, properties.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# settings_step check|do|undo
settings_step() {
    case $1 in
    check)
        vapp_made && vm_customization_off && vm_cards_right && vm_disk_right || return 1
        step_id=${vm_link##*/}
        ;;
    do)
        vapps_look
        vapp_made || stop 3 vapp/failed "the vApp $vapp_name is gone" "Run this again."
        settings_free
        vm_customization_off || vm_customization_set
        vm_cards_right || vm_cards_set
        vm_disk_right || vm_disk_set
        vapp_made || :
        step_id=${vm_link##*/}
        ;;
    undo) ;;
    esac
}

# settings_free: the cloudlet's other vApps are stopped and let go of their addresses, which the target takes.
settings_free() {
    LC_ALL=C awk -F '\t' '$4 == "ours" { print $1 }' "$work/vapps" >"$work/others"
    while IFS= read -r free_name <&4; do
        [ "$free_name" != "$vapp_name" ] || continue
        case $(vapp_column "$free_name" 3) in -1 | 0) continue ;; esac
        api other GET "$(vapp_column "$free_name" 2)" || continue
        [ "$(rows_pick "$work/other.rows" /VApp deployed | head -n 1)" != true ] || {
            say "  stopping $free_name"
            vapp_stop "$free_name"
        }
        free_vm=$(rows_pick "$work/other.rows" /VApp/Children/Vm href | head -n 1)
        [ -n "$free_vm" ] && api cards GET "$free_vm/networkConnectionSection" || continue
        ! rows_pick "$work/cards.rows" /NetworkConnection/IpAddressAllocationMode . | grep -qvx NONE || {
            cards_body free >"$work/body"
            api_need "freeing addresses" free PUT "$free_vm/networkConnectionSection" vcloud.networkConnectionSection "$work/body"
            task_need free "freeing the addresses of $free_name"
        }
    done 4<"$work/others"
    vapps_look
    vapp_read || :
}

# vm_customization_off: guest customization would set host name and addresses too, against cloud-init.
vm_customization_off() {
    [ "$(rows_pick "$work/vm.rows" /GuestCustomizationSection/Enabled . | head -n 1)" = false ]
}

# vm_customization_set: "Update Guest Customization Section".
vm_customization_set() {
    printf '%s\n' '<?xml version="1.0" encoding="UTF-8"?>' \
        '<GuestCustomizationSection xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><ovf:Info>cloud-init does it</ovf:Info><Enabled>false</Enabled></GuestCustomizationSection>' >"$work/body"
    api_need "turning guest customization off" custom PUT "$vm_link/guestCustomizationSection" vcloud.guestCustomizationSection "$work/body"
    task_need custom "turning guest customization off"
}

# card_mode NUMBER: as the API calls it. A static address is told to the guest by cloud-init; MANUAL makes vCloud Director know it,
# which takes addresses of IPv4 only there (network.xsd, IpAddressType).
card_mode() {
    case $(site_value "CB_NETWORK_${1}_MODE"):$(site_value "CB_NETWORK_${1}_ADDRESS") in
    dhcp:*) printf DHCP ;;
    *:*:*) printf NONE ;;
    *) printf MANUAL ;;
    esac
}

# card_value NUMBER ELEMENT: of the card's NetworkConnection in $work/cards.rows; of its attribute network with that name.
card_value() {
    LC_ALL=C awk -F '\t' -v index_wanted="$(($1 - 1))" -v name="$2" '
        function ends(text) { return substr($1, length($1) - length(text) + 1) == text }
        ends("/NetworkConnection") && name == "network" {
            for (f = 4; f <= NF; f++) if (index($f, "network=") == 1) value[$2] = substr($f, 9)
        }
        { at = $2; sub(/\/[^\/]*$/, "", at) }
        ends("/NetworkConnection/NetworkConnectionIndex") && $3 == index_wanted { card = at }
        ends("/NetworkConnection/" name) { value[at] = $3 }
        END { print value[card] }' "$work/cards.rows"
}

# vm_cards: "Retrieve Network Connection Section".
vm_cards() {
    api cards GET "$vm_link/networkConnectionSection"
}

vm_cards_right() {
    vm_cards || return 1
    for card_at in $(network_numbers); do
        [ "$(card_value "$card_at" IpAddressAllocationMode)" = "$(card_mode "$card_at")" ] &&
            [ "$(card_value "$card_at" IsConnected)" = true ] && [ -n "$(card_value "$card_at" MACAddress)" ] || return 1
        [ "$(card_mode "$card_at")" != MANUAL ] ||
            [ "$(card_value "$card_at" IpAddress)" = "$(site_value "CB_NETWORK_${card_at}_ADDRESS")" ] || return 1
    done
}

vm_cards_set() {
    vm_cards || trouble_stop cards "looking at the network cards"
    cards_body target >"$work/body"
    api_need "setting the network cards" set PUT "$vm_link/networkConnectionSection" vcloud.networkConnectionSection "$work/body"
    task_need set "setting the network cards"
    vm_cards || trouble_stop cards "looking at the network cards"
}

# cards_body target|free: a NetworkConnectionSection; hardware addresses stay as they are. Freed, the cards of another release keep
# the networks that they have, and no address.
cards_body() {
    cards_primary=0
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<NetworkConnectionSection xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><ovf:Info>Network cards</ovf:Info>'
    for card_at in $(network_numbers); do
        [ "$(site_value "CB_NETWORK_${card_at}_DEFAULT_ROUTE")" != yes ] || cards_primary=$((card_at - 1))
    done
    printf '<PrimaryNetworkConnectionIndex>%s</PrimaryNetworkConnectionIndex>' "$cards_primary"
    for card_at in $(rows_pick "$work/cards.rows" /NetworkConnection/NetworkConnectionIndex . | sort -n); do
        card_at=$((card_at + 1))
        card_address='' card_connected=false card_how=NONE card_network=$(card_value "$card_at" network)
        if [ "$1" = target ]; then
            card_how=$(card_mode "$card_at") card_connected=true card_network=$(network_inner_name "$card_at")
            [ "$card_how" != MANUAL ] || card_address=$(site_value "CB_NETWORK_${card_at}_ADDRESS")
        fi
        printf '<NetworkConnection network="%s"><NetworkConnectionIndex>%s</NetworkConnectionIndex>' "$(xml_text "$card_network")" "$((card_at - 1))"
        [ -z "$card_address" ] || printf '<IpAddress>%s</IpAddress>' "$card_address"
        printf '<IsConnected>%s</IsConnected>' "$card_connected"
        [ -z "$(card_value "$card_at" MACAddress)" ] || printf '<MACAddress>%s</MACAddress>' "$(xml_text "$(card_value "$card_at" MACAddress)")"
        printf '<IpAddressAllocationMode>%s</IpAddressAllocationMode><NetworkAdapterType>VMXNET3</NetworkAdapterType></NetworkConnection>' "$card_how"
    done
    printf '</NetworkConnectionSection>\n'
}

# vm_disk: "Retrieve Hard Disks": vm_disk_mib is the size of the first one on the first controller, the root disk.
vm_disk() {
    api disks GET "$vm_link/virtualHardwareSection/disks" || return 1
    vm_disk_mib=$(rows_pick "$work/disks.rows" /HostResource capacity | grep . | head -n 1)
}

vm_disk_right() {
    vm_disk && [ "${vm_disk_mib:-0}" -ge $((CB_OVF_ROOT_DISK_GIB * 1024)) ]
}

# vm_disk_set: "Update Hard Disks" wants the list as it was given, with another capacity in MiB. In the text, for what else is in
# it is the server's own; the first HostResource with a capacity is the root disk's, and its VirtualQuantity the same in bytes.
vm_disk_set() {
    LC_ALL=C awk -v mib="$((CB_OVF_ROOT_DISK_GIB * 1024))" '
        { all = all (NR > 1 ? "\n" : "") $0 }
        END {
            if (match(all, /[A-Za-z0-9_]+:capacity="[0-9]+"/)) {
                head = substr(all, 1, RSTART - 1); found = substr(all, RSTART, RLENGTH); tail = substr(all, RSTART + RLENGTH)
                sub(/"[0-9]+"/, "\"" mib "\"", found)
                end = match(tail, /<\/([A-Za-z0-9_]+:)?Item>/) ? RSTART : length(tail)
                item = substr(tail, 1, end - 1); tail = substr(tail, end)
                if (match(item, /VirtualQuantity>[0-9]+</))
                    item = substr(item, 1, RSTART - 1) sprintf("VirtualQuantity>%.0f<", mib * 1048576) substr(item, RSTART + RLENGTH)
                all = head found item tail
            }
            print all
        }' "$work/disks" >"$work/body"
    api_need "enlarging the root disk" grow PUT "$vm_link/virtualHardwareSection/disks" vcloud.rasdItemsList "$work/body"
    task_need grow "enlarging the root disk"
}

# properties_step check|do|undo: what cloud-init reads. All properties are set in one request, so that one of them tells of all.
properties_step() {
    case $1 in
    check)
        vapp_made && properties_set || return 1
        step_id=$(property_value instance-id)
        ;;
    do) properties_make ;;
    undo) ;;
    esac
}

# vm_properties_read: "Retrieve Product Sections" of the VM.
vm_properties_read() {
    api properties GET "$vm_link/productSections"
}

# property_value KEY: the value that was set, else the descriptor's own.
property_value() {
    property_place=$(rows_pick "$work/properties.rows" /ProductSection/Property @ key "$1" | head -n 1)
    [ -n "$property_place" ] || return 0
    property_set=$(rows_below "$work/properties.rows" "$property_place" /Property/Value value | head -n 1)
    printf '%s' "${property_set:-$(rows_pick "$work/properties.rows" /ProductSection/Property value key "$1" | head -n 1)}"
}

# properties_set: the descriptor has no network-config of its own.
properties_set() {
    vm_properties_read && [ -n "$(property_value network-config)" ]
}

properties_make() {
    vm_cards || trouble_stop cards "looking at the network cards"
    for card_at in $(network_numbers); do
        printf '%s %s\n' "$card_at" "$(card_value "$card_at" MACAddress)"
    done >"$work/macs"
    vmware_properties "$target_folder"
    properties_body "$(vmware_member "$target_folder/$CB_META_DATA" instance-id)" "$CB_HOSTNAME" "$work/network-config-value" "$work/user-data-value" >"$work/body"
    rm -f "$work/user-data-value"
    api_need "telling the VM what it is" tell PUT "$vm_link/productSections" vcloud.productSections "$work/body"
    rm -f "$work/body"
    task_need tell "telling the VM what it is"
    properties_set || stop 3 vapp/failed "vCloud Director has not kept the properties" "Run this again."
    step_id=$(property_value instance-id)
}

# properties_body INSTANCE-ID HOSTNAME NETWORK-FILE USER-DATA-FILE: a ProductSectionList, "Update Product Sections".
properties_body() {
    printf '<?xml version="1.0" encoding="UTF-8"?>\n<ProductSectionList xmlns="http://www.vmware.com/vcloud/v1.5" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1"><ovf:ProductSection><ovf:Info>What cloud-init is told</ovf:Info>'
    property_body instance-id '' "$(xml_text "$1")"
    property_body hostname '' "$(xml_text "$2")"
    property_body network-config '' "$(cat "$3")"
    property_body user-data ' ovf:password="true"' "$(cat "$4")"
    printf '</ovf:ProductSection></ProductSectionList>\n'
}

# property_body KEY ATTRIBUTES VALUE
property_body() {
    printf '<ovf:Property ovf:key="%s" ovf:type="string" ovf:userConfigurable="true"%s ovf:value=""><ovf:Label>%s</ovf:Label><ovf:Value ovf:value="%s"/></ovf:Property>' \
        "$1" "$2" "$1" "$3"
}

# vm_scrub: user-data goes, what names the instance stays: cloud-init finds the same instance at the next boot, and does nothing anew.
vm_scrub() {
    vm_properties_read || trouble_stop properties "looking at the properties"
    [ -n "$(property_value user-data)" ] || return 0
    property_value network-config >"$work/network-config-value"
    : >"$work/empty"
    properties_body "$(property_value instance-id)" "$(property_value hostname)" "$work/network-config-value" "$work/empty" >"$work/body"
    api_need "taking the secrets out of the properties" scrub PUT "$vm_link/productSections" vcloud.productSections "$work/body"
    task_need scrub "taking the secrets out of the properties"
}
