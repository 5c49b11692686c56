# The driver virsh: a domain of libvirt's.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

# virsh_ask NAME ARG...: the answer is in $work/NAME, the error in NAME.error.
virsh_ask() {
    virsh_name=$work/$1
    shift
    virsh --connect "$host_uri" --quiet "$@" </dev/null >"$virsh_name" 2>"$virsh_name.error"
}

# virsh_access: a connection that may change something.
virsh_access() {
    virsh_ask version version && return 0
    case $(cat "$work/version.error") in
    *[Pp]ermission* | *polkit* | *authentication*) finding libvirt/permission "$host_uri does not let you in: $(host_said version)" \
        "Run this as root, or become a member of the group libvirt." ;;
    *) finding libvirt/unreachable "libvirt does not answer at $host_uri: $(host_said version)" \
        "Is its daemon running on this host (systemctl start libvirtd, or virtqemud.socket)? Without libvirt: --parameter driver=qemu" ;;
    esac
    return 1
}

virsh_look() {
    if ! virsh_ask domstate domstate "$CB_NAME"; then
        case $(cat "$work/domstate.error") in
        *'failed to get domain'* | *'not found'*) return 0 ;;
        *) stop 3 libvirt/unreachable "asking for domain $CB_NAME: $(host_said domstate)" "Run this again when libvirt answers." ;;
        esac
    fi
    vm_state=$(head -n 1 "$work/domstate")
    case $vm_state in 'shut off' | crashed) vm_state=off ;; esac
    virsh_ask domain dumpxml --inactive "$CB_NAME" || : >"$work/domain"
    virsh_mark=$(grep '<cloudlet:installed ' "$work/domain" | head -n 1 | tr "'" '"') || virsh_mark=''
    [ -n "$virsh_mark" ] || vm_owner=foreign
    vm_bundle=$(virsh_marked bundle) vm_inputs=$(virsh_marked inputs) vm_folder=$(virsh_marked folder)
}

# virsh_marked NAME: an attribute of our mark. None of the values has a character that XML writes otherwise.
virsh_marked() {
    printf '%s' "$virsh_mark" | sed -n "s/.* $1=\"\([^\"]*\)\".*/\1/p"
}

# virsh_make: defines it anew where it is not of the target, and starts it.
virsh_make() {
    if ! vm_is_target; then
        virsh_domain >"$disks_folder/domain.xml"
        virsh_ask define define --validate "$disks_folder/domain.xml" || virsh_failed define "defining $CB_NAME"
    fi
    if [ "$CB_LV_AUTOSTART" = yes ]; then
        virsh_ask autostart autostart "$CB_NAME" || virsh_failed autostart "letting $CB_NAME start with the host"
    fi
    if [ "$vm_state" = paused ]; then
        virsh_ask start resume "$CB_NAME" || virsh_failed start "resuming $CB_NAME"
    else
        rm -f "$disks_folder/serial.log" "$disks_folder"/serial.log.[0-9]
        virsh_ask start start "$CB_NAME" || virsh_failed start "starting $CB_NAME"
    fi
}

virsh_failed() {
    stop 3 vm/refused "$2: $(host_said "$1")" "That is libvirt's own answer. When it is mended, run this again: it goes on here."
}

# virsh_domain: the bundle's domain with folder, mark, and what the site has chosen otherwise.
virsh_domain() {
    : >"$work/cards"
    virsh_at=0
    while [ "$virsh_at" -lt "$CB_NETWORK_COUNT" ]; do
        virsh_at=$((virsh_at + 1))
        host_network "$virsh_at" | tr ':' ' ' >>"$work/cards"
        printf '\n' >>"$work/cards"
    done
    LC_ALL=C awk -v folder="$disks_folder" -v bundle="$target_digest" -v inputs="$disks_inputs" -v type="$host_type" '
        FILENAME == ARGV[1] { kind[++cards] = $1; source[cards] = $2; next }
        /^<domain type="kvm">$/ { print "<domain type=\"" type "\">"; next }
        /^  <cpu mode="/ && type != "kvm" { 
            # Without five-level paging, which costs much where it is emulated.
            print "  <cpu mode=\"maximum\">\n    <feature policy=\"disable\" name=\"la57\"/>\n  </cpu>"; next }
        /^    <cloudlet:installed / { sub(/ bundle="" inputs="" folder=""\/>$/, " bundle=\"" bundle "\" inputs=\"" inputs "\" folder=\"" folder "\"/>") }
        /^      <(source|log) file="/ { match($0, /[a-z0-9]+\.[a-z0-9]+"/); file = substr($0, RSTART); head = $1
            # The last such word of the line: the folder may have dots as well.
            while (match(substr(file, 2), /\/[a-z0-9]+\.[a-z0-9]+"/)) file = substr(file, RSTART + 2)
            print "      " head " file=\"" folder "/" file; next }
        /^    <interface / { at++; card = 1
            if (kind[at] == "bridge") print "    <interface type=\"bridge\">\n      <source bridge=\"" source[at] "\"/>"
            else if (kind[at] == "macvtap") print "    <interface type=\"direct\">\n      <source dev=\"" source[at] "\" mode=\"bridge\"/>"
            else if (kind[at] == "network") print "    <interface type=\"network\">\n      <source network=\"" source[at] "\"/>"
            else print "    <interface type=\"user\">"
            next }
        card && /^      <source / { next }
        card && /^      <mtu / && kind[at] != "bridge" && kind[at] != "network" { next }
        /^    <\/interface>/ { card = 0 }
        { print }' "$work/cards" "$target_folder/$CB_LV_DOMAIN"
}

virsh_shutdown() {
    virsh_ask shutdown shutdown "$CB_NAME" || :
}

virsh_destroy() {
    virsh_ask destroy destroy "$CB_NAME" || grep -q 'not running' "$work/destroy.error" || {
        vm_look
        [ "$vm_state" = off ] || [ "$vm_state" = absent ] || virsh_failed destroy "stopping $CB_NAME"
    }
    vm_state=off
}

# virsh_remove: the domain, with its UEFI variables.
virsh_remove() {
    virsh_destroy
    virsh_ask undefine undefine --nvram "$CB_NAME" || virsh_failed undefine "removing $CB_NAME"
}
