# What stands in the way: the machine is looked at once, and everything that is wrong is told at once.
# shellcheck shell=sh disable=SC2015,SC2034,SC2154 # variables: see install.sh; "a && b || c": c if either fails

preflight_parameters() {
    sed 's/=.*//' "$work/parameters" | while IFS= read -r preflight_name; do
        case $preflight_name in
        address | port | user | identity | known_hosts | host_key) ;;
        *) printf '%s ' "$preflight_name" ;;
        esac
    done >"$work/unknown"
    [ ! -s "$work/unknown" ] || finding parameter/unknown "there is no parameter $(cat "$work/unknown")" \
        "Parameters: address, port, user, identity, known_hosts, host_key."
}

# machine_look: asks for all facts; afterwards owner_* tell whose the machine is.
machine_look() {
    machine look look <<LOOK || return 1
$(look_questions)
LOOK
    owner_read
}

# look_again: the same of what a step has changed.
look_again() {
    machine_must mark "looking at the mark" mark </dev/null
    { grep -Ev '^(half|owner|made|image|payload|link) ' "$work/look" || :; cat "$work/mark"; } >"$work/look.new"
    mv -f "$work/look.new" "$work/look"
    owner_read
}

look_questions() {
    look_each CB_GUEST_FILE PATH path
    look_each CB_SECRET PATH path
    look_each CB_VP_LISTEN PORT listen
    look_each CB_VP_CONTAINER ROLE container
}

# look_each PREFIX KEY WORD: "WORD value" for each.
look_each() {
    look_at=0 look_count=$(site_value "$1_COUNT")
    while [ "$look_at" -lt "$look_count" ]; do
        look_at=$((look_at + 1))
        printf '%s %s\n' "$3" "$(site_value "$1_${look_at}_$2")"
    done
}

owner_read() {
    sed -n 's/^owner //p' "$work/look" >"$work/owner"
    owner_name=$(fact owner name) owner_bundle=$(fact owner bundle) owner_inputs=$(fact owner inputs)
    owner_secrets=$(fact owner secrets) owner_applied=$(fact owner applied)
}

preflight_machine() {
    if [ -n "$owner_name" ] && [ "$owner_name" != "$CB_NAME" ]; then
        finding host/other-cloudlet "$machine_title is the PlatformVM of another cloudlet, $owner_name" \
            "Take another machine, or remove that one first, with its own bundle: ./install.sh --uninstall"
        return 0
    fi
    preflight_system
    preflight_engine
    [ "$verb" = rollback ] || preflight_size
    preflight_clock
    [ "$on_machine" = yes ] || preflight_way_back
    preflight_taken
    [ "$verb" != rollback ] || payload_is_there ||
        finding bundle/no-payload "the payload of the bundle to go back to is not on $machine_title any more" \
            "Go back with --upgrade from that bundle's folder, if its sequence allows it; or --uninstall and install it."
}

# preflight_system: what the scripts need there.
preflight_system() {
    [ "$(fact look uid)" = 0 ] || finding ssh/no-sudo "$machine_title gives user $ssh_user no root" "See that sudo -n runs anything as root."
    [ "$(fact look systemd)" = yes ] || finding host/no-systemd "$machine_title does not run systemd" "The containers are its units. Take a machine that has it."
    preflight_lacks=$(sed -n 's/^lacks //p' "$work/look" | grep -v 'tables' | tr '\n' ' ')
    [ -z "$preflight_lacks" ] || finding host/no-tool "$machine_title lacks: $preflight_lacks" "Install them there (coreutils, gawk or mawk, sed, grep, systemd)."
    preflight_lacks=$(sed -n 's/^lacks //p' "$work/look" | grep '^iptables' | tr '\n' ' ')
    [ "$(fact look ipv6)" != yes ] || preflight_lacks=$preflight_lacks$(sed -n 's/^lacks \(ip6tables-restore\)/\1/p' "$work/look")
    [ -z "$preflight_lacks" ] || finding host/no-iptables "$machine_title lacks: $preflight_lacks" \
        "The machine is its own firewall. Install iptables there."
    case $(fact look architecture) in
    x86_64) preflight_has=amd64 ;;
    aarch64) preflight_has=arm64 ;;
    *) preflight_has=$(fact look architecture) ;;
    esac
    [ "$preflight_has" = "$CB_VP_ARCHITECTURE" ] ||
        finding host/architecture "$machine_title is $preflight_has, the containers are $CB_VP_ARCHITECTURE" "Take another machine, or ask for a bundle for $preflight_has."
}

