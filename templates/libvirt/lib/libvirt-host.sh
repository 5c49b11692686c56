# The host: which driver, which folder, what may be done on it.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# host_machine: takes the one of two machines that --parameter machine says, or whose state is here. It is no parameter of
# the VM, so it is not kept with the others: state directory, VM and folder have its name.
host_machine() {
    host_role=''
    [ -n "$CB_LV_ROLE" ] || return 0
    host_role=$(printf '%s' "$parameters_given" | sed -n 's/^machine=//p')
    parameters_given=$(printf '%s' "$parameters_given" | sed '/^machine=/d')
    [ -z "$parameters_given" ] || parameters_given="$parameters_given
"
    if [ -z "$host_role" ]; then
        host_states=${state:-${XDG_STATE_HOME:-${HOME-}/.local/state}/cloudlet-bundle}
        for host_role in primary secondary; do
            [ ! -f "$host_states/$host_role" ] && [ ! -f "$host_states/${CB_NAME%-primary}-$host_role/journal" ] || break
            host_role=''
        done
    fi
    case $host_role in
    primary | secondary) host_machine_load "$here" ;;
    *) stop 2 usage/machine "the bundle has two machines for two hosts" "Say which is for this one: --parameter machine=primary or machine=secondary" ;;
    esac
}

# host_machine_load FOLDER: what differs from the first machine's.
host_machine_load() {
    [ -z "$host_role" ] || site_load "$1/site/machine-$host_role.env"
}

# host_choices: host_driver (libvirt or qemu), host_uri, host_storage, host_home, host_qemu, from the operator's parameters.
# Uninstalling and asking start without them, so those of the last run are taken.
host_choices() {
    # Going back has read the former bundle's site.env.
    host_machine_load "$target_folder"
    [ -z "$host_role" ] || [ -n "$only" ] || [ "$verb" = status ] || : >>"$state/$host_role"
    case $verb in
    uninstall)
        parameters_write "$work/parameters"
        [ -s "$work/parameters" ] || cat "$(bundle_saved "${installed_key:-$open_key}")/parameters" 2>/dev/null >"$work/parameters" || :
        ;;
    esac
    host_uri=$(parameter uri "$CB_LV_URI")
    host_storage=$(parameter storage "$CB_LV_STORAGE")
    host_home=$host_storage/$CB_NAME
    host_qemu=$(command -v qemu-system-x86_64 || command -v qemu-kvm || command -v /usr/libexec/qemu-kvm) || host_qemu=''
    host_driver=$(parameter driver "$CB_LV_DRIVER")
    [ "$host_driver" = libvirt ] || [ "$host_driver" = qemu ] || host_driver=auto
    if [ "$host_driver" != auto ]; then
        :
    elif [ -f "$host_home/installed" ] || ! command -v virsh >/dev/null 2>&1; then
        # What was begun without libvirt goes on without it.
        host_driver=qemu
    else
        host_driver=libvirt
    fi
    disks_folder=''
    host_type=kvm
}

# host_access: can the hypervisor be used at all, and by whom.
host_access() {
    case $host_uri in
    qemu:///* | qemu+unix:///*) ;;
    *)
        finding parameter/value "uri $host_uri is not of this host" \
            "The disks are files here, so run this on the KVM host itself: qemu:///system."
        return 1
        ;;
    esac
    case $host_storage in
    *[!A-Za-z0-9_./-]* | */../* | */.. | *//* | */)
        finding parameter/value "storage $host_storage is not an absolute path of letters, digits and _ . -" "Give another."
        return 1
        ;;
    /*) ;;
    *)
        finding parameter/value "storage $host_storage is not an absolute path" "Give one: --parameter storage=/srv/cloudlets"
        return 1
        ;;
    esac
    case $host_driver in
    libvirt) virsh_access ;;
    qemu) qemu_access ;;
    esac
}

# host_network NUMBER: KIND:SOURCE of a network card, as the operator or the spec has it.
host_network() {
    host_given=$(parameter "network_$1" '')
    case $host_given in
    '') printf '%s:%s' "$(site_value "CB_NETWORK_${1}_KIND")" "$(site_value "CB_NETWORK_${1}_SOURCE")" ;;
    *:*) printf '%s' "$host_given" ;;
    *) printf '%s:%s' "$(site_value "CB_NETWORK_${1}_KIND")" "$host_given" ;;
    esac
}

# host_emulation: true if the VM may run without KVM.
host_emulation() {
    [ "$(parameter emulation "$CB_LV_EMULATION")" = yes ]
}

# host_run NAME TEXT FILE COMMAND...: something long. It runs beside this script, so that progress can be shown and an
# interruption reaches it; its process is noted, so that a later run can tell it from a stranger.
host_run() {
    host_name=$work/$1 host_text=$2 host_file=$3
    shift 3
    "$@" </dev/null >"$host_name" 2>"$host_name.error" &
    child=$!
    printf '%s %s\n' "$child" "$(process_born "$child")" >"$state/lock/child"
    host_began=$(seconds)
    while kill -0 "$child" 2>/dev/null; do
        host_size=$(du -k "$host_file" 2>/dev/null | cut -f1) || host_size=0
        progress "$host_text: $((${host_size:-0} / 1024)) MiB, $(($(seconds) - host_began)) s"
        sleep 1
    done
    host_status=0
    wait "$child" || host_status=$?
    child=''
    rm -f "$state/lock/child"
    progress_end
    return "$host_status"
}

# host_said NAME: the last words of a command that failed.
host_said() {
    grep -v '^[[:space:]]*$' "$work/$1.error" 2>/dev/null | tail -n 1 | cut -c1-300 | tr '\t' ' ' | secrets_hide
}

# host_flush FILE: on the disk before it gets its final name.
host_flush() {
    sync "$1" 2>/dev/null || sync
}

# host_word TEXT: one word of the shell.
host_word() {
    printf "'"
    printf '%s' "$1" | sed "s/'/'\\\\''/g"
    printf "'"
}
