# Where things go: organization, virtual datacenter, catalog, storage policy, networks; each by its name, from links.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails
#
#   org_link vdc_link vdc_name catalog_link catalog_name storage_name storage_link     and $work/{org,vdc,catalog}.rows
#   network_link NUMBER                                                               the organization's network of a card

site_choices() {
    vdc_name=$(parameter vdc "${VDC_NAME:-$CB_VCD_VDC}")
    catalog_name=$(parameter catalog "$CB_VCD_CATALOG")
    storage_name=$(parameter storage_profile "$CB_VCD_STORAGE_PROFILE")
    org_link='' vdc_link='' catalog_link='' storage_link=''
}

# network_site_name NUMBER, network_inner_name NUMBER: what it is called here, and in the OVF descriptor.
network_site_name() {
    parameter "network_$1" "$(site_value "CB_NETWORK_${1}_SITE_NAME")"
}

network_inner_name() {
    site_value "CB_NETWORK_${1}_OVF_NAME"
}

# network_numbers: 1 2 3 …
network_numbers() {
    awk -v count="$CB_NETWORK_COUNT" 'BEGIN { for (i = 1; i <= count; i++) print i }'
}

# site_look: GET /api/org ("Retrieve a List of Organizations"), the organization, its virtual datacenter. Findings tell what
# is not there; false if what is left of it can't be asked for.
site_look() {
    site_choices
    api orgs GET "$vcd_url/api/org" || {
        trouble_finding orgs "listing organizations"
        return 1
    }
    org_link=$(rows_pick "$work/orgs.rows" /OrgList/Org href name "$vcd_org" | head -n 1)
    [ -n "$org_link" ] && api org GET "$org_link" || {
        finding org/missing "there is no organization '$vcd_org', or this user doesn't see it" "Give its name, not its title: VCD_ORG or --parameter org=NAME"
        return 1
    }
    site_vdc
    site_catalog
    [ -n "$vdc_link" ]
}

# site_vdc: without a name, the only one.
site_vdc() {
    rows_pick "$work/org.rows" /Link name rel down type "$api_kind.vcloud.vdc+xml" >"$work/vdcs"
    [ -n "$vdc_name" ] || [ "$(grep -c . "$work/vdcs")" != 1 ] || vdc_name=$(cat "$work/vdcs")
    vdc_link=$(rows_pick "$work/org.rows" /Link href rel down type "$api_kind.vcloud.vdc+xml" name "$vdc_name" | head -n 1)
    if [ -z "$vdc_link" ]; then
        finding vdc/missing "there is no virtual datacenter '$vdc_name' in $vcd_org" \
            "There is: $(tr '\n' ' ' <"$work/vdcs"). Name one: VDC_NAME or --parameter vdc=NAME"
    elif ! api vdc GET "$vdc_link"; then
        trouble_finding vdc "looking at virtual datacenter $vdc_name"
        vdc_link=''
    fi
}

site_catalog() {
    catalog_link=$(rows_pick "$work/org.rows" /Link href rel down type "$api_kind.vcloud.catalog+xml" name "$catalog_name" | head -n 1)
    [ -n "$catalog_link" ] || catalog_link=$(site_query catalog CatalogRecord "$catalog_name")
    if [ -z "$catalog_link" ]; then
        finding catalog/missing "there is no catalog '$catalog_name' in $vcd_org, or this user doesn't see it" \
            "Make it (Libraries > Catalogs), or name another: --parameter catalog=NAME"
    elif ! api catalog GET "$catalog_link"; then
        trouble_finding catalog "looking at catalog $catalog_name"
        catalog_link=''
    fi
}

# site_query TYPE RECORD NAME: the address of the first record of that name, over all pages. Names are compared here, because
# the filter of a query has characters of its own ("Query Filter Expressions").
site_query() {
    query_page=1
    while api query GET "$vcd_url/api/query?type=$1&format=records&pageSize=128&page=$query_page"; do
        query_link=$(rows_pick "$work/query.rows" "/$2" href name "$3" | head -n 1)
        [ -z "$query_link" ] || {
            printf '%s\n' "$query_link"
            return 0
        }
        [ "$(rows_pick "$work/query.rows" /QueryResultRecords/Link href rel nextPage | grep -c .)" != 0 ] || return 0
        query_page=$((query_page + 1))
    done
}

# network_link NUMBER: of the virtual datacenter's networks; those of a group of datacenters are only found by a query.
network_link() {
    network_wanted=$(network_site_name "$1")
    network_found=$(rows_pick "$work/vdc.rows" /AvailableNetworks/Network href name "$network_wanted" | head -n 1)
    [ -n "$network_found" ] || network_found=$(site_query orgVdcNetwork OrgVdcNetworkRecord "$network_wanted")
    printf '%s' "$network_found"
}

# site_storage: sets storage_link: the one that was named, else the default one of the datacenter; "" if there is none such.
site_storage() {
    rows_pick "$work/vdc.rows" /VdcStorageProfiles/VdcStorageProfile name >"$work/profiles"
    rows_pick "$work/vdc.rows" /VdcStorageProfiles/VdcStorageProfile href >"$work/profile-links"
    storage_link='' storage_at=0
    while IFS= read -r storage_each <&3; do
        storage_at=$((storage_at + 1))
        storage_called=$(sed -n "${storage_at}p" "$work/profiles")
        [ -z "$storage_name" ] || [ "$storage_name" = "$storage_called" ] || continue
        api profile GET "$storage_each" || continue
        [ -n "$storage_name" ] || [ "$(rows_pick "$work/profile.rows" /Default .)" = true ] || continue
        storage_link=$storage_each storage_name_found=$storage_called
        return 0
    done 3<"$work/profile-links"
}