preflight_engine() {
    case $(fact look engine) in
    none) finding host/no-container-engine "$machine_title has neither docker nor podman" \
        "Install one there: docker 20 or later, or podman 4.3 or later, from the site's own packages." ;;
    *) [ -n "$(fact look store)" ] || finding host/engine-silent "$(fact look engine) on $machine_title does not answer" \
        "See there: $(fact look engine) info; systemctl status docker" ;;
    esac
}

# preflight_size: what a PlatformVM needs. Of the memory and the disk that a machine is given, its kernel and its file
# system keep some: seven eighths count as all.
preflight_size() {
    # shellcheck disable=SC2046 # two words
    set -- $(numbers look disk)
    preflight_short=''
    preflight_compare vCPU "$(number look vcpus)" "$CB_NEED_VCPUS" "$CB_NEED_VCPUS"
    preflight_compare 'MiB of memory' "$(($(number look memory) / 1024))" "$CB_NEED_MEMORY_MIB" "$((CB_NEED_MEMORY_MIB * 7 / 8))"
    preflight_compare 'GiB of disk' "$((${1:-0} / 1048576))" "$CB_NEED_DISK_GIB" "$((CB_NEED_DISK_GIB * 7 / 8))"
    [ -z "$preflight_short" ] || finding host/too-small "$machine_title has$preflight_short" "Take a larger machine, or enlarge it."
    preflight_mib=$(mebibytes "$CB_PAYLOAD_SIZE")
    payload_is_there && preflight_room=0 || preflight_room=$((preflight_mib + 64 - payload_part / 1048576))
    [ "$((${2:-0} / 1024))" -ge "$preflight_room" ] ||
        finding host/disk-full "$machine_title has $((${2:-0} / 1024)) MiB free for the payload, $preflight_room are needed" "Free some in /var/lib there."
    # shellcheck disable=SC2046 # two words
    set -- $(numbers look store)
    [ $# = 2 ] || return 0
    # Loading wants the layers once packed and once unpacked.
    preflight_room=$((preflight_mib * 2 + 64))
    [ "$(payload_is_there && printf loaded)" = loaded ] || [ "$(($2 / 1024))" -ge "$preflight_room" ] ||
        finding host/disk-full "$machine_title has $(($2 / 1024)) MiB free for images, $preflight_room are needed" "Free some where $(fact look engine) keeps its images."
}

# preflight_compare UNIT HAS NEEDS LEAST
preflight_compare() {
    [ "${2:-0}" -ge "$4" ] || preflight_short="$preflight_short${preflight_short:+,} ${2:-0} $1, $3 needed"
}

preflight_clock() {
    preflight_skew=$(($(seconds) - $(number look time)))
    { [ "$preflight_skew" -le 300 ] && [ "$preflight_skew" -ge -300 ]; } ||
        finding clock/skew "this machine's clock differs from that of $machine_title by about $preflight_skew seconds" \
            "Set the clock that is wrong (it is $(utc) here): certificates depend on it."
}

# preflight_way_back: the firewall that is to be set must let in where this connection comes from.
preflight_way_back() {
    # shellcheck disable=SC2046 # address, port, address, port
    set -- $(fact look connection | LC_ALL=C tr -cd '0-9A-Fa-f:.% ')
    [ $# = 4 ] || return 0
    preflight_from=${1#::ffff:}
    case $preflight_from in *:*) preflight_family=6 ;; *) preflight_family=4 ;; esac
    preflight_rules=$(guest_file_at "/etc/cloudlet/firewall.v$preflight_family")
    [ -n "$preflight_rules" ] && [ -f "$preflight_rules" ] || return 0
    ! firewall_lets_in "${preflight_from%%%*}" "$4" <"$preflight_rules" || return 0
    finding host/shuts-out "the firewall that the bundle sets would let in no SSH from $preflight_from to port $4, which is this connection" \
        "Run this from a host in the spec's firewall.ssh.from; or ask for a bundle that lists $preflight_from; or install on the machine itself with --local."
}

# guest_file_at PATH: the bundle's file that becomes PATH on the machine.
guest_file_at() {
    guest_at=0
    while [ "$guest_at" -lt "$CB_GUEST_FILE_COUNT" ]; do
        guest_at=$((guest_at + 1))
        [ "$(site_value "CB_GUEST_FILE_${guest_at}_PATH")" != "$1" ] || printf '%s/%s' "$target_folder" "$(site_value "CB_GUEST_FILE_${guest_at}_FILE")"
    done
}

# firewall_lets_in ADDRESS PORT: by the rules (iptables-restore) on standard input. Addresses become bits to compare.
firewall_lets_in() {
    LC_ALL=C awk -v address="$1" -v port="$2" '
        function bits(number, width,   text) {
            for (text = ""; width > 0; width--) { text = (number % 2) text; number = int(number / 2) }
            return text
        }
        function hex(text,   i, number) {
            for (i = 1; i <= length(text); i++) number = number * 16 + index("0123456789abcdef", tolower(substr(text, i, 1))) - 1
            return number + 0
        }
        function spread(ip,   n, part, i, text, head, tail, h, t) {
            text = ""
            if (ip !~ /:/) {
                n = split(ip, part, ".")
                for (i = 1; i <= n; i++) text = text bits(part[i], 8)
                return text
            }
            n = index(ip, "::")
            head = n ? substr(ip, 1, n - 1) : ip
            tail = n ? substr(ip, n + 2) : ""
            h = split(head, part, ":")
            for (i = 1; i <= h; i++) text = text bits(hex(part[i]), 16)
            t = split(tail, part, ":")
            if (n) for (i = h + t; i < 8; i++) text = text bits(0, 16)
            for (i = 1; i <= t; i++) text = text bits(hex(part[i]), 16)
            return text
        }
        BEGIN { own = spread(address) }
        $1 == "-A" && $2 == "CLOUDLET-IN" && $3 == "-s" && /-j ACCEPT$/ {
            split($4, net, "/")
            length_of = net[2] == "" ? length(own) : net[2]
            if (substr(spread(net[1]), 1, length_of) != substr(own, 1, length_of)) next
            protocol = ports = ""
            for (i = 5; i < NF; i++) { if ($i == "-p") protocol = $(i + 1); if ($i == "--dport") ports = $(i + 1) }
            if (protocol != "" && protocol != "tcp") next
            split(ports, range, ":")
            if (ports == "" || (port + 0 >= range[1] + 0 && port + 0 <= range[2] + 0)) found = 1
        }
        END { exit !found }'
}

# preflight_taken: what others have where the cloudlet's is to be.
preflight_taken() {
    sed -n 's/^there [a-z]* //p' "$work/look" | while IFS= read -r preflight_path; do
        grep -qxF -- "made file $preflight_path" "$work/look" || printf '%s\n' "$preflight_path"
    done >"$work/taken"
    while IFS= read -r preflight_path; do
        finding host/file-taken "$machine_title has $preflight_path already, and no bundle wrote it" "Move it away, if it is of no use any more."
    done <"$work/taken"
    # A cloudlet that is there has its own ports and containers.
    ! platform_exists || return 0
    grep -E '^(listens|container) ' "$work/look" >"$work/taken" || :
    while read -r preflight_kind preflight_word; do
        case $preflight_kind in
        listens) finding host/port-taken "on $machine_title somebody listens on TCP port $preflight_word, which the containers want" \
            "Stop it: ss -ltnp there tells who it is." ;;
        container) finding host/container-taken "$machine_title has a container called $preflight_word, which no bundle made" \
            "Remove or rename it: $(fact look engine) rename there." ;;
        esac
    done <"$work/taken"
}
