# Where in vCenter the VM goes: datacenter, cluster, datastore, folder, resource pool, port groups; and the pool that is made.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# site_pick LIST WHAT TEXT MISSING AMBIGUOUS PARAMETER: site_path is the one path of the list that ends so; else a finding, with
# one of the two codes.
site_pick() {
    listed "$1" "$3" >"$work/site-picked"
    site_path=''
    case $(grep -c . "$work/site-picked") in
    1) site_path=$(cat "$work/site-picked") ;;
    0)
        finding "$4" "there is no $2 '$3'" \
            "There are: $(sed 's|.*/||' "$work/$1" | head -n 20 | tr '\n' ',' | sed 's/,$//; s/,/, /g'). Name one: --parameter $6=NAME; or ask why this account does not see it."
        return 1
        ;;
    *)
        finding "$5" "there is more than one $2 '$3': $(tr '\n' ' ' <"$work/site-picked")" "Say which: --parameter $6=PATH, as much of it as tells them apart."
        return 1
        ;;
    esac
}

# site_datacenter: the one that is named, or the only one; site_dc is its path. The others are found later, if they are needed.
site_datacenter() {
    site_dc='' site_cluster='' site_datastore='' site_folder='' site_pool='' site_pool_ours=no
    ask_list datacenters / d || {
        trouble_finding datacenters 'listing datacenters'
        return 1
    }
    site_name=$(parameter datacenter "$CB_VS_DATACENTER")
    if [ -z "$site_name" ] && [ "$(grep -c . "$work/datacenters")" = 1 ]; then
        site_dc=$(cat "$work/datacenters")
    elif [ -z "$site_name" ]; then
        finding datacenter/unnamed "there are several datacenters, or none: $(tr '\n' ' ' <"$work/datacenters")" "Say which: --parameter datacenter=NAME"
        return 1
    else
        site_pick datacenters datacenter "$site_name" datacenter/missing datacenter/ambiguous datacenter || return 1
        site_dc=$site_path
    fi
}

# site_resolve: site_cluster, site_datastore, site_folder, site_pool are paths, empty where there is a finding; site_pool_ours
# says whether we make the pool; $work/networks has the number and the path of each card's port group.
site_resolve() {
    if site_ask clusters host c r; then
        ! site_pick clusters cluster "$(parameter cluster "$CB_VS_CLUSTER")" cluster/missing cluster/ambiguous cluster || site_cluster=$site_path
    fi
    if site_ask datastores datastore s; then
        ! site_pick datastores datastore "$(parameter datastore "$CB_VS_DATASTORE")" datastore/missing datastore/ambiguous datastore || site_datastore=$site_path
    fi
    site_find_folder
    site_find_pool
    site_find_networks
}

# site_ask NAME FOLDER KIND...: a list below one of the datacenter's four folders.
site_ask() {
    site_list=$1 site_below=$2
    shift 2
    ask_list "$site_list" "$site_dc/$site_below" "$@" && return 0
    trouble_finding "$site_list" "listing $site_list"
    return 1
}

site_find_folder() {
    site_name=$(parameter folder "$CB_VS_FOLDER")
    site_folder=$site_dc/vm
    [ -n "$site_name" ] || return 0
    site_folder=''
    site_ask folders vm f || return 0
    # A path is below the datacenter's own folder of VMs, and nowhere else.
    if grep -qxF -- "$site_dc/vm/$site_name" "$work/folders"; then
        site_folder=$site_dc/vm/$site_name
    else
        site_pick folders folder "$site_name" folder/missing folder/ambiguous folder || return 0
        site_folder=$site_path
    fi
}

site_find_pool() {
    [ -n "$site_cluster" ] || return 0
    site_name=$(parameter resource_pool "$CB_VS_RESOURCE_POOL")
    ask_list pools "$site_cluster" p || {
        trouble_finding pools 'listing resource pools'
        return 0
    }
    if [ -z "$site_name" ]; then
        site_pool_ours=yes
        site_pool=$site_cluster/Resources/$CB_NAME
    elif grep -qxF -- "$site_cluster/Resources/$site_name" "$work/pools"; then
        site_pool=$site_cluster/Resources/$site_name
    else
        site_pick pools 'resource pool' "$site_name" pool/missing pool/ambiguous resource_pool || return 0
        site_pool=$site_path
    fi
}

# site_find_networks: of each kind: of a host's switch, of a distributed switch, of NSX.
site_find_networks() {
    : >"$work/networks"
    site_ask port-groups network n g o || return 0
    site_at=0
    while [ "$site_at" -lt "$CB_NETWORK_COUNT" ]; do
        site_at=$((site_at + 1))
        ! site_pick port-groups 'port group' "$(site_network_name "$site_at")" network/missing network/ambiguous "network_$site_at" ||
            printf '%s\t%s\n' "$site_at" "$site_path" >>"$work/networks"
    done
}

# site_network_name NUMBER: what the card's network is called in vCenter.
site_network_name() {
    parameter "network_$1" "$(site_value "CB_NETWORK_${1}_SITE_NAME")"
}

# site_address NUMBER: with its prefix; dhcp where it is given by the site's server.
site_address() {
    site_fixed=$(site_value "CB_NETWORK_${1}_ADDRESS")
    [ -n "$site_fixed" ] && printf '%s/%s' "$site_fixed" "$(site_value "CB_NETWORK_${1}_PREFIX")" || printf 'dhcp'
}

# site_pool_step check|do|undo: the pool is there. It is ours by its name where the spec names none.
site_pool_step() {
    step_id=$site_pool
    case $1 in
    # Going back leaves the VM where it is.
    check) [ "$verb" = rollback ] || grep -qxF -- "$site_pool" "$work/pools" ;;
    do)
        change pool 'making the resource pool' pool.create "$(glob "$site_cluster/Resources")/$CB_NAME" || trouble_stop pool "making resource pool $site_pool"
        printf '%s\n' "$site_pool" >>"$work/pools"
        ;;
    undo) remove_pools ;;
    esac
}
